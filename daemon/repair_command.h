// custodyd repair: puts damaged entries back from another copy of the log, and derives everything
// else from them again.

#ifndef CUSTODY_DAEMON_REPAIR_COMMAND_H_
#define CUSTODY_DAEMON_REPAIR_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/ledger/damage.h"
#include "daemon/ledger/rebuild.h"

namespace custody {

struct RepairArguments {
  // An exported log, a backup or a data directory; empty: only what follows from entries is
  // repaired.
  std::string from;
  // Says what would be done, and changes nothing.
  bool dry_run = false;
};

struct RepairReport {
  std::uint64_t entries = 0;
  std::vector<std::uint64_t> restored;
  std::vector<Damage> lost;
  std::uint64_t tiles = 0;
  // Everything was derived again from the entries; only done when none is lost.
  bool rebuilt = false;
  // The old store was put aside under this name; empty: it stayed in place.
  std::string replaced;
};

// The daemon must not run. An entry is taken only if it hashes to the tree, and the tree has the
// root of the head, of the anchor, of the newest note in the store and of the one that lies beside
// the other copy, whose signatures are checked.
//
// With every entry there, a fresh store is made from them and takes the old one's place, unless the
// old one is just the same. With some lost, those that could be had are put into the store as it
// is; the daemon goes on holding back what rests on the others.
//
// Errors: kInvalidArgument (configuration); kNotFound without a store or a copy; kUnavailable if
// the daemon runs, or the disk fails; kDataLoss if the store cannot be opened, or no choice of
// entries has the signed roots: nothing is changed then.
absl::StatusOr<RepairReport> RepairStore(const Config& config, const RepairArguments& arguments,
                                         const RebuildProgress& progress);

// One JSON object: entries, restored, lost (where, what), tiles, rebuilt, replaced.
std::string RepairReportJson(const RepairReport& report);

}  // namespace custody

#endif  // CUSTODY_DAEMON_REPAIR_COMMAND_H_
