#include "daemon/witnessing/witness_client.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/tlog_witness.h"
#include "daemon/http/client.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"

namespace custody {
namespace {

// The first, one for the size that a 409 named, one more if somebody else moved the witness.
constexpr int kTriesMax = 3;
constexpr std::size_t kQuotedBytesMax = 200;

// What somebody else said, fit for a log line.
std::string Quoted(std::string_view body) {
  std::string text;
  for (const char c : body.substr(0, kQuotedBytesMax)) text += c >= ' ' && c < 0x7F ? c : ' ';
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

absl::StatusOr<HttpResponse> WitnessClient::Ask(const LedgerSnapshot& snapshot) const {
  AddCheckpointRequest request{.old_size = size_, .proof = {}, .checkpoint = snapshot.note};
  if (size_ != 0 && size_ != snapshot.size()) {
    const StoredTiles tiles(*snapshot.view);
    const TileNodeReader nodes(tiles, snapshot.edge);
    CUSTODY_ASSIGN_OR_RETURN(request.proof, ConsistencyProof(size_, snapshot.size(), nodes));
  }
  return CallHttp(options_.url, {"POST", "/add-checkpoint", FormatAddCheckpoint(request)},
                  {.timeout_ms = options_.timeout_ms});
}

absl::StatusOr<Cosignature> WitnessClient::Judge(std::string_view text,
                                                 const NoteSignature& line) const {
  for (const NoteVerifier& key : options_.keys) {
    if (key.name() != line.name || key.key_id() != line.key_id) continue;
    CUSTODY_ASSIGN_OR_RETURN(VerifiedNoteSignature verified, key.Verify(text, line.signature));
    const std::int64_t now = clock_.WallMs() / 1'000;
    const auto time = static_cast<std::int64_t>(verified.timestamp_seconds);
    if (time < now - kCosignatureSkewSecondsMax || time > now + kCosignatureSkewSecondsMax) {
      return absl::UnauthenticatedError(absl::StrFormat(
          "its cosignature states the time %d, the clock here shows %d", time, now));
    }
    return Cosignature{line, std::move(verified)};
  }
  return absl::NotFoundError("it answered without a cosignature of the key that is configured");
}

void WitnessClient::TakeLines(const LedgerSnapshot& snapshot, std::string_view body,
                              SubmitOutcome* outcome) {
  const absl::StatusOr<std::vector<NoteSignature>> lines = ParseCosignatureLines(body);
  if (!lines.ok()) {
    outcome->status = lines.status();
    return;
  }
  // Whatever the lines are worth: the witness says that it has this size.
  size_ = snapshot.size();
  const std::string text = FormatCheckpoint(snapshot.checkpoint);
  for (const NoteSignature& line : *lines) {
    absl::StatusOr<Cosignature> cosignature = Judge(text, line);
    if (cosignature.ok()) {
      outcome->cosignatures.push_back(*std::move(cosignature));
    } else if (outcome->status.ok() || !absl::IsNotFound(cosignature.status())) {
      // A forged line weighs more than one of somebody else.
      outcome->status = cosignature.status();
    }
  }
  // Lines of others beside good ones are nothing to speak of.
  if (!outcome->cosignatures.empty() && absl::IsNotFound(outcome->status)) {
    outcome->status = absl::OkStatus();
  }
}

absl::StatusOr<std::optional<Contradiction>> WitnessClient::Compare(
    const LedgerSnapshot& snapshot) const {
  const std::string& origin = snapshot.checkpoint.origin;
  CUSTODY_ASSIGN_OR_RETURN(
      const HttpResponse response,
      CallHttp(options_.url, {"GET", absl::StrFormat("/%s/checkpoint", OriginHash(origin)), ""},
               {.timeout_ms = options_.timeout_ms}));
  if (response.status != 200) {
    return absl::NotFoundError(absl::StrFormat("it shows no checkpoint: status %d, \"%s\"",
                                               response.status, Quoted(response.body)));
  }
  const absl::StatusOr<OpenedCheckpoint> shown =
      OpenCheckpoint(response.body, origin, options_.log_keys);
  if (!shown.ok()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "what it shows is no checkpoint of this log: %s", StdView(shown.status().message())));
  }
  if (shown->checkpoint.size == 0) return std::nullopt;
  const absl::Status continues =
      CheckContinues(shown->checkpoint, snapshot, options_.keys.front().name());
  if (continues.ok()) return std::nullopt;
  // Anything else is a store that cannot be read.
  if (!absl::IsUnavailable(continues)) return continues;
  return Contradiction{continues, response.body};
}

bool WitnessClient::TakeSize(const LedgerSnapshot& snapshot, const NewestSnapshot& newest,
                             std::string_view body, SubmitOutcome* outcome) {
  const absl::StatusOr<std::uint64_t> size = ParseTreeSize(body);
  if (!size.ok()) {
    outcome->status = size.status();
    return false;
  }
  if (*size <= snapshot.size()) {
    const bool moved = size_ != *size;
    size_ = *size;
    if (!moved) outcome->status = absl::InvalidArgumentError("it refuses the size that it names");
    return moved;
  }
  const std::shared_ptr<const LedgerSnapshot> now = newest();
  outcome->status = absl::FailedPreconditionError(absl::StrFormat(
      "it has %d entries, more than the %d that were shown", *size, snapshot.size()));
  if (*size <= now->size()) return false;
  absl::StatusOr<std::optional<Contradiction>> found = Compare(*now);
  if (found.ok() && found->has_value()) {
    outcome->contradiction = **std::move(found);
    return false;
  }
  outcome->claim = absl::StrFormat("it claims %d entries, this log has %d, and it shows no proof",
                                   *size, now->size());
  return false;
}

void WitnessClient::LookForFork(const LedgerSnapshot& snapshot, SubmitOutcome* outcome) const {
  absl::StatusOr<std::optional<Contradiction>> found = Compare(snapshot);
  if (found.ok() && found->has_value()) outcome->contradiction = **std::move(found);
}

SubmitOutcome WitnessClient::Submit(const LedgerSnapshot& snapshot, const NewestSnapshot& newest) {
  SubmitOutcome outcome;
  if (size_ > snapshot.size()) size_ = 0;  // Somebody else moved it; it will name its size.
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const absl::StatusOr<HttpResponse> response = Ask(snapshot);
    if (!response.ok()) {
      outcome.status = response.status();
      return outcome;
    }
    if (response->status == 200) {
      TakeLines(snapshot, response->body, &outcome);
      return outcome;
    }
    if (response->status == 409) {
      if (TakeSize(snapshot, newest, response->body, &outcome)) continue;
      return outcome;
    }
    outcome.status = absl::FailedPreconditionError(absl::StrFormat(
        "it answered with status %d: \"%s\"", response->status, Quoted(response->body)));
    if (response->status == 422) LookForFork(snapshot, &outcome);
    return outcome;
  }
  outcome.status = absl::UnavailableError("somebody else moves it faster than this log can ask");
  return outcome;
}

}  // namespace custody
