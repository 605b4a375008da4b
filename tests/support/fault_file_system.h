// A disk for RocksDB whose calls are counted and fail on demand, and that may forget what was not
// synced.
//
// Threads: any.
// Owns:    the Env that env() returns; both must outlive the store that is opened with it.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace custody {

class FaultFileSystem {
 public:
  // Every call with which RocksDB 7.8 touches the disk.
  enum class Operation {
    kAppend,
    kSync,
    kRangeSync,
    kFlush,
    kTruncate,
    kAllocate,
    kClose,
    kRead,
    kOpenToWrite,
    kOpenToRead,
    kOpenFolder,
    kSyncFolder,
    kRename,
    kLink,
    kDelete,
    kMakeFolder,
    kList,
    kExists,
    kSize,
    kLock,
    kFreeSpace,
    kOpenLogger,
  };
  static constexpr int kOperations = static_cast<int>(Operation::kOpenLogger) + 1;
  static std::string_view NameOf(Operation operation);

  // "log" (write-ahead), "table", "manifest", "current", "options", "identity", "lock", "folder",
  // "messages" (RocksDB's own) or "other".
  static std::string_view KindOf(std::string_view path);

  enum class Error {
    kIo,
    kNoSpace,
    kTorn,  // Of an append: half of the bytes go down before the error.
    kLost,  // Of a sync: what was not synced before is gone, and the call fails.
  };
  struct Fault {
    Operation operation = Operation::kSync;
    std::uint64_t call = 1;  // Counted from Arm(), 1 is the next.
    std::string file_kind;   // Empty: every file.
    Error error = Error::kIo;
    bool every_later_call = false;
  };

  FaultFileSystem();
  ~FaultFileSystem();

  void Arm(const Fault& fault);
  // How many calls of the armed operation and kind there were since Arm(), and how many failed.
  std::uint64_t call_count() const;
  std::uint64_t failed_count() const;

  // Called with every call before it is made, from whatever thread makes it.
  using Watcher = std::function<void(Operation operation, std::string_view file_kind)>;
  void Watch(Watcher watcher);

  // From now on bytes reach the disk behind when they are synced or their file is closed, not
  // before: a process that is killed leaves what a power loss would leave.
  void KeepUnsyncedInMemory();
  // A disk that lies: a sync of a write-ahead log says OK and does nothing.
  void IgnoreSyncs();

  // Making a file of this kind waits until ReleaseNewFiles(), which must come before the store is
  // destroyed.
  void HoldNewFiles(std::string file_kind);
  void ReleaseNewFiles();

  rocksdb::Env* env() const;

 private:
  struct State;
  class FileSystem;
  class File;
  class SequentialFile;
  class RandomAccessFile;
  class Folder;
  std::shared_ptr<State> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
