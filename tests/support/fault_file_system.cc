#include "tests/support/fault_file_system.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <array>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace custody {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::array<std::string_view, FaultFileSystem::kOperations> kNames = {
    "append", "sync", "range sync",   "flush",       "truncate",    "allocate",
    "close",  "read", "open (write)", "open (read)", "open folder", "sync folder",
    "rename", "link", "delete",       "make folder", "list",        "exists",
    "size",   "lock", "free space",   "open logger"};

}  // namespace

std::string_view FaultFileSystem::NameOf(Operation operation) {
  return kNames[static_cast<std::size_t>(operation)];
}

std::string_view FaultFileSystem::KindOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".log")) return "log";
  if (name.ends_with(".sst")) return "table";
  if (name.starts_with("MANIFEST-")) return "manifest";
  if (name == "CURRENT" || name.ends_with(".dbtmp")) return "current";
  if (name.starts_with("OPTIONS-")) return "options";
  if (name.starts_with("IDENTITY")) return "identity";
  if (name.starts_with("LOG")) return name == "LOCK" ? "lock" : "messages";
  if (name == "LOCK") return "lock";
  return name.find('.') == std::string_view::npos ? "folder" : "other";
}

struct FaultFileSystem::State {
  // Counts a call and says whether it fails.
  IOStatus Next(Operation operation, std::string_view path, Error* error = nullptr) {
    const std::string_view kind = KindOf(path);
    const MutexLock lock(mutex);
    if (watcher) watcher(operation, kind);
    const bool counts = armed && operation == fault.operation &&
                        (fault.file_kind.empty() || kind == fault.file_kind);
    if (!counts) return IOStatus::OK();
    ++calls;
    const bool fails = fault.every_later_call ? calls >= fault.call : calls == fault.call;
    if (!fails) return IOStatus::OK();
    ++failed;
    if (error != nullptr) *error = fault.error;
    return fault.error == Error::kNoSpace ? IOStatus::NoSpace("injected")
                                          : IOStatus::IOError("injected");
  }

  void WaitUntilReleased(std::string_view path) {
    const MutexLock lock(mutex);
    while (held_kind && KindOf(path) == *held_kind) released.Wait(mutex);
  }

  mutable Mutex mutex;
  CondVar released;
  std::optional<std::string> held_kind ABSL_GUARDED_BY(mutex);
  bool armed ABSL_GUARDED_BY(mutex) = false;
  bool in_memory ABSL_GUARDED_BY(mutex) = false;
  bool lies ABSL_GUARDED_BY(mutex) = false;
  Fault fault ABSL_GUARDED_BY(mutex);
  Watcher watcher ABSL_GUARDED_BY(mutex);
  std::uint64_t calls ABSL_GUARDED_BY(mutex) = 0;
  std::uint64_t failed ABSL_GUARDED_BY(mutex) = 0;
};

class FaultFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name,
       std::shared_ptr<State> state)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        state_(std::move(state)) {
    const MutexLock lock(state_->mutex);
    in_memory_ = state_->in_memory;
    lies_ = state_->lies && KindOf(name_) == "log";
  }

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    Error error = Error::kIo;
    IOStatus status = state_->Next(Operation::kAppend, name_, &error);
    if (!status.ok() && error == Error::kTorn) {
      Put(Slice(data.data(), data.size() / 2), options, debug).PermitUncheckedError();
    }
    return status.ok() ? Put(data, options, debug) : status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    Error error = Error::kIo;
    IOStatus status = state_->Next(Operation::kSync, name_, &error);
    if (!status.ok()) {
      if (error == Error::kLost) unsynced_.clear();
      return status;
    }
    if (lies_) return IOStatus::OK();
    status = PutUnsynced(options, debug);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                     IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kRangeSync, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::RangeSync(offset, bytes, options, debug)
                       : status;
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kFlush, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Flush(options, debug) : status;
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kTruncate, name_);
    if (status.ok()) status = PutUnsynced(options, debug);
    return status.ok() ? FSWritableFileOwnerWrapper::Truncate(size, options, debug) : status;
  }
  IOStatus Allocate(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                    IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kAllocate, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Allocate(offset, bytes, options, debug)
                       : status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kClose, name_);
    if (status.ok()) status = PutUnsynced(options, debug);
    return status.ok() ? FSWritableFileOwnerWrapper::Close(options, debug) : status;
  }

 private:
  IOStatus Put(const Slice& data, const IOOptions& options, IODebugContext* debug) {
    if (!in_memory_) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    unsynced_.append(data.data(), data.size());
    return IOStatus::OK();
  }
  IOStatus PutUnsynced(const IOOptions& options, IODebugContext* debug) {
    const std::string bytes = std::exchange(unsynced_, std::string());
    if (bytes.empty()) return IOStatus::OK();
    return FSWritableFileOwnerWrapper::Append(bytes, options, debug);
  }

  std::string name_;
  std::shared_ptr<State> state_;
  bool in_memory_ = false;
  bool lies_ = false;
  std::string unsynced_;
};

class FaultFileSystem::SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::unique_ptr<rocksdb::FSSequentialFile> file, std::string name,
                 std::shared_ptr<State> state)
      : FSSequentialFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        state_(std::move(state)) {}

  IOStatus Read(std::size_t bytes, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kRead, name_);
    return status.ok() ? FSSequentialFileOwnerWrapper::Read(bytes, options, result, scratch, debug)
                       : status;
  }

 private:
  std::string name_;
  std::shared_ptr<State> state_;
};

