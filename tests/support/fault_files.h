// The open files and folders of a FaultFileSystem: each call asks the switch first, and tells the
// synced disk afterwards.
//
// Threads: as RocksDB's own.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_FILES_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_FILES_H_

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

#include "tests/support/fault_switch.h"
#include "tests/support/synced_disk.h"

namespace custody {

// What the file system and its files share.
struct FaultDisk {
  FaultSwitch faults;
  std::unique_ptr<SyncedDisk> synced;  // nullptr: nobody asks.
};

rocksdb::IOStatus StatusOf(DiskError error);

// Makes a call that either happens or not: not at all, or with an error although it was made.
template <typename Call>
rocksdb::IOStatus MakeCall(FaultDisk& disk, DiskOperation operation, const std::string& file,
                           const Call& call) {
  const std::optional<DiskError> error = disk.faults.Next(operation, file);
  if (!error) return call();
  if (*error == DiskError::kIoAfter) call().PermitUncheckedError();
  return StatusOf(*error);
}

std::unique_ptr<rocksdb::FSWritableFile> WithFaults(std::unique_ptr<rocksdb::FSWritableFile> file,
                                                    std::string name,
                                                    std::shared_ptr<FaultDisk> disk);
std::unique_ptr<rocksdb::FSSequentialFile> WithFaults(
    std::unique_ptr<rocksdb::FSSequentialFile> file, std::string name,
    std::shared_ptr<FaultDisk> disk);
std::unique_ptr<rocksdb::FSRandomAccessFile> WithFaults(
    std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name,
    std::shared_ptr<FaultDisk> disk);
std::unique_ptr<rocksdb::FSDirectory> WithFaults(std::unique_ptr<rocksdb::FSDirectory> folder,
                                                 std::string name, std::shared_ptr<FaultDisk> disk);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_FILES_H_
