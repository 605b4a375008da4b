// A disk for RocksDB whose writes fail on demand.
//
// Threads: any.
// Owns:    the Env that env() returns; both must outlive the store that is opened with it.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace custody {

class FaultFileSystem {
 public:
  enum class Operation { kAppend, kSync };
  enum class Error { kIo, kNoSpace };
  struct Fault {
    Operation operation = Operation::kSync;
    std::uint64_t call = 1;   // Counted from Arm(), 1 is the next.
    std::string file_suffix;  // ".log", ".sst"; empty: every file.
    Error error = Error::kIo;
    bool every_later_call = false;
  };

  FaultFileSystem();
  ~FaultFileSystem();

  void Arm(const Fault& fault);
  // How many calls of the armed operation and suffix there were since Arm(), and how many failed.
  std::uint64_t call_count() const;
  std::uint64_t failed_count() const;

  // Making a file with this suffix waits until ReleaseNewFiles(), which must come before the store
  // is destroyed.
  void HoldNewFiles(std::string suffix);
  void ReleaseNewFiles();

  rocksdb::Env* env() const;

 private:
  struct State;
  class FileSystem;
  class File;
  std::shared_ptr<State> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
