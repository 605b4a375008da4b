// Rebuilding every projection from the log, and checking a store against its log.

#ifndef CUSTODY_DAEMON_LEDGER_REBUILD_H_
#define CUSTODY_DAEMON_LEDGER_REBUILD_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "storage/store.h"

namespace custody {

// Called now and then; returns false to give up (kCancelled).
using RebuildProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

// Replays the entries of `source` into the empty store `target`: entries, chains, states, edges,
// identifiers, lists, tiles, index, stored checkpoints, pending decisions and the head. Every seal
// is compared with the index recomputed, and the root at the end with the head.
//
// When it returns OK, `target` holds the same bytes under the same keys as `source` should, the
// history of the index (index_history.h) apart: it has that of the last hour of the log and of the
// checkpoint that a quorum has cosigned, whatever `source` had not yet cleared away.
// Errors: kDataLoss naming the first entry that contradicts the log; kAlreadyExists if `target` is
// not empty; those of the stores.
absl::StatusOr<Checkpoint> RebuildLedger(const Store& source, Store& target,
                                         const RebuildProgress& progress = nullptr);

// The bytes of an entry; nullopt if they are not to be had.
using EntryReader = std::function<absl::StatusOr<std::optional<std::string>>(std::uint64_t index)>;

// The same from entries that may come from elsewhere. `source` gives what does not follow from
// entries: notes and pending decisions. What of that is damaged is signed anew with `signers` (the
// bytes are the same) or, of pending decisions, left out.
//
// Errors: as RebuildLedger(); kInvalidArgument if a signer's name is not the origin.
absl::StatusOr<Checkpoint> RebuildFromEntries(const EntryReader& read, const ReadView& source,
                                              std::span<const NoteSigner> signers, Store& target,
                                              const RebuildProgress& progress = nullptr);

// Appends to the log of `store`, which nobody serves, what a mirror has beyond it: entries
// [size, end.size), which end with a seal. Nothing is written unless the log with them has the root
// of `end`, a checkpoint whose signature the caller has verified. Their notes are signed again,
// with the bytes that they had.
//
// Errors: kDataLoss if they have another root, or an entry is missing or contradicts the log; those
// of RecoverLedger() and of the store.
absl::StatusOr<Checkpoint> ContinueFromMirror(Store& store, std::span<const NoteSigner> signers,
                                              const Checkpoint& end, const EntryReader& read,
                                              const RebuildProgress& progress = nullptr);

struct ScrubResult {
  std::uint64_t entries = 0;
  // Indices whose bytes are missing or do not hash to their leaf in the tree.
  std::vector<std::uint64_t> damaged;
};

// Re-hashes the entries [begin, end) against the tiles. Errors: those of the store.
absl::StatusOr<ScrubResult> ScrubEntries(const ReadView& view, std::uint64_t begin,
                                         std::uint64_t end, const RebuildProgress& progress);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_REBUILD_H_
