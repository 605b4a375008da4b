// Believes checkpoints: signature by a configured log key, and consistency with everything that was
// seen before. Private to client/.
//
// Threads: every call is safe from any thread.
// Owns:    the checkpoint store.

#ifndef CUSTODY_CLIENT_CHECKPOINT_GUARD_H_
#define CUSTODY_CLIENT_CHECKPOINT_GUARD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "custody/checkpoint_store.h"
#include "custody/connection.h"

namespace custody {

class CheckpointGuard {
 public:
  // Asks the server for the consistency proof between two sizes, 0 < first < second.
  using ProofSource = std::function<absl::StatusOr<std::vector<Digest>>(std::uint64_t first_size,
                                                                        std::uint64_t second_size)>;

  // Errors: kInvalidArgument (a vkey is malformed or not named like the ledger); kDataLoss if the
  // kept checkpoint is not signed by a configured key; those of the store.
  static absl::StatusOr<std::unique_ptr<CheckpointGuard>> Create(const ClientOptions& options);

  // OK if log keys are configured. Errors: kFailedPrecondition.
  absl::Status CheckConfigured() const;

  // Verifies the signature. Errors: kFailedPrecondition without keys, or if only a key signed that
  // was retired before; kDataLoss if it is not true.
  absl::StatusOr<Checkpoint> Open(std::string_view note);

  // OK if the log of this opened checkpoint continues, or begins, the log seen so far; a newer one
  // is remembered.
  // Errors: kDataLoss on a conflict, naming the evidence file; those of the proof source and the
  // store, with the remark that only consistency is open.
  absl::Status Observe(std::string_view note, const Checkpoint& checkpoint,
                       const ProofSource& proofs);

  // The refusal of an answer that rests on this believed checkpoint, although the ledger had shown
  // a newer one before it was asked. Errors: kDataLoss always, naming the evidence file.
  absl::Status RefuseOlder(std::string_view note, const Checkpoint& checkpoint);

  // The largest size believed so far, also before this guard was made; 0: none.
  std::uint64_t newest_size();

 private:
  CheckpointGuard(std::string origin, std::vector<NoteVerifier> keys,
                  std::vector<RetiredLogKey> retired, std::unique_ptr<CheckpointStore> store);

  absl::Status ObserveOnce(std::string_view note, const Checkpoint& checkpoint,
                           const ProofSource& proofs);
  absl::Status Compare(std::string_view known_note, const Checkpoint& known, std::string_view note,
                       const Checkpoint& checkpoint, const ProofSource& proofs);
  // "evidence: " and where both notes were written down.
  std::string KeepEvidence(std::string_view title, std::string_view finding,
                           std::string_view known_note, const Checkpoint& known,
                           std::string_view note, const Checkpoint& checkpoint);
  absl::Status Conflict(std::string_view known_note, const Checkpoint& known, std::string_view note,
                        const Checkpoint& checkpoint, std::string_view finding);
  // True if this size was already proven to be part of the log, with this root.
  bool IsProven(const Checkpoint& checkpoint);
  void RememberProven(const Checkpoint& checkpoint);

  const std::string origin_;
  const std::vector<NoteVerifier> keys_;
  const std::vector<RetiredLogKey> retired_;
  const std::unique_ptr<CheckpointStore> store_;

  Mutex mutex_;
  // The last note opened, since many receipts share one.
  std::string opened_note_ ABSL_GUARDED_BY(mutex_);
  Checkpoint opened_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t newest_size_ ABSL_GUARDED_BY(mutex_) = 0;
  // Roots proven to belong to one log, by size; bounded.
  std::map<std::uint64_t, Digest> proven_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CHECKPOINT_GUARD_H_
