#include "daemon/witness/witnessed_log.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/tlog_witness.h"
#include "daemon/logging.h"

namespace custody {
namespace {

HttpResponse Refuse(int status, std::string_view why) {
  return {status, "text/plain; charset=utf-8", absl::StrFormat("%s\n", why)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<WitnessedLog>> WitnessedLog::Open(const std::string& folder,
                                                                 std::string origin,
                                                                 std::vector<NoteVerifier> keys,
                                                                 const Parts& parts) {
  std::unique_ptr<WitnessedLog> log(
      new WitnessedLog(folder, std::move(origin), std::move(keys), parts));
  CUSTODY_ASSIGN_OR_RETURN(std::optional<WitnessState> state, log->file_.Read(log->keys_));
  if (state.has_value()) {
    if (state->newest.checkpoint.origin != log->origin_) {
      return absl::DataLossError(absl::StrFormat("%s/state is of the log %s, want %s", folder,
                                                 state->newest.checkpoint.origin, log->origin_));
    }
    parts.time.Remember(state->time_seconds);
  }
  const MutexLock lock(log->mutex_);
  log->state_ = std::move(state);
  return log;
}

void WitnessedLog::Alarm(bool fork, std::string_view finding, const SignedCheckpoint& shown) const {
  ++(fork ? parts_.metrics.forks : parts_.metrics.false_proofs);
  const absl::StatusOr<std::string> path =
      file_.WriteEvidence(finding, state_->newest.note, shown.note);
  if (!path.ok()) ++parts_.metrics.evidence_failures;
  Log(LogLevel::kError,
      fork ? "FORK: the log has signed two roots for one size" : "the log shows a false proof",
      {{"origin", origin_},
       {"finding", std::string(finding)},
       {"evidence", path.ok() ? *path : std::string(StdView(path.status().message()))}});
}

std::optional<HttpResponse> WitnessedLog::JudgeGrowth(const SignedCheckpoint& shown,
                                                      std::span<const Digest> proof) const {
  const std::uint64_t old_size = state_ ? state_->newest.checkpoint.size : 0;
  const Digest& root = shown.checkpoint.root;
  if (old_size == 0) {
    if (proof.empty()) return std::nullopt;
    return Refuse(422, "a proof from size 0 is empty");
  }
  const absl::Status consistent = VerifyConsistency(old_size, shown.checkpoint.size, proof,
                                                    state_->newest.checkpoint.root, root);
  if (consistent.ok()) return std::nullopt;
  const std::string finding =
      absl::StrFormat("size %d was not shown to continue size %d: %s", shown.checkpoint.size,
                      old_size, StdView(consistent.message()));
  Alarm(/*fork=*/false, finding, shown);
  return Refuse(422, finding);
}

std::optional<HttpResponse> WitnessedLog::Judge(const SignedCheckpoint& shown,
                                                std::uint64_t old_size,
                                                std::span<const Digest> proof) const {
  const Checkpoint& checkpoint = shown.checkpoint;
  if (old_size > checkpoint.size) {
    return Refuse(400,
                  absl::StrFormat("old is %d, the checkpoint has %d", old_size, checkpoint.size));
  }
  if (checkpoint.size == 0 && checkpoint.root != EmptyRoot()) {
    return Refuse(422, "a checkpoint of size 0 has the root of the empty tree");
  }
  if (checkpoint.size > kTreeSizeMax) return Refuse(400, "the size is above 2^63");
  const std::uint64_t newest = state_ ? state_->newest.checkpoint.size : 0;
  // Asked whatever `old` says: a log must not be able to show a fork and go unnoticed.
  if (state_ && checkpoint.size == newest && checkpoint.root != state_->newest.checkpoint.root) {
    const std::string finding = absl::StrFormat("size %d has root %s and root %s", newest,
                                                ToBase64(state_->newest.checkpoint.root.view()),
                                                ToBase64(checkpoint.root.view()));
    Alarm(/*fork=*/true, finding, shown);
    if (old_size == newest) return Refuse(422, finding);
  }
  if (old_size != newest) {
    return HttpResponse{409, std::string(kTreeSizeContentType), FormatTreeSize(newest)};
  }
  if (checkpoint.size != newest) return JudgeGrowth(shown, proof);
  if (proof.empty()) return std::nullopt;
  return Refuse(422, "a proof between equal sizes is empty");
}

HttpResponse WitnessedLog::PersistAndSign(const SignedCheckpoint& shown) {
  const absl::StatusOr<std::uint64_t> time = parts_.time.Next();
  if (!time.ok()) {
    ++parts_.metrics.clock_refusals;
    Log(LogLevel::kError, "no cosignature: the clock is not believed",
        {{"cause", std::string(StdView(time.status().message()))}});
    return Refuse(503, StdView(time.status().message()));
  }
  WitnessState next{.newest = shown, .time_seconds = *time};
  if (const absl::Status written = file_.Write(next); !written.ok()) {
    Log(LogLevel::kError, "no cosignature: the state was not written",
        {{"origin", origin_}, {"cause", std::string(StdView(written.message()))}});
    // The file may hold the new state or the old one: both are this log's, so memory keeps the old
    // one and the next request is judged against it.
    return Refuse(500, "the witness cannot write its state");
  }
  Passed(WitnessStep::kPersisted);
  state_ = std::move(next);
  const absl::StatusOr<NoteSignature> signature =
      parts_.cosigner.Cosign(state_->newest.note.text, *time);
  if (!signature.ok()) return Refuse(500, "the witness cannot sign");
  Passed(WitnessStep::kSigned);
  return {200, "text/plain; charset=utf-8", FormatNoteSignatureLine(*signature)};
}

HttpResponse WitnessedLog::Add(const SignedCheckpoint& shown, std::uint64_t old_size,
                               std::span<const Digest> proof) {
  const MutexLock lock(mutex_);
  if (std::optional<HttpResponse> refused = Judge(shown, old_size, proof); refused.has_value()) {
    return *std::move(refused);
  }
  Passed(WitnessStep::kChecked);
  return PersistAndSign(shown);
}

absl::StatusOr<std::string> WitnessedLog::CosignedCheckpoint() const {
  const MutexLock lock(mutex_);
  if (!state_) {
    return absl::NotFoundError("no checkpoint of this log has been cosigned yet");
  }
  Note note = state_->newest.note;
  // Ed25519 is deterministic: these are the bytes of the cosignature that was given.
  CUSTODY_ASSIGN_OR_RETURN(NoteSignature signature,
                           parts_.cosigner.Cosign(note.text, state_->time_seconds));
  note.signatures.push_back(std::move(signature));
  return FormatNote(note);
}

WitnessedLog::Progress WitnessedLog::progress() const {
  const MutexLock lock(mutex_);
  Progress progress;
  progress.evidence_files = file_.EvidenceCount();
  if (state_) {
    progress.any = true;
    progress.size = state_->newest.checkpoint.size;
    progress.time_seconds = state_->time_seconds;
  }
  return progress;
}

}  // namespace custody
