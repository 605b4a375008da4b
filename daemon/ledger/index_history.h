// The subject index as it was at earlier checkpoints.
//
// Leaves need no versions: a chain says which entry was its newest at any size (past_view.h). What
// must be kept are the roots of the buckets. Two tables, both keyed by the size of a checkpoint:
//
//   'h'  what the batch behind it changed: ended_at_ms u64 (the time of that batch's seal, when the
//        checkpoint ceased to be the newest); for each changed bucket, ascending, as it was before:
//        bucket u16, leaf_count u64, root 32. One row a batch.
//   'b'  all buckets at it (EncodeIndexBuckets()), written when the rows since the last one have
//        grown to some times its size: so any checkpoint costs a bounded number of rows, however
//        fast the log grows since.
//
// The index at a checkpoint is the nearest later 'b', or the newest index, with the rows of 'h'
// between taken back. It is never believed: whoever asks compares its root with the seal.
//
// Kept are the checkpoints of the last hour and, as one row of 'b', the newest that a quorum of
// witnesses has cosigned. Rows are no part of the log and a rebuild need not give the same ones:
// which of them are still there depends on when somebody cleared away.
//
// Threads: functions are pure; a keeper belongs to one thread.

#ifndef CUSTODY_DAEMON_LEDGER_INDEX_HISTORY_H_
#define CUSTODY_DAEMON_LEDGER_INDEX_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/index_tree.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "storage/store.h"

namespace custody {

// A value of 'h': `changed` are the buckets of an update, `before` the index without it.
std::string EncodeIndexChange(std::int64_t ended_at_ms, const IndexSnapshot& before,
                              std::span<const IndexBucketRecord> changed);

// The index at the checkpoint of `size`; `newest` is that at `newest_size`, whose rows `view` has.
// Errors: kNotFound if no batch ended at `size` or its row was cleared away; kDataLoss if a row is
// malformed; those of the view.
absl::StatusOr<IndexSnapshot> IndexAt(const ReadView& view, std::uint64_t newest_size,
                                      const IndexSnapshot& newest, std::uint64_t size);

// The size of the newest checkpoint that a quorum has cosigned, as the store has it; nullopt if
// there is none. Errors: the view's.
absl::StatusOr<std::optional<std::uint64_t>> WitnessedSize(const ReadView& view);

// Clears away what is too old, and writes rows of 'b'.
class IndexHistoryKeeper {
 public:
  // Of an index with fewer buckets all are written as rarely as if it had `whole_buckets_min`.
  static constexpr std::uint64_t kWholeBucketsMin = 4'096;
  explicit IndexHistoryKeeper(std::int64_t history_ms,
                              std::uint64_t whole_buckets_min = kWholeBucketsMin)
      : history_ms_(history_ms), whole_buckets_min_(whole_buckets_min) {}

  // What to write after a sealed batch that changed so many buckets; nothing after most.
  // Errors: those of the view; kDataLoss if the rows contradict themselves.
  absl::StatusOr<WriteBatch> AfterBatch(const LedgerSnapshot& snapshot, std::size_t index_buckets);

 private:
  absl::Status ClearAway(const LedgerSnapshot& snapshot, WriteBatch* writes);

  const std::int64_t history_ms_;
  const std::uint64_t whole_buckets_min_;
  std::size_t changed_since_whole_ = 0;
  std::uint64_t cleared_to_ = 0;  // No row is below it.
  std::int64_t cleared_at_ms_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_INDEX_HISTORY_H_
