// Makes planned batches durable, one synced write each, signs the checkpoint, shows the new
// snapshot and only then answers the callers.
//
// The first failed write is final: that batch and every later one is answered with E_STORE and
// nothing is written any more.
//
// Threads: Commit() from one thread; the rest from any.
// Owns:    nothing; everything given must outlive it.

#ifndef CUSTODY_DAEMON_LEDGER_COMMITTER_H_
#define CUSTODY_DAEMON_LEDGER_COMMITTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "crypto/note.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/ledger_metrics.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/planned_batch.h"
#include "daemon/ledger/receipt_maker.h"
#include "storage/store.h"

namespace custody {

class Committer {
 public:
  // Called after each batch that made the log longer or changed what readers see.
  using Publish = std::function<void(const std::shared_ptr<const LedgerSnapshot>& snapshot)>;

  // `signers` each sign every checkpoint; there is at least one. `index_history_ms` as in
  // LedgerOptions.
  Committer(Store& store, std::vector<NoteSigner> signers, LedgerMetrics& metrics,
            std::int64_t index_history_ms, std::shared_ptr<const LedgerSnapshot> first,
            Publish publish)
      : store_(store),
        signers_(std::move(signers)),
        metrics_(metrics),
        publish_(std::move(publish)),
        index_history_(index_history_ms),
        snapshot_(std::move(first)) {}

  void Commit(PlannedBatch batch);

  // The newest checkpoint that a quorum has cosigned, for the next batch to write.
  void KeepWitnessed(std::string note);

  struct Progress {
    std::uint64_t number = 0;  // The last durable batch.
    std::shared_ptr<const LedgerSnapshot> snapshot;
  };
  Progress progress() const;
  // The first failure; OK while writing is possible.
  absl::Status failed() const;

 private:
  absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> Write(PlannedBatch* batch);
  void Answer(PlannedBatch* batch, const LedgerSnapshot& snapshot, std::uint64_t newest_begin);
  // Nobody waits for it; not synced, the next batch covers it.
  void KeepIndexHistory(const PlannedBatch& batch, const LedgerSnapshot& snapshot);
  void Fail(const absl::Status& status);
  std::string TakeWitnessed();

  Store& store_;
  const std::vector<NoteSigner> signers_;
  LedgerMetrics& metrics_;
  const Publish publish_;
  IndexHistoryKeeper index_history_;

  // Nodes that the proofs of earlier batches needed; the next ones share most of them.
  static constexpr std::size_t kKnownNodesMax = 50'000;
  KnownNodes known_nodes_;

  mutable Mutex mutex_;
  std::shared_ptr<const LedgerSnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t number_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);
  std::string witnessed_ ABSL_GUARDED_BY(mutex_);  // Not written yet; empty: nothing.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_COMMITTER_H_
