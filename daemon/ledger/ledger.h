// The ledger: records signed events, answers with receipts, serves snapshots.
//
//   Record() -> admission queue -> verify workers -> sequencer -> committer -> callback
//
// A receipt is handed out only after a synced write of the entry. The first failed write is final:
// from then on only reads are served.
//
// Threads: every method may be called from any thread and none blocks on the disk, except Open(),
//          Drain(), Shutdown() and the destructor. Callbacks run on threads of the ledger, in the
//          order of the log for one stream; they must be short and must not call Drain() or
//          Shutdown().
// Owns:    its threads. The store and the clock must outlive it; all snapshots must be gone before
//          the store is.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger_metrics.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "storage/store.h"

namespace custody {

struct RecordOutcome {
  v1::Receipt receipt;
  // The event was recorded before; this is its first receipt.
  bool already_recorded = false;
};

// Exactly one of the two: still pending, or recorded.
struct ProposeOutcome {
  std::variant<v1::PendingEvent, RecordOutcome> result;
};

using RecordCallback = std::function<void(absl::StatusOr<RecordOutcome>)>;
using ProposeCallback = std::function<void(absl::StatusOr<ProposeOutcome>)>;
// OK if the caller may act on events of this site (empty: of none); else a refusal.
using SiteCheck = std::function<absl::Status(std::string_view site_id)>;

// Bulk events fill a bounded part of the queue and of a batch, so that single ones get through.
enum class Lane { kSingle, kBulk };

enum class LedgerMode { kServing, kReadOnly, kDraining, kStopped };
// "serving", "read-only", "draining", "stopped".
std::string_view ModeName(LedgerMode mode);

struct LedgerStatus {
  LedgerMode mode = LedgerMode::kStopped;
  // Why it does not write, if so: reason code, what happened, what the operator does about it.
  std::string mode_reason;
  std::string origin;
  std::string log_vkey;
  std::uint64_t tree_size = 0;
  Digest root;
  std::uint64_t subject_count = 0;
  std::uint32_t rules_version = 0;
  std::int64_t started_at_ms = 0;
  std::int64_t last_commit_at_ms = 0;
  std::uint64_t pending_count = 0;
  std::uint64_t queue_events = 0;
  bool clock_healthy = true;
  bool disk_full = false;
  // The anchor could not be written the last time; mode_reason says why and since when.
  bool anchor_failing = false;
  // Places of the store that are known to be damaged; mode_reason names the first. What they
  // concern is held back, everything else is served and recorded.
  std::uint64_t damage_count = 0;
  Digest entry0_leaf_hash;
};

class Ledger {
 public:
  // Opens the ledger of a store that InitializeLedger() has begun, compares it with its anchor,
  // writes a seal and syncs it, then serves. A ledger that may not write (anchor missing, ahead of
  // the store, or of another root; service key not the one enrolled) opens in mode kReadOnly with
  // the reason.
  //
  // Errors: kInvalidArgument (options, or the log key's name is not the origin); kNotFound if the
  //         store is empty; kFailedPrecondition on another format version; kUnavailable if another
  //         writer has the store; kDataLoss if the log contradicts itself; those of the store.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const LedgerOptions& options, Store& store,
                                                      const LedgerKeys& keys, const Clock& clock);
  // Shutdown().
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Records an event. `done` is called exactly once, possibly before Record() returns.
  //
  // Events of one lane reach the log in the order of the calls, so a stream that calls Record() in
  // its order keeps it.
  //
  // Errors to `done`, with a Refusal (lifecycle/refusal.h): kInvalidArgument malformed;
  // kUnauthenticated E_UNKNOWN_KEY, E_BAD_SIGNATURE; kPermissionDenied; kFailedPrecondition the
  // rules refuse, or E_DAMAGED; kAlreadyExists E_DUP_CONFLICT; kAborted E_HEAD_MOVED;
  // kResourceExhausted E_OVERLOADED, E_DISK_FULL; kUnavailable E_STORE, E_ROLLBACK, E_STOPPING;
  // kUnimplemented.
  void Record(v1::SignedEvent signed_event, Lane lane, RecordCallback done);

  // Leaves a decision that needs further signatures, or records it when its sheet is complete.
  // Signatures that the pending decision lacks are added to it; those that it has, byte for byte,
  // change nothing.
  void Propose(v1::SignedEvent signed_event, ProposeCallback done);

  // Adds a signature to a pending decision, or to a recorded event (REC-07, whose receipt is
  // returned). The same bytes again get the pending decision, or the receipt of the entry that
  // holds the signature. Errors as Record(), kNotFound if no event has this digest, and
  // kFailedPrecondition E_ALREADY_SIGNED if the key has signed it with other bytes.
  //
  // `check_site` (null: every site is allowed) is asked about the event when it is found, which may
  // be before it is durable; it is called on a thread of the ledger and must be quick.
  void Cosign(const Digest& event_digest, v1::Signature signature, SiteCheck check_site,
              ProposeCallback done);

  // The newest durable checkpoint with everything at it; never null.
  std::shared_ptr<const LedgerSnapshot> Snapshot() const;

  // The log at an earlier checkpoint, with everything that proofs, verdicts, traces and bundles
  // need (past_view.h): every checkpoint of the last hour, and the newest that a quorum has
  // cosigned. Errors: kNotFound if no checkpoint has `size` entries or its index is not kept any
  // more;
  //         kDataLoss; those of the store.
  absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> SnapshotAt(std::uint64_t size) const;

  // Waits until the log has at least `size` entries, the timeout is over, or the ledger stops.
  // Returns the size then. Blocks the calling thread.
  std::uint64_t WaitForSize(std::uint64_t size, std::int64_t timeout_ms) const;
  // Calls `listener` after each commit with the new size, on the committer's thread: it must only
  // wake somebody. Returns a handle for RemoveSizeListener(), after which it is not called again.
  std::uint64_t AddSizeListener(std::function<void(std::uint64_t size)> listener);
  void RemoveSizeListener(std::uint64_t handle);

  // Takes no new events; OK when everyone admitted has an answer.
  // Errors: kDeadlineExceeded.
  absl::Status Drain(std::int64_t timeout_ms);
  // Drain() without limit, then ends the threads. Reads go on.
  void Shutdown();

  // From now on nothing is written: somebody has shown that this log is a copy or a fork. `why` is
  // a refusal (RollbackRefusal). The first one stays.
  void RefuseWrites(absl::Status why);
  // Keeps the newest checkpoint that a quorum of witnesses has cosigned, with the next batch.
  void KeepWitnessed(std::string note);

  // What of the store is known to be damaged; whoever looks for damage reports it here.
  KnownDamage& known_damage() const;

  LedgerStatus Status() const;
  const LedgerMetrics& metrics() const;
  const std::string& origin() const;
  std::int64_t NowMs() const;

 private:
  struct Parts;
  explicit Ledger(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_H_
