// A disk for RocksDB whose calls fail on demand, any of them, and that knows what a power cut would
// leave of it.
//
// Threads: any.
// Owns:    the Env that env() returns; both must outlive the store that is opened with it.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/support/fault_switch.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace custody {

struct FaultDisk;

class FaultFileSystem {
 public:
  using Operation = DiskOperation;
  using Error = DiskError;
  using Fault = DiskFault;

  FaultFileSystem();
  ~FaultFileSystem();

  // As FaultSwitch.
  void Arm(const Fault& fault);
  void WhenStruck(std::function<void()> struck);
  std::uint64_t call_count() const;
  std::uint64_t failed_count() const;
  FaultSwitch::Sites sites() const;

  // From now on `shadow`/names is what a power cut would leave of `folder`; see SyncedDisk. Before
  // the store is opened.
  void KeepSynced(const std::string& folder, const std::string& shadow);

  // Making a file with this suffix waits until ReleaseNewFiles(), which must come before the store
  // is destroyed.
  void HoldNewFiles(std::string suffix);
  void ReleaseNewFiles();

  rocksdb::Env* env() const;

 private:
  class HeldFiles;
  class FileSystem;
  std::shared_ptr<FaultDisk> disk_;
  std::shared_ptr<HeldFiles> held_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
