#include "tests/support/fault_file_system.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "tests/support/fault_files.h"

namespace custody {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class FaultFileSystem::HeldFiles {
 public:
  void Hold(std::string suffix) {
    const MutexLock lock(mutex_);
    suffix_ = std::move(suffix);
  }
  void Release() {
    const MutexLock lock(mutex_);
    suffix_.reset();
    released_.NotifyAll();
  }
  void WaitUntilReleased(const std::string& file) {
    const MutexLock lock(mutex_);
    while (suffix_ && file.ends_with(*suffix_)) released_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar released_;
  std::optional<std::string> suffix_ ABSL_GUARDED_BY(mutex_);
};

class FaultFileSystem::FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FileSystem(std::shared_ptr<FaultDisk> disk, std::shared_ptr<HeldFiles> held)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        disk_(std::move(disk)),
        held_(std::move(held)) {}

  const char* Name() const override { return "FaultFileSystem"; }

  // --- Opening.

  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* debug) override {
    return Open(DiskOperation::kNewSequentialFile, name, result,
                [&](std::unique_ptr<rocksdb::FSSequentialFile>* opened) {
                  IOStatus status = target()->NewSequentialFile(name, options, opened, debug);
                  return status;
                });
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    return Open(DiskOperation::kNewRandomAccessFile, name, result,
                [&](std::unique_ptr<rocksdb::FSRandomAccessFile>* opened) {
                  IOStatus status = target()->NewRandomAccessFile(name, options, opened, debug);
                  return status;
                });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override {
    return Open(DiskOperation::kNewDirectory, name, result,
                [&](std::unique_ptr<rocksdb::FSDirectory>* opened) {
                  IOStatus status = target()->NewDirectory(name, options, opened, debug);
                  return status;
                });
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    held_->WaitUntilReleased(name);
    return Open(DiskOperation::kNewWritableFile, name, result,
                [&](std::unique_ptr<rocksdb::FSWritableFile>* opened) {
                  IOStatus status = target()->NewWritableFile(name, options, opened, debug);
                  if (status.ok() && disk_->synced) disk_->synced->Made(name);
                  return status;
                });
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    return Open(DiskOperation::kReopenWritableFile, name, result,
                [&](std::unique_ptr<rocksdb::FSWritableFile>* opened) {
                  IOStatus status = target()->ReopenWritableFile(name, options, opened, debug);
                  return status;
                });
  }
  IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                             const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* debug) override {
    return Open(DiskOperation::kReuseWritableFile, name, result,
                [&](std::unique_ptr<rocksdb::FSWritableFile>* opened) {
                  IOStatus status =
                      target()->ReuseWritableFile(name, old_name, options, opened, debug);
                  if (status.ok() && disk_->synced) disk_->synced->Renamed(old_name, name);
                  return status;
                });
  }

  // --- Looking.

