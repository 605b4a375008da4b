// The log at one checkpoint: everything that one answer reads belongs to one tree size.
//
// Threads: immutable; any number of threads may read it. It keeps a view of the store open, so hold
//          it for one answer, not for ever.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_SNAPSHOT_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "crypto/checkpoint.h"
#include "crypto/index_tree.h"
#include "crypto/tiles.h"
#include "daemon/ledger/known_damage.h"
#include "storage/store.h"

namespace custody {

struct LedgerSnapshot {
  std::unique_ptr<const ReadView> view;
  Checkpoint checkpoint;
  // The signed note of `checkpoint`.
  std::string note;
  std::shared_ptr<const TileEdge> edge;
  IndexSnapshot index;
  // What is known to be damaged by now, not as of the checkpoint; never null.
  std::shared_ptr<KnownDamage> damage;
  // recorded_at of the last entry.
  std::int64_t recorded_at_ms = 0;

  std::uint64_t size() const { return checkpoint.size; }
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_SNAPSHOT_H_
