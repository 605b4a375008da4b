#include "tests/support/disk_call.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace custody {
namespace {

constexpr std::array<std::string_view, 36> kOperations = {"NewSequentialFile",
                                                          "NewRandomAccessFile",
                                                          "NewWritableFile",
                                                          "ReopenWritableFile",
                                                          "ReuseWritableFile",
                                                          "NewDirectory",
                                                          "FileExists",
                                                          "GetChildren",
                                                          "GetFileSize",
                                                          "GetFileModificationTime",
                                                          "IsDirectory",
                                                          "AreFilesSame",
                                                          "NumFileLinks",
                                                          "GetFreeSpace",
                                                          "GetAbsolutePath",
                                                          "CreateDir",
                                                          "DeleteDir",
                                                          "DeleteFile",
                                                          "TruncateFile",
                                                          "RenameFile",
                                                          "LinkFile",
                                                          "LockFile",
                                                          "UnlockFile",
                                                          "Read",
                                                          "MultiRead",
                                                          "Append",
                                                          "PositionedAppend",
                                                          "Flush",
                                                          "Sync",
                                                          "Fsync",
                                                          "RangeSync",
                                                          "Truncate",
                                                          "Allocate",
                                                          "Close",
                                                          "SyncDirectory",
                                                          "CloseDirectory"};
constexpr std::array<std::string_view, 7> kKinds = {"log",     "table", "manifest", "current",
                                                    "options", "lock",  "other"};
constexpr std::array<std::string_view, 7> kErrors = {
    "EIO", "ENOSPC", "torn write", "short write", "EIO when done", "sync lost", "silence"};

constexpr std::array kReading = {DiskOperation::kNewSequentialFile,
                                 DiskOperation::kNewRandomAccessFile,
                                 DiskOperation::kFileExists,
                                 DiskOperation::kGetChildren,
                                 DiskOperation::kGetFileSize,
                                 DiskOperation::kGetFileModificationTime,
                                 DiskOperation::kIsDirectory,
                                 DiskOperation::kAreFilesSame,
                                 DiskOperation::kNumFileLinks,
                                 DiskOperation::kGetFreeSpace,
                                 DiskOperation::kGetAbsolutePath,
                                 DiskOperation::kNewDirectory,
                                 DiskOperation::kRead,
                                 DiskOperation::kMultiRead,
                                 DiskOperation::kLockFile,
                                 DiskOperation::kUnlockFile,
                                 DiskOperation::kCloseDirectory};

}  // namespace

std::string_view NameOf(DiskOperation operation) {
  return kOperations.at(static_cast<std::size_t>(operation));
}

bool Changes(DiskOperation operation) {
  return std::find(kReading.begin(), kReading.end(), operation) == kReading.end();
}

bool Writes(DiskOperation operation) {
  return operation == DiskOperation::kAppend || operation == DiskOperation::kPositionedAppend;
}

bool Syncs(DiskOperation operation) {
  return operation == DiskOperation::kSync || operation == DiskOperation::kFsync;
}

FileKind KindOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".log")) return FileKind::kLog;
  if (name.ends_with(".sst")) return FileKind::kTable;
  if (name.starts_with("MANIFEST-")) return FileKind::kManifest;
  if (name.starts_with("OPTIONS-")) return FileKind::kOptions;
  if (name == "CURRENT" || name.ends_with(".dbtmp")) return FileKind::kCurrent;
  if (name == "LOCK") return FileKind::kLock;
  return FileKind::kOther;
}

std::string_view NameOf(FileKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

std::string_view NameOf(DiskError error) { return kErrors.at(static_cast<std::size_t>(error)); }

bool Applies(DiskError error, DiskOperation operation) {
  switch (error) {
    case DiskError::kIo:
      return true;
    case DiskError::kNoSpace:
    case DiskError::kIoAfter:
      return Changes(operation);
    case DiskError::kTorn:
    case DiskError::kShort:
      return Writes(operation);
    case DiskError::kSyncLost:
      return Syncs(operation);
    case DiskError::kSilent:
      return Writes(operation) || Syncs(operation);
  }
  return false;
}

}  // namespace custody
