// The log at an earlier checkpoint: what a LedgerReader reads, and what proofs, bundles and
// verdicts are then made as of.
//
// Every checkpoint of the last hour has one, and the newest that a quorum of witnesses has cosigned
// (index_history.h). Tree and index are compared with the note and the seal, so what comes of a
// damaged store is an error and never a proof of something else.
//
// Threads: any.

#ifndef CUSTODY_DAEMON_LEDGER_PAST_SNAPSHOT_H_
#define CUSTODY_DAEMON_LEDGER_PAST_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/ledger/ledger_snapshot.h"

namespace custody {

class PastSnapshots {
 public:
  // The log of `newest` when it had `size` entries; `newest` itself if that is its size.
  // Errors: kNotFound if no checkpoint has that size, or its index is not kept any more;
  //         kDataLoss if the store contradicts the checkpoint; those of the view.
  absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> At(
      const std::shared_ptr<const LedgerSnapshot>& newest, std::uint64_t size);

 private:
  // The right edge and the index of those that were asked for last; no views, which would keep the
  // store from giving space back. An index is some 13 MB if all of it has changed since.
  static constexpr std::size_t kKeptMax = 4;

  Mutex mutex_;
  std::deque<std::shared_ptr<const LedgerSnapshot>> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_PAST_SNAPSHOT_H_