  IOStatus FileExists(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kFileExists, name,
                    [&] { return target()->FileExists(name, options, debug); });
  }
  IOStatus GetChildren(const std::string& name, const IOOptions& options,
                       std::vector<std::string>* result, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetChildren, name,
                    [&] { return target()->GetChildren(name, options, result, debug); });
  }
  IOStatus GetChildrenFileAttributes(const std::string& name, const IOOptions& options,
                                     std::vector<rocksdb::FileAttributes>* result,
                                     IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetChildren, name, [&] {
      return target()->GetChildrenFileAttributes(name, options, result, debug);
    });
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions& options, std::uint64_t* result,
                       IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetFileSize, name,
                    [&] { return target()->GetFileSize(name, options, result, debug); });
  }
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions& options,
                                   std::uint64_t* result, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetFileModificationTime, name, [&] {
      return target()->GetFileModificationTime(name, options, result, debug);
    });
  }
  IOStatus IsDirectory(const std::string& name, const IOOptions& options, bool* result,
                       IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kIsDirectory, name,
                    [&] { return target()->IsDirectory(name, options, result, debug); });
  }
  IOStatus NumFileLinks(const std::string& name, const IOOptions& options, std::uint64_t* result,
                        IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kNumFileLinks, name,
                    [&] { return target()->NumFileLinks(name, options, result, debug); });
  }
  IOStatus GetFreeSpace(const std::string& name, const IOOptions& options, std::uint64_t* result,
                        IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetFreeSpace, name,
                    [&] { return target()->GetFreeSpace(name, options, result, debug); });
  }
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions& options, std::string* result,
                           IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kGetAbsolutePath, name,
                    [&] { return target()->GetAbsolutePath(name, options, result, debug); });
  }
  IOStatus AreFilesSame(const std::string& name, const std::string& other, const IOOptions& options,
                        bool* result, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kAreFilesSame, name,
                    [&] { return target()->AreFilesSame(name, other, options, result, debug); });
  }

  // --- Changing.

  IOStatus CreateDir(const std::string& name, const IOOptions& options,
                     IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kCreateDir, name,
                    [&] { return target()->CreateDir(name, options, debug); });
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions& options,
                              IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kCreateDir, name,
                    [&] { return target()->CreateDirIfMissing(name, options, debug); });
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions& options,
                     IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kDeleteDir, name,
                    [&] { return target()->DeleteDir(name, options, debug); });
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kDeleteFile, name, [&] {
      IOStatus status = target()->DeleteFile(name, options, debug);
      if (status.ok() && disk_->synced) disk_->synced->Deleted(name);
      return status;
    });
  }
  IOStatus Truncate(const std::string& name, std::size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kTruncateFile, name,
                    [&] { return target()->Truncate(name, size, options, debug); });
  }
  IOStatus RenameFile(const std::string& name, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kRenameFile, name, [&] {
      IOStatus status = target()->RenameFile(name, to, options, debug);
      if (status.ok() && disk_->synced) disk_->synced->Renamed(name, to);
      return status;
    });
  }
  IOStatus LinkFile(const std::string& name, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kLinkFile, name, [&] {
      IOStatus status = target()->LinkFile(name, to, options, debug);
      if (status.ok() && disk_->synced) disk_->synced->Linked(name, to);
      return status;
    });
  }
  IOStatus LockFile(const std::string& name, const IOOptions& options, rocksdb::FileLock** lock,
                    IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kLockFile, name,
                    [&] { return target()->LockFile(name, options, lock, debug); });
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions& options,
                      IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kUnlockFile, "LOCK",
                    [&] { return target()->UnlockFile(lock, options, debug); });
  }

 private:
  template <typename File, typename Call>
  IOStatus Open(DiskOperation operation, const std::string& name, std::unique_ptr<File>* result,
                const Call& open) {
    std::unique_ptr<File> opened;
    IOStatus status = MakeCall(*disk_, operation, name, [&] { return open(&opened); });
    if (status.ok()) *result = WithFaults(std::move(opened), name, disk_);
    return status;
  }

  const std::shared_ptr<FaultDisk> disk_;
  const std::shared_ptr<HeldFiles> held_;
};

FaultFileSystem::FaultFileSystem()
    : disk_(std::make_shared<FaultDisk>()),
      held_(std::make_shared<HeldFiles>()),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(disk_, held_))) {}

FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::Arm(const Fault& fault) { disk_->faults.Arm(fault); }
void FaultFileSystem::WhenStruck(std::function<void()> struck) {
  disk_->faults.WhenStruck(std::move(struck));
}
std::uint64_t FaultFileSystem::call_count() const { return disk_->faults.call_count(); }
std::uint64_t FaultFileSystem::failed_count() const { return disk_->faults.failed_count(); }
FaultSwitch::Sites FaultFileSystem::sites() const { return disk_->faults.sites(); }

void FaultFileSystem::KeepSynced(const std::string& folder, const std::string& shadow) {
  disk_->synced = std::make_unique<SyncedDisk>(folder, shadow);
}

void FaultFileSystem::HoldNewFiles(std::string suffix) { held_->Hold(std::move(suffix)); }
void FaultFileSystem::ReleaseNewFiles() { held_->Release(); }

rocksdb::Env* FaultFileSystem::env() const { return env_.get(); }

}  // namespace custody
