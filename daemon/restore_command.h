// custodyd restore: makes the store of a ledger from a backup, and says whether it may go on.

#ifndef CUSTODY_DAEMON_RESTORE_COMMAND_H_
#define CUSTODY_DAEMON_RESTORE_COMMAND_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/ledger/rebuild.h"

namespace custody {

struct RestoreArguments {
  // A folder that custodyd backup, or a running daemon, has made.
  std::string from;
  // Where the entries beyond the backup are taken from: an exported log, a newer backup, another
  // data directory; empty: there are none.
  std::string mirror;
  // The anchor is gone with its disk. Without witnesses nobody but clients can tell then whether
  // entries are missing: whoever sets it answers for that.
  bool anchor_is_lost = false;
};

struct RestoreResult {
  std::uint64_t backup_size = 0;
  std::uint64_t tree_size = 0;
  // Of the log as restored.
  std::string note;
};

// There must be no store yet; the keys must be. The backup is opened beside, its edge, seal and
// index compared with its head and that with its signed checkpoint; then, if a mirror is named, the
// entries beyond it are appended, if the log with them has the root of the mirror's signed
// checkpoint.
//
// What is whole becomes the store only if it continues what the anchor and every witness that
// answers have seen. The anchor is written anew then.
//
// Errors: kAlreadyExists if there is a store; kNotFound (backup, mirror, keys); kDataLoss if backup
// or
//         mirror are not what was signed; kUnavailable E_ROLLBACK if somebody has seen more, or
//         another log, with the ways on in its message; kFailedPrecondition if nobody can tell;
//         kUnavailable (the disk). Nothing is left behind then.
absl::StatusOr<RestoreResult> RestoreStore(const Config& config, const RestoreArguments& arguments,
                                           const RebuildProgress& progress);

}  // namespace custody

#endif  // CUSTODY_DAEMON_RESTORE_COMMAND_H_
