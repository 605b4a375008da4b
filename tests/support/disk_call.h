// The calls that RocksDB makes of a file system, the files that it makes them on, and what may
// become of one.

#ifndef CUSTODY_TESTS_SUPPORT_DISK_CALL_H_
#define CUSTODY_TESTS_SUPPORT_DISK_CALL_H_

#include <string>
#include <string_view>

namespace custody {

enum class DiskOperation {
  kNewSequentialFile,
  kNewRandomAccessFile,
  kNewWritableFile,
  kReopenWritableFile,
  kReuseWritableFile,
  kNewDirectory,
  kFileExists,
  kGetChildren,
  kGetFileSize,
  kGetFileModificationTime,
  kIsDirectory,
  kAreFilesSame,
  kNumFileLinks,
  kGetFreeSpace,
  kGetAbsolutePath,
  kCreateDir,
  kDeleteDir,
  kDeleteFile,
  kTruncateFile,
  kRenameFile,
  kLinkFile,
  kLockFile,
  kUnlockFile,
  kRead,
  kMultiRead,
  kAppend,
  kPositionedAppend,
  kFlush,
  kSync,
  kFsync,
  kRangeSync,
  kTruncate,
  kAllocate,
  kClose,
  kSyncDirectory,
  kCloseDirectory,
};
// "Append", "SyncDirectory".
std::string_view NameOf(DiskOperation operation);
// Does it change the disk or promise something about it?
bool Changes(DiskOperation operation);
// Does it write bytes of the caller?
bool Writes(DiskOperation operation);
bool Syncs(DiskOperation operation);

enum class FileKind {
  kLog,       // 000012.log: the write-ahead log.
  kTable,     // 000013.sst
  kManifest,  // MANIFEST-000011
  kCurrent,   // CURRENT, or the temporary file that becomes it.
  kOptions,   // OPTIONS-000010, or the temporary file that becomes it.
  kLock,
  kOther,  // IDENTITY, folders.
};
FileKind KindOf(std::string_view path);
// "log", "table".
std::string_view NameOf(FileKind kind);

enum class DiskError {
  kIo,        // EIO, and nothing was done.
  kNoSpace,   // ENOSPC, and nothing was done.
  kTorn,      // Half of the bytes go down, then EIO.
  kShort,     // All bytes but one go down, then ENOSPC.
  kIoAfter,   // All of it is done, and EIO is answered.
  kSyncLost,  // EIO of a sync; what it should have synced is gone, and the next sync succeeds.
  // Bugs to plant:
  kSilent,  // Nothing is done, and success is answered.
};
// "EIO", "torn write".
std::string_view NameOf(DiskError error);
// Can this call fail so?
bool Applies(DiskError error, DiskOperation operation);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DISK_CALL_H_
