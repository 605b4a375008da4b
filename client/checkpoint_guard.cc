#include "client/checkpoint_guard.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

constexpr std::size_t kProvenMax = 1024;
constexpr int kMovesMax = 16;

absl::StatusOr<NoteVerifier> ParseKey(const std::string& text, const std::string& ledger) {
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier key, ParseVkey(text));
  if (key.name() == ledger && key.type() == NoteKeyType::kEd25519) return key;
  return absl::InvalidArgumentError(
      absl::StrFormat("log key %s is not a log key of ledger %s", text, ledger));
}

absl::StatusOr<std::vector<NoteVerifier>> ParseKeys(const ClientOptions& options) {
  std::vector<NoteVerifier> keys;
  for (const std::string& text : options.log_keys) {
    CUSTODY_ASSIGN_OR_RETURN(NoteVerifier key, ParseKey(text, options.ledger));
    keys.push_back(std::move(key));
  }
  return keys;
}

absl::StatusOr<std::vector<RetiredLogKey>> ParseRetiredKeys(const ClientOptions& options) {
  std::vector<RetiredLogKey> keys;
  for (const RetiredLogVkey& old : options.retired_log_keys) {
    CUSTODY_ASSIGN_OR_RETURN(NoteVerifier key, ParseKey(old.vkey, options.ledger));
    keys.push_back({std::move(key), old.last_size});
  }
  return keys;
}

std::string Describe(const Checkpoint& checkpoint) {
  return absl::StrFormat("size %d root %s", checkpoint.size, checkpoint.root.ToHex());
}

}  // namespace

CheckpointGuard::CheckpointGuard(std::string origin, std::vector<NoteVerifier> keys,
                                 std::vector<RetiredLogKey> retired,
                                 std::unique_ptr<CheckpointStore> store)
    : origin_(std::move(origin)),
      keys_(std::move(keys)),
      retired_(std::move(retired)),
      store_(std::move(store)) {}

absl::StatusOr<std::unique_ptr<CheckpointGuard>> CheckpointGuard::Create(
    const ClientOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(std::vector<NoteVerifier> keys, ParseKeys(options));
  CUSTODY_ASSIGN_OR_RETURN(std::vector<RetiredLogKey> retired, ParseRetiredKeys(options));
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointStore> store,
                           CheckpointStore::Open(options.checkpoint_file));
  std::unique_ptr<CheckpointGuard> guard(
      new CheckpointGuard(options.ledger, std::move(keys), std::move(retired), std::move(store)));
  CUSTODY_ASSIGN_OR_RETURN(const std::string note, guard->store_->Newest());
  if (!note.empty() && !guard->keys_.empty()) {
    const absl::StatusOr<Checkpoint> known = guard->Open(note);
    if (!known.ok()) {
      return absl::DataLossError(absl::StrFormat(
          "%s holds a checkpoint that no configured log key of %s signed: %s",
          options.checkpoint_file, options.ledger, std::string(known.status().message())));
    }
    guard->RememberProven(*known);
  }
  return guard;
}

