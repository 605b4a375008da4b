// Makes the next entries of the log: numbers and links them, folds states, grows the tree and the
// subject index, and collects all writes of a batch.
//
// The write path, the first entry of a new ledger and the rebuild all go through it, so there is
// one code that says what an entry is.
//
// Threads: one thread.

#ifndef CUSTODY_DAEMON_LEDGER_LOG_BUILDER_H_
#define CUSTODY_DAEMON_LEDGER_LOG_BUILDER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/index_tree.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/entry_lists.h"
#include "daemon/ledger/state_overlay.h"
#include "lifecycle/parsed_event.h"
#include "storage/store.h"

namespace custody {

// Only in the build that measures what the subject index costs (cmake/CustodyOptions.cmake): seals
// state an empty index. It opens no ledger that has one, and a ledger that it wrote is opened by
// nothing else.
#ifdef CUSTODY_BENCH_WITHOUT_INDEX
inline constexpr bool kWithoutIndex = true;
#else
inline constexpr bool kWithoutIndex = false;
#endif

struct AppendedEntry {
  std::uint64_t index = 0;
  Digest leaf_hash;
  std::string bytes;
};

// The log after a seal.
struct SealedLog {
  std::string seal_bytes;
  Checkpoint checkpoint;  // Origin is left empty.
  std::shared_ptr<const TileEdge> edge;
  IndexSnapshot index;
  std::uint64_t index_sequence = 0;  // For MarkDurable().
  std::size_t index_buckets = 0;     // That the batch changed.
};

class LogBuilder {
 public:
  // `overlay` must outlive it. The tree and the index are those of the log so far.
  LogBuilder(StateOverlay& overlay, TileTree tree, IndexTree index);

  // Appends an event that the rules have accepted.
  // Errors: kInvalidArgument E_TOO_LARGE, and nothing has changed; those of the store, after which
  // the builder must not be used any more.
  absl::StatusOr<AppendedEntry> AppendEvent(const ParsedEvent& event, std::int64_t recorded_at_ms,
                                            std::span<const v1::Finding> findings);

  // Ends the batch: states, index and the seal, then the head.
  // Errors: those of the store, after which the builder must not be used any more.
  absl::StatusOr<SealedLog> AppendSeal(std::int64_t sealed_at_ms, std::uint32_t rules_version);

  // Whether seals leave behind what the index was before them (index_history.h); at first not.
  void KeepIndexHistory(bool keep) { keeps_index_history_ = keep; }

  // The writes of the batch so far; leaves none behind.
  WriteBatch TakeWrites();
  WriteBatch& writes() { return writes_; }
  // About how much TakeWrites() would give.
  std::size_t write_bytes() const { return writes_.bytes() + kStateBytesAbout * unwritten_.size(); }

  // `sequence` is that of the last seal that the overlay's view holds.
  void MarkDurable(std::uint64_t sequence) { index_.MarkDurable(sequence); }

  std::uint64_t size() const { return tree_.size(); }
  // First entry after the last seal.
  std::uint64_t first_unsealed() const { return first_unsealed_; }
  // Subjects of the events since the last seal.
  std::size_t touches() const { return touches_; }

  // For the rebuild and the audit: appends an entry that exists, after comparing its index and
  // links with the log so far. `entry_bytes` are the one encoding of `entry` and hash to
  // `leaf_hash`. Errors: kDataLoss.
  absl::Status ReplayEvent(const ParsedEvent& event, const v1::Entry& entry,
                           std::string_view entry_bytes, const Digest& leaf_hash);
  // From now on only what a replay reads is written: tiles, seals, states and the index, no entry
  // and nothing that leads to one. States and rows of the index that many seals change are written
  // once, by WriteReplayed(), which has to come right behind a seal and before TakeWrites().
  // Errors: those of the store.
  void WriteOnlyWhatReplayReads() { replays_only_ = true; }
  absl::Status WriteReplayed();

 private:
  static constexpr std::size_t kStateBytesAbout = 512;

  absl::Status LinkEntry(const ParsedEvent& event, v1::Entry* entry) const;
  absl::Status Fold(const ParsedEvent& event, const v1::Entry& entry, std::string_view bytes,
                    const Digest& leaf_hash);
  void AppendLeaf(const Digest& leaf_hash);
  absl::Status WriteStates();
  absl::StatusOr<IndexUpdate> UpdateIndex(std::int64_t sealed_at_ms);

  StateOverlay& overlay_;
  TileTree tree_;
  IndexTree index_;
  WriteBatch writes_;
  EntryLists lists_;
  std::uint64_t first_unsealed_;
  std::size_t touches_ = 0;
  bool keeps_index_history_ = false;
  bool replays_only_ = false;
  // Subjects that WriteReplayed() will write, and their keys in the index.
  absl::flat_hash_map<SubjectKey, Digest> unwritten_;
};

// The index's leaves and the full tiles as a view of the store holds them.
class StoredIndexLeaves final : public IndexLeafStore {
 public:
  explicit StoredIndexLeaves(const ReadView& view) : view_(view) {}
  absl::Status ScanBucket(std::uint16_t bucket, const Visitor& visit) const override;

 private:
  const ReadView& view_;
};

class StoredTiles final : public TileSource {
 public:
  explicit StoredTiles(const ReadView& view) : view_(view) {}
  absl::StatusOr<std::string> ReadFullTile(std::uint32_t level, std::uint64_t index) const override;

 private:
  const ReadView& view_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LOG_BUILDER_H_
