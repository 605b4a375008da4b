// Which entries of a store are damaged, and which of them another copy of the log can give back.
//
// Nothing from the other copy is believed because it is there: an entry is taken only if it hashes
// to its place in the tree, and the tree with it has the root of the head and of every signed
// checkpoint that is at hand.
//
// Threads: one thread.
// Limits:  memory grows with the damage, not with the log.

#ifndef CUSTODY_DAEMON_LEDGER_REPAIR_PLAN_H_
#define CUSTODY_DAEMON_LEDGER_REPAIR_PLAN_H_

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "daemon/ledger/damage.h"
#include "daemon/ledger/rebuild.h"
#include "storage/store.h"

namespace custody {

struct RepairPlan {
  std::uint64_t entries = 0;
  // To be taken from the other copy, with the leaf hash that each must have.
  std::map<std::uint64_t, Digest> restore;
  // Damaged, and the other copy does not give it back: why.
  std::vector<Damage> lost;
  // Tiles of level 0 that are missing or contradict the entries.
  std::set<std::uint64_t> tiles;
};

// `signed_checkpoints`: of this log, their signatures verified by the caller; those beyond the head
// are left aside. `other` may be null.
//
// Errors: kDataLoss if no choice of entries has the root of the head and of the checkpoints, also
// when a leaf is known to nobody; kCancelled; those of the view other than kDataLoss.
absl::StatusOr<RepairPlan> PlanRepair(const ReadView& view, const Checkpoint& head,
                                      std::span<const Checkpoint> signed_checkpoints,
                                      const EntryReader& other, const RebuildProgress& progress);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_REPAIR_PLAN_H_
