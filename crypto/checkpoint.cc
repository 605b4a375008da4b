// Checkpoints.
//
//   text = origin "\n" decimal size "\n" base64(32-byte root) "\n"

#include "crypto/checkpoint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

// A key under the wrong heading is a mistake in somebody's configuration, not a bad signature.
absl::Status CheckConfiguredKeys(std::string_view origin, std::span<const NoteVerifier> log_keys,
                                 std::span<const NoteVerifier> witnesses) {
  for (const NoteVerifier& key : log_keys) {
    if (key.type() != NoteKeyType::kEd25519 || key.name() != origin) {
      return absl::InvalidArgumentError(
          absl::StrFormat("key %s is not a log key of %s", key.name(), origin));
    }
  }
  for (const NoteVerifier& key : witnesses) {
    if (key.type() != NoteKeyType::kCosignature) {
      return absl::InvalidArgumentError(
          absl::StrFormat("key %s is not the key of a witness", key.name()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  return absl::StrFormat("%s\n%d\n%s\n", checkpoint.origin, checkpoint.size,
                         ToBase64(checkpoint.root.view()));
}

absl::Status ValidateCheckpoint(const Checkpoint& checkpoint) {
  CUSTODY_RETURN_IF_ERROR(CheckKeyName(checkpoint.origin));
  if (checkpoint.size > kTreeSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("checkpoint size %d is above 2^63", checkpoint.size));
  }
  if (checkpoint.size == 0 && checkpoint.root != EmptyRoot()) {
    return absl::InvalidArgumentError("checkpoint of size 0 has a root of another tree");
  }
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> ParseCheckpointForm(std::string_view text) {
  const std::optional<std::string_view> origin = TakeLine(&text);
  const std::optional<std::string_view> size = TakeLine(&text);
  const std::optional<std::string_view> root = TakeLine(&text);
  if (!root.has_value() || !text.empty()) {
    return absl::InvalidArgumentError("checkpoint does not have exactly three lines");
  }
  Checkpoint checkpoint{.origin = std::string(*origin), .size = 0, .root = {}};
  CUSTODY_ASSIGN_OR_RETURN(checkpoint.size, ParseDecimal(*size));
  CUSTODY_ASSIGN_OR_RETURN(const std::string root_bytes, FromBase64(*root));
  CUSTODY_ASSIGN_OR_RETURN(checkpoint.root, Digest::FromBytes(root_bytes));
  return checkpoint;
}

absl::StatusOr<Checkpoint> ParseCheckpointText(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpointForm(text));
  CUSTODY_RETURN_IF_ERROR(ValidateCheckpoint(checkpoint));
  return checkpoint;
}

absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint, const NoteSigner& signer) {
  return SignCheckpoint(checkpoint, std::span<const NoteSigner>(&signer, 1));
}

absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint,
                                           std::span<const NoteSigner> signers) {
  CUSTODY_RETURN_IF_ERROR(ValidateCheckpoint(checkpoint));
  if (signers.empty()) return absl::InvalidArgumentError("nobody signs the checkpoint");
  Note note{.text = FormatCheckpoint(checkpoint), .signatures = {}};
  for (const NoteSigner& signer : signers) {
    if (signer.verifier().name() != checkpoint.origin) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "signer %s is not the log %s", signer.verifier().name(), checkpoint.origin));
    }
    CUSTODY_ASSIGN_OR_RETURN(NoteSignature signature, signer.Sign(note.text));
    note.signatures.push_back(std::move(signature));
  }
  return FormatNote(note);
}

absl::StatusOr<OpenedCheckpoint> OpenCheckpoint(std::string_view note, std::string_view origin,
                                                std::span<const NoteVerifier> log_keys,
                                                std::span<const NoteVerifier> witnesses) {
  CUSTODY_RETURN_IF_ERROR(CheckConfiguredKeys(origin, log_keys, witnesses));
  std::vector<NoteVerifier> known(log_keys.begin(), log_keys.end());
  known.insert(known.end(), witnesses.begin(), witnesses.end());
  CUSTODY_ASSIGN_OR_RETURN(OpenedNote opened, OpenNote(note, known));
  OpenedCheckpoint result;
  for (VerifiedNoteSignature& signature : opened.verified) {
    (signature.type == NoteKeyType::kEd25519 ? result.log_signatures : result.cosignatures)
        .push_back(std::move(signature));
  }
  if (result.log_signatures.empty()) {
    return absl::UnauthenticatedError(
        absl::StrFormat("checkpoint is not signed by a known key of the log %s", origin));
  }
  CUSTODY_ASSIGN_OR_RETURN(result.checkpoint, ParseCheckpointText(opened.text));
  // The key's name is the origin, but what was signed is the text.
  if (result.checkpoint.origin != origin) {
    return absl::UnauthenticatedError(
        absl::StrFormat("checkpoint is of the log %s, want %s", result.checkpoint.origin, origin));
  }
  return result;
}

absl::StatusOr<OpenedCheckpoint> OpenCheckpointWithRetired(
    std::string_view note, std::string_view origin, std::span<const NoteVerifier> log_keys,
    std::span<const RetiredLogKey> retired, std::span<const NoteVerifier> witnesses) {
  std::vector<NoteVerifier> known(log_keys.begin(), log_keys.end());
  for (const RetiredLogKey& old : retired) known.push_back(old.key);
  CUSTODY_ASSIGN_OR_RETURN(OpenedCheckpoint opened, OpenCheckpoint(note, origin, known, witnesses));
  const std::uint64_t size = opened.checkpoint.size;
  const auto counts = [&](const VerifiedNoteSignature& signature) {
    return std::none_of(retired.begin(), retired.end(), [&](const RetiredLogKey& old) {
      return old.key.key_id() == signature.key_id && size > old.last_size;
    });
  };
  if (std::any_of(opened.log_signatures.begin(), opened.log_signatures.end(), counts)) {
    return opened;
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "the checkpoint of %d entries is signed only by a log key (%s+%08x) that was retired before",
      size, origin, opened.log_signatures.front().key_id));
}

}  // namespace custody
