// What a ledger is made from at start: the head, the tree's right edge, the index, the pending
// decisions, compared with one another and with the anchor. Start-up time does not grow with the
// log.

#ifndef CUSTODY_DAEMON_LEDGER_RECOVERY_H_
#define CUSTODY_DAEMON_LEDGER_RECOVERY_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/index_tree.h"
#include "crypto/tiles.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/stopped_log.h"
#include "lifecycle/parsed_event.h"
#include "storage/store.h"

namespace custody {

struct RecoveredLedger {
  std::uint32_t format_version = 0;  // Of the store.
  std::shared_ptr<const LedgerSnapshot> snapshot;
  TileTree tree;
  IndexTree index;
  std::vector<v1::PendingEvent> pending;
  Digest entry0_leaf_hash;
  std::string service_device_id;
  std::uint32_t rules_version = 0;
};

// The tree and the index under a head.
struct RestoredLog {
  TileTree tree;
  IndexTree index;
  v1::Entry seal;  // The last entry.
};
// `stopped_log`: where to look for both before the tables; may be null.
// Errors: kDataLoss if head, edge, seal and index contradict one another; those of the store.
absl::StatusOr<RestoredLog> RestoreLog(const ReadView& view, const Checkpoint& head,
                                       StoppedLog* stopped_log = nullptr);
// The same of a store that holds no entries but the seals; `leaf_hash` knows those of the edge.
absl::StatusOr<RestoredLog> RestoreLog(const ReadView& view, const Checkpoint& head,
                                       const TileTree::LeafHashReader& leaf_hash,
                                       StoppedLog* stopped_log = nullptr);

// Reads and checks everything but the anchor.
//
// Errors: kNotFound if the store holds no ledger; kFailedPrecondition on another format version;
//         kInvalidArgument if the signer's name is not the origin; kDataLoss if head, edge, seal
//         and index contradict one another; those of the store.
//
// The note of the head is the one that was left at the last stop, byte for byte, else the head
// signed anew by `signers`.
absl::StatusOr<RecoveredLedger> RecoverLedger(const Store& store,
                                              std::span<const NoteSigner> signers,
                                              StoppedLog* stopped_log = nullptr);

// The head of a store as its meta table says it. Errors: kNotFound if the store holds no ledger.
absl::StatusOr<Checkpoint> ReadHead(const ReadView& view);

// OK if the anchor's checkpoint is one of this log, signed by one of its keys. An empty path is OK.
// Errors: kUnavailable E_ROLLBACK with the reason.
absl::Status CheckAnchor(const std::string& anchor_path, const LedgerSnapshot& snapshot,
                         std::span<const NoteVerifier> log_keys);

// OK if a checkpoint that this log has signed is a beginning of the snapshot. `who` shows it.
// Errors: kUnavailable E_ROLLBACK with the reason; those of the view.
absl::Status CheckContinues(const Checkpoint& known, const LedgerSnapshot& snapshot,
                            std::string_view who);

// The tree of a log with this checkpoint. Errors: kDataLoss if it has another root; the view's.
absl::StatusOr<TileTree> RestoreTree(const ReadView& view, const Checkpoint& head);
// The last entry of a log of `size` entries. Errors: kDataLoss unless it is a seal; the view's.
absl::StatusOr<v1::Entry> ReadLastSeal(const ReadView& view, std::uint64_t size);

// An entry of the log; nullopt if it is not there. Errors: kDataLoss if it does not parse.
absl::StatusOr<std::optional<v1::Entry>> ReadEntry(const ReadView& view, std::uint64_t index);
// The recorded event with this digest; nullopt if there is none. Errors: as ReadEntry().
absl::StatusOr<std::optional<ParsedEvent>> ReadEventByDigest(const ReadView& view,
                                                             const Digest& event_digest);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_RECOVERY_H_
