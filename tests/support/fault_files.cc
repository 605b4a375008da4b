#include "tests/support/fault_files.h"

#include <utility>

namespace custody {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name,
               std::shared_ptr<FaultDisk> disk)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        disk_(std::move(disk)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Write(DiskOperation::kAppend, data,
                 [&](const Slice& part) { return target()->Append(part, options, debug); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*info*/, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            IODebugContext* debug) override {
    return Write(DiskOperation::kPositionedAppend, data, [&](const Slice& part) {
      return target()->PositionedAppend(part, offset, options, debug);
    });
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo& /*info*/,
                            IODebugContext* debug) override {
    return PositionedAppend(data, offset, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    return Make(DiskOperation::kTruncate, [&] { return target()->Truncate(size, options, debug); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return Make(DiskOperation::kClose, [&] { return target()->Close(options, debug); });
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return Make(DiskOperation::kFlush, [&] { return target()->Flush(options, debug); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(DiskOperation::kSync, [&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(DiskOperation::kFsync, [&] { return target()->Fsync(options, debug); });
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                     IODebugContext* debug) override {
    return Make(DiskOperation::kRangeSync,
                [&] { return target()->RangeSync(offset, bytes, options, debug); });
  }
  IOStatus Allocate(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                    IODebugContext* debug) override {
    return Make(DiskOperation::kAllocate,
                [&] { return target()->Allocate(offset, bytes, options, debug); });
  }

  // Past the wrapper on purpose: the base's own calls Allocate() of this object, not of the target.
  // NOLINTBEGIN(bugprone-parent-virtual-call)
  void PrepareWrite(std::size_t offset, std::size_t bytes, const IOOptions& options,
                    IODebugContext* debug) override {
    FSWritableFile::PrepareWrite(offset, bytes, options, debug);
  }
  void SetPreallocationBlockSize(std::size_t bytes) override {
    FSWritableFile::SetPreallocationBlockSize(bytes);
  }
  void GetPreallocationStatus(std::size_t* block_bytes, std::size_t* last_block) override {
    FSWritableFile::GetPreallocationStatus(block_bytes, last_block);
  }
  // NOLINTEND(bugprone-parent-virtual-call)

 private:
  template <typename Call>
  IOStatus Make(DiskOperation operation, const Call& call) {
    return MakeCall(*disk_, operation, name_, call);
  }

  template <typename Call>
  IOStatus Write(DiskOperation operation, const Slice& data, const Call& write) {
    const std::optional<DiskError> error = disk_->faults.Next(operation, name_);
    if (!error) return write(data);
    std::size_t bytes = 0;
    if (*error == DiskError::kTorn) bytes = data.size() / 2;
    if (*error == DiskError::kShort && !data.empty()) bytes = data.size() - 1;
    if (*error == DiskError::kIoAfter) bytes = data.size();
    if (bytes > 0) write(Slice(data.data(), bytes)).PermitUncheckedError();
    return StatusOf(*error);
  }

  template <typename Call>
  IOStatus Sync(DiskOperation operation, const Call& sync) {
    const std::optional<DiskError> error = disk_->faults.Next(operation, name_);
    if (error == DiskError::kSyncLost && disk_->synced) disk_->synced->LoseUnsynced(name_);
    if (error && *error != DiskError::kIoAfter) return StatusOf(*error);
    const IOStatus status = sync();
    if (status.ok() && disk_->synced) disk_->synced->Synced(name_);
    return error ? StatusOf(*error) : status;
  }

  const std::string name_;
  const std::shared_ptr<FaultDisk> disk_;
};

class SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::unique_ptr<rocksdb::FSSequentialFile> file, std::string name,
                 std::shared_ptr<FaultDisk> disk)
      : FSSequentialFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        disk_(std::move(disk)) {}

  IOStatus Read(std::size_t bytes, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kRead, name_,
                    [&] { return target()->Read(bytes, options, result, scratch, debug); });
  }
  IOStatus PositionedRead(std::uint64_t offset, std::size_t bytes, const IOOptions& options,
                          Slice* result, char* scratch, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kRead, name_, [&] {
      return target()->PositionedRead(offset, bytes, options, result, scratch, debug);
    });
  }

 private:
  const std::string name_;
  const std::shared_ptr<FaultDisk> disk_;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name,
                   std::shared_ptr<FaultDisk> disk)
      : FSRandomAccessFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        disk_(std::move(disk)) {}

  IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* debug) const override {
    return MakeCall(*disk_, DiskOperation::kRead, name_,
                    [&] { return target()->Read(offset, bytes, options, result, scratch, debug); });
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    const IOStatus status = MakeCall(*disk_, DiskOperation::kMultiRead, name_, [&] {
      return target()->MultiRead(requests, count, options, debug);
    });
    for (std::size_t i = 0; !status.ok() && i < count; ++i) requests[i].status = status;
    return status;
  }

 private:
  const std::string name_;
  const std::shared_ptr<FaultDisk> disk_;
};

class Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<rocksdb::FSDirectory> folder, std::string name,
            std::shared_ptr<FaultDisk> disk)
      : FSDirectoryWrapper(std::move(folder)), name_(std::move(name)), disk_(std::move(disk)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kSyncDirectory, name_, [&] {
      const IOStatus status = FSDirectoryWrapper::Fsync(options, debug);
      if (status.ok() && disk_->synced) disk_->synced->FolderSynced(name_);
      return status;
    });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& /*directory*/) override {
    return Fsync(options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return MakeCall(*disk_, DiskOperation::kCloseDirectory, name_,
                    [&] { return FSDirectoryWrapper::Close(options, debug); });
  }

 private:
  const std::string name_;
  const std::shared_ptr<FaultDisk> disk_;
};

}  // namespace

IOStatus StatusOf(DiskError error) {
  switch (error) {
    case DiskError::kSilent:
      return IOStatus::OK();
    case DiskError::kNoSpace:
    case DiskError::kShort:
      return IOStatus::NoSpace("injected");
    default:
      return IOStatus::IOError("injected");
  }
}

std::unique_ptr<rocksdb::FSWritableFile> WithFaults(std::unique_ptr<rocksdb::FSWritableFile> file,
                                                    std::string name,
                                                    std::shared_ptr<FaultDisk> disk) {
  return std::make_unique<WritableFile>(std::move(file), std::move(name), std::move(disk));
}
std::unique_ptr<rocksdb::FSSequentialFile> WithFaults(
    std::unique_ptr<rocksdb::FSSequentialFile> file, std::string name,
    std::shared_ptr<FaultDisk> disk) {
  return std::make_unique<SequentialFile>(std::move(file), std::move(name), std::move(disk));
}
std::unique_ptr<rocksdb::FSRandomAccessFile> WithFaults(
    std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name,
    std::shared_ptr<FaultDisk> disk) {
  return std::make_unique<RandomAccessFile>(std::move(file), std::move(name), std::move(disk));
}
std::unique_ptr<rocksdb::FSDirectory> WithFaults(std::unique_ptr<rocksdb::FSDirectory> folder,
                                                 std::string name,
                                                 std::shared_ptr<FaultDisk> disk) {
  return std::make_unique<Directory>(std::move(folder), std::move(name), std::move(disk));
}

}  // namespace custody
