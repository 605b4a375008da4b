#include "tests/support/fault_file_system.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <optional>
#include <utility>

#include "base/mutex.h"

namespace custody {

struct FaultFileSystem::State {
  // Counts a call and says whether it fails.
  rocksdb::IOStatus Next(Operation operation, const std::string& file) {
    const MutexLock lock(mutex);
    const bool counts = armed && operation == fault.operation && file.ends_with(fault.file_suffix);
    if (!counts) {
      return rocksdb::IOStatus::OK();
    }
    ++calls;
    const bool fails = fault.every_later_call ? calls >= fault.call : calls == fault.call;
    if (!fails) {
      return rocksdb::IOStatus::OK();
    }
    ++failed;
    return fault.error == Error::kNoSpace ? rocksdb::IOStatus::NoSpace("injected")
                                          : rocksdb::IOStatus::IOError("injected");
  }

  void WaitUntilReleased(const std::string& file) {
    const MutexLock lock(mutex);
    while (held_suffix && file.ends_with(*held_suffix)) released.Wait(mutex);
  }

  mutable Mutex mutex;
  CondVar released;
  std::optional<std::string> held_suffix ABSL_GUARDED_BY(mutex);
  bool armed ABSL_GUARDED_BY(mutex) = false;
  Fault fault ABSL_GUARDED_BY(mutex);
  std::uint64_t calls ABSL_GUARDED_BY(mutex) = 0;
  std::uint64_t failed ABSL_GUARDED_BY(mutex) = 0;
};

class FaultFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name,
       std::shared_ptr<State> state)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        state_(std::move(state)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = state_->Next(Operation::kAppend, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : status;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = state_->Next(Operation::kAppend, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, info, debug) : status;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = state_->Next(Operation::kSync, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = state_->Next(Operation::kSync, name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }

 private:
  std::string name_;
  std::shared_ptr<State> state_;
};

class FaultFileSystem::FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<State> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  const char* Name() const override { return "FaultFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    state_->WaitUntilReleased(name);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus status = target()->NewWritableFile(name, options, &file, debug);
    if (status.ok()) {
      *result = std::make_unique<File>(std::move(file), name, state_);
    }
    return status;
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

void FaultFileSystem::HoldNewFiles(std::string suffix) {
  const MutexLock lock(state_->mutex);
  state_->held_suffix = std::move(suffix);
}

void FaultFileSystem::ReleaseNewFiles() {
  const MutexLock lock(state_->mutex);
  state_->held_suffix.reset();
  state_->released.NotifyAll();
}

rocksdb::Env* FaultFileSystem::env() const { return env_.get(); }

}  // namespace custody