absl::Status CheckpointGuard::CheckConfigured() const {
  if (keys_.empty()) {
    return absl::FailedPreconditionError(
        "no log keys are configured, so no answer about the log could be believed; set ledger and "
        "log_keys");
  }
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> CheckpointGuard::Open(std::string_view note) {
  CUSTODY_RETURN_IF_ERROR(CheckConfigured());
  {
    const MutexLock lock(mutex_);
    if (!opened_note_.empty() && opened_note_ == note) {
      return opened_;
    }
  }
  absl::StatusOr<OpenedCheckpoint> opened =
      OpenCheckpointWithRetired(note, origin_, keys_, retired_);
  if (absl::IsFailedPrecondition(opened.status())) return opened.status();
  if (!opened.ok()) {
    return absl::DataLossError(absl::StrFormat("the checkpoint is not one of %s: %s", origin_,
                                               std::string(opened.status().message())));
  }
  const MutexLock lock(mutex_);
  opened_note_ = std::string(note);
  opened_ = opened->checkpoint;
  return opened_;
}

absl::Status CheckpointGuard::Observe(std::string_view note, const Checkpoint& checkpoint,
                                      const ProofSource& proofs) {
  for (int moves = 0; moves < kMovesMax; ++moves) {
    const absl::Status status = ObserveOnce(note, checkpoint, proofs);
    if (!absl::IsAborted(status)) {
      return status;
    }
  }
  return absl::UnavailableError("the kept checkpoint moves faster than it can be compared");
}

absl::Status CheckpointGuard::ObserveOnce(std::string_view note, const Checkpoint& checkpoint,
                                          const ProofSource& proofs) {
  if (IsProven(checkpoint)) {
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string known_note, store_->Newest());
  if (known_note.empty()) {
    CUSTODY_RETURN_IF_ERROR(store_->Advance(known_note, note));
    RememberProven(checkpoint);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint known, Open(known_note));
  CUSTODY_RETURN_IF_ERROR(Compare(known_note, known, note, checkpoint, proofs));
  if (checkpoint.size > known.size) {
    CUSTODY_RETURN_IF_ERROR(store_->Advance(known_note, note));
  }
  RememberProven(checkpoint);
  return absl::OkStatus();
}

absl::Status CheckpointGuard::Compare(std::string_view known_note, const Checkpoint& known,
                                      std::string_view note, const Checkpoint& checkpoint,
                                      const ProofSource& proofs) {
  if (known.size == checkpoint.size) {
    return known.root == checkpoint.root
               ? absl::OkStatus()
               : Conflict(known_note, known, note, checkpoint, "two roots for one size");
  }
  const Checkpoint& first = known.size < checkpoint.size ? known : checkpoint;
  const Checkpoint& second = known.size < checkpoint.size ? checkpoint : known;
  if (first.size == 0) {
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<Digest>> proof = proofs(first.size, second.size);
  if (absl::IsOutOfRange(proof.status())) {
    return Conflict(known_note, known, note, checkpoint,
                    "the server's log is shorter than a checkpoint that it signed");
  }
  if (!proof.ok()) {
    return absl::Status(
        proof.status().code(),
        absl::StrFormat("the checkpoint of size %d is signed, but its consistency with size %d "
                        "could not be asked for: %s",
                        checkpoint.size, known.size, std::string(proof.status().message())));
  }
  const absl::Status consistent =
      VerifyConsistency(first.size, second.size, *proof, first.root, second.root);
  if (!consistent.ok()) {
    return Conflict(known_note, known, note, checkpoint, consistent.ToString());
  }
  return absl::OkStatus();
}

std::string CheckpointGuard::KeepEvidence(std::string_view title, std::string_view finding,
                                          std::string_view known_note, const Checkpoint& known,
                                          std::string_view note, const Checkpoint& checkpoint) {
  const std::string text =
      absl::StrFormat("%s\n\nFinding: %s\n\nSeen before (%s):\n\n%s\nSeen now (%s):\n\n%s", title,
                      finding, Describe(known), known_note, Describe(checkpoint), note);
  const absl::StatusOr<std::string> path =
      store_->WriteEvidence(absl::StrFormat("%d-%d", known.size, checkpoint.size), text);
  return "evidence: " +
         (!path.ok()      ? "could not be written: " + std::string(path.status().message())
          : path->empty() ? std::string("not written, no checkpoint_file is configured")
                          : *path);
}

absl::Status CheckpointGuard::Conflict(std::string_view known_note, const Checkpoint& known,
                                       std::string_view note, const Checkpoint& checkpoint,
                                       std::string_view finding) {
  const std::string evidence = KeepEvidence(
      absl::StrFormat("Two checkpoints of %s that were not shown to belong to one log.", origin_),
      finding, known_note, known, note, checkpoint);
  return absl::DataLossError(
      absl::StrFormat("the log has two histories: seen before %s, now %s: %s; %s", Describe(known),
                      Describe(checkpoint), finding, evidence));
}

absl::Status CheckpointGuard::RefuseOlder(std::string_view note, const Checkpoint& checkpoint) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string known_note, store_->Newest());
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint known, Open(known_note));
  const std::string evidence = KeepEvidence(
      absl::StrFormat("An answer of %s that rests on an older log than it had shown.", origin_),
      "what came between is withheld, or the ledger was restored", known_note, known, note,
      checkpoint);
  return absl::DataLossError(absl::StrFormat(
      "the answer rests on a log of size %d, and the ledger had shown one of size %d before: it "
      "withholds what came between, or was restored; ask who runs it, and do not act on it; %s",
      checkpoint.size, known.size, evidence));
}

std::uint64_t CheckpointGuard::newest_size() {
  const MutexLock lock(mutex_);
  return newest_size_;
}

bool CheckpointGuard::IsProven(const Checkpoint& checkpoint) {
  const MutexLock lock(mutex_);
  const auto found = proven_.find(checkpoint.size);
  return found != proven_.end() && found->second == checkpoint.root;
}

void CheckpointGuard::RememberProven(const Checkpoint& checkpoint) {
  const MutexLock lock(mutex_);
  newest_size_ = std::max(newest_size_, checkpoint.size);
  proven_.insert_or_assign(checkpoint.size, checkpoint.root);
  if (proven_.size() > kProvenMax) {
    proven_.erase(proven_.begin());
  }
}

}  // namespace custody