class FaultFileSystem::RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name,
                   std::shared_ptr<State> state)
      : FSRandomAccessFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        state_(std::move(state)) {}

  IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* debug) const override {
    IOStatus status = state_->Next(Operation::kRead, name_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::Read(offset, bytes, options, result,
                                                              scratch, debug)
                       : status;
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kRead, name_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, debug)
                       : status;
  }

 private:
  std::string name_;
  std::shared_ptr<State> state_;
};

class FaultFileSystem::Folder final : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(std::unique_ptr<rocksdb::FSDirectory>&& folder, std::shared_ptr<State> state)
      : FSDirectoryWrapper(std::move(folder)), state_(std::move(state)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kSyncFolder, "folder");
    return status.ok() ? FSDirectoryWrapper::Fsync(options, debug) : status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& why) override {
    IOStatus status = state_->Next(Operation::kSyncFolder, "folder");
    return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, why) : status;
  }

 private:
  std::shared_ptr<State> state_;
};

class FaultFileSystem::FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<State> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  const char* Name() const override { return "FaultFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    state_->WaitUntilReleased(name);
    IOStatus status = state_->Next(Operation::kOpenToWrite, name);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    if (status.ok()) status = target()->NewWritableFile(name, options, &file, debug);
    if (status.ok()) *result = std::make_unique<File>(std::move(file), name, state_);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kOpenToWrite, name);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    if (status.ok()) status = target()->ReopenWritableFile(name, options, &file, debug);
    if (status.ok()) *result = std::make_unique<File>(std::move(file), name, state_);
    return status;
  }
  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kOpenToRead, name);
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    if (status.ok()) status = target()->NewSequentialFile(name, options, &file, debug);
    if (status.ok()) *result = std::make_unique<SequentialFile>(std::move(file), name, state_);
    return status;
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kOpenToRead, name);
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    if (status.ok()) status = target()->NewRandomAccessFile(name, options, &file, debug);
    if (status.ok()) *result = std::make_unique<RandomAccessFile>(std::move(file), name, state_);
    return status;
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kOpenFolder, "folder");
    std::unique_ptr<rocksdb::FSDirectory> folder;
    if (status.ok()) status = target()->NewDirectory(name, options, &folder, debug);
    if (status.ok()) *result = std::make_unique<Folder>(std::move(folder), state_);
    return status;
  }
  IOStatus FileExists(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kExists, name);
    return status.ok() ? target()->FileExists(name, options, debug) : status;
  }
  IOStatus GetChildren(const std::string& folder, const IOOptions& options,
                       std::vector<std::string>* result, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kList, "folder");
    return status.ok() ? target()->GetChildren(folder, options, result, debug) : status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kDelete, name);
    return status.ok() ? target()->DeleteFile(name, options, debug) : status;
  }
  IOStatus Truncate(const std::string& name, std::size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kTruncate, name);
    return status.ok() ? target()->Truncate(name, size, options, debug) : status;
  }
  IOStatus CreateDir(const std::string& folder, const IOOptions& options,
                     IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kMakeFolder, "folder");
    return status.ok() ? target()->CreateDir(folder, options, debug) : status;
  }
  IOStatus CreateDirIfMissing(const std::string& folder, const IOOptions& options,
                              IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kMakeFolder, "folder");
    return status.ok() ? target()->CreateDirIfMissing(folder, options, debug) : status;
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions& options, std::uint64_t* size,
                       IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kSize, name);
    return status.ok() ? target()->GetFileSize(name, options, size, debug) : status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kRename, to);
    return status.ok() ? target()->RenameFile(from, to, options, debug) : status;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kLink, to);
    return status.ok() ? target()->LinkFile(from, to, options, debug) : status;
  }
  IOStatus LockFile(const std::string& name, const IOOptions& options, rocksdb::FileLock** result,
                    IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kLock, name);
    return status.ok() ? target()->LockFile(name, options, result, debug) : status;
  }
  IOStatus NewLogger(const std::string& name, const IOOptions& options,
                     std::shared_ptr<rocksdb::Logger>* result, IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kOpenLogger, name);
    return status.ok() ? target()->NewLogger(name, options, result, debug) : status;
  }
  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* free,
                        IODebugContext* debug) override {
    IOStatus status = state_->Next(Operation::kFreeSpace, "folder");
    return status.ok() ? target()->GetFreeSpace(path, options, free, debug) : status;
  }

 private:
  std::shared_ptr<State> state_;
};

FaultFileSystem::FaultFileSystem()
    : state_(std::make_shared<State>()),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(state_))) {}

FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::Arm(const Fault& fault) {
  const MutexLock lock(state_->mutex);
  state_->armed = true;
  state_->fault = fault;
  state_->calls = 0;
  state_->failed = 0;
}

std::uint64_t FaultFileSystem::call_count() const {
  const MutexLock lock(state_->mutex);
  return state_->calls;
}

std::uint64_t FaultFileSystem::failed_count() const {
  const MutexLock lock(state_->mutex);
  return state_->failed;
}

void FaultFileSystem::Watch(Watcher watcher) {
  const MutexLock lock(state_->mutex);
  state_->watcher = std::move(watcher);
}

void FaultFileSystem::KeepUnsyncedInMemory() {
  const MutexLock lock(state_->mutex);
  state_->in_memory = true;
}

void FaultFileSystem::IgnoreSyncs() {
  const MutexLock lock(state_->mutex);
  state_->lies = true;
}

void FaultFileSystem::HoldNewFiles(std::string file_kind) {
  const MutexLock lock(state_->mutex);
  state_->held_kind = std::move(file_kind);
}

void FaultFileSystem::ReleaseNewFiles() {
  const MutexLock lock(state_->mutex);
  state_->held_kind.reset();
  state_->released.NotifyAll();
}

rocksdb::Env* FaultFileSystem::env() const { return env_.get(); }

}  // namespace custody
