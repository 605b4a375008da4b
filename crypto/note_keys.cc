// Keys of notes.
//
//   vkey = name "+" 8HEXDIG "+" base64(type || 32-byte key)
//   signed bytes: type 0x01  the note's text
//                 type 0x04  "cosignature/v1\n" "time " decimal "\n" the note's text

#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/note.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

constexpr std::size_t kTimestampSize = 8;
constexpr std::uint64_t kTimestampMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kKeyIdHexDigits = 8;

std::string CosignedMessage(std::string_view text, std::uint64_t timestamp_seconds) {
  return absl::StrFormat("cosignature/v1\ntime %d\n%s", timestamp_seconds, text);
}

bool IsTimestamp(std::uint64_t seconds) { return seconds > 0 && seconds <= kTimestampMax; }

}  // namespace

std::uint32_t NoteKeyId(std::string_view name, NoteKeyType type, std::string_view public_key) {
  const std::string middle = {'\n', static_cast<char>(type)};
  const Digest digest = Sha256Hasher().Update(name).Update(middle).Update(public_key).Finish();
  return ReadBigEndian32(digest.view());
}

absl::StatusOr<NoteVerifier> NoteVerifier::Create(std::string_view name, NoteKeyType type,
                                                  const VerifyKey& key) {
  CUSTODY_RETURN_IF_ERROR(CheckKeyName(name));
  CUSTODY_ASSIGN_OR_RETURN(const std::string raw, key.Ed25519Raw());
  return NoteVerifier(std::string(name), type, key, NoteKeyId(name, type, raw));
}

absl::StatusOr<VerifiedNoteSignature> NoteVerifier::Verify(std::string_view text,
                                                           std::string_view signature) const {
  VerifiedNoteSignature verified{
      .name = name_, .key_id = key_id_, .type = type_, .timestamp_seconds = 0};
  if (type_ == NoteKeyType::kEd25519) {
    CUSTODY_RETURN_IF_ERROR(key_.Verify(text, signature));
    return verified;
  }
  if (signature.size() != kTimestampSize + kSignatureSizeBytes) {
    return absl::UnauthenticatedError(absl::StrFormat("cosignature has %d bytes, want %d",
                                                      signature.size(),
                                                      kTimestampSize + kSignatureSizeBytes));
  }
  verified.timestamp_seconds = ReadBigEndian64(signature);
  if (!IsTimestamp(verified.timestamp_seconds)) {
    return absl::UnauthenticatedError(
        absl::StrFormat("cosignature of %s has the time %d", name_, verified.timestamp_seconds));
  }
  CUSTODY_RETURN_IF_ERROR(key_.Verify(CosignedMessage(text, verified.timestamp_seconds),
                                      signature.substr(kTimestampSize)));
  return verified;
}

absl::StatusOr<NoteVerifier> ParseVkey(std::string_view vkey) {
  const std::size_t first = vkey.find('+');
  const std::size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos || second - first - 1 != kKeyIdHexDigits) {
    return absl::InvalidArgumentError("vkey is not of the form name+id+key");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string blob, FromBase64(vkey.substr(second + 1)));
  if (blob.size() != 1 + kEd25519PublicSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("vkey holds %d bytes, want %d", blob.size(), 1 + kEd25519PublicSizeBytes));
  }
  const auto type = static_cast<NoteKeyType>(blob.front());
  if (type != NoteKeyType::kEd25519 && type != NoteKeyType::kCosignature) {
    return absl::InvalidArgumentError("vkey is of a type that is not supported");
  }
  CUSTODY_ASSIGN_OR_RETURN(const VerifyKey key,
                           VerifyKey::FromEd25519Raw(std::string_view(blob).substr(1)));
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier,
                           NoteVerifier::Create(vkey.substr(0, first), type, key));
  // One spelling; a key id that is not this key's is caught here too.
  if (FormatVkey(verifier) != vkey) {
    return absl::InvalidArgumentError("key id of the vkey does not belong to its key");
  }
  return verifier;
}

std::string FormatVkey(const NoteVerifier& verifier) {
  const absl::StatusOr<std::string> raw = verifier.key().Ed25519Raw();
  CUSTODY_CHECK(raw.ok());
  std::string blob(1, static_cast<char>(verifier.type()));
  blob.append(*raw);
  return absl::StrFormat("%s+%08x+%s", verifier.name(), verifier.key_id(), ToBase64(blob));
}

absl::StatusOr<NoteSigner> NoteSigner::Create(std::string_view name, const SigningKey& key) {
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier,
                           NoteVerifier::Create(name, NoteKeyType::kEd25519, key.verify_key()));
  return NoteSigner(std::move(verifier), key);
}

absl::StatusOr<NoteSigner> NoteSigner::CreateCosigner(std::string_view name,
                                                      const SigningKey& key) {
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier,
                           NoteVerifier::Create(name, NoteKeyType::kCosignature, key.verify_key()));
  return NoteSigner(std::move(verifier), key);
}

absl::StatusOr<NoteSignature> NoteSigner::Sign(std::string_view text) const {
  if (verifier_.type() != NoteKeyType::kEd25519) {
    return absl::FailedPreconditionError("a cosigner does not sign without a time");
  }
  CUSTODY_ASSIGN_OR_RETURN(std::string signature, key_.Sign(text));
  return NoteSignature{
      .name = verifier_.name(), .key_id = verifier_.key_id(), .signature = std::move(signature)};
}

absl::StatusOr<NoteSignature> NoteSigner::Cosign(std::string_view text,
                                                 std::uint64_t timestamp_seconds) const {
  if (verifier_.type() != NoteKeyType::kCosignature) {
    return absl::FailedPreconditionError("only a cosigner signs with a time");
  }
  if (!IsTimestamp(timestamp_seconds)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("time of a cosignature is %d, want 1 to 2^63-1", timestamp_seconds));
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string signature,
                           key_.Sign(CosignedMessage(text, timestamp_seconds)));
  std::string blob;
  AppendBigEndian64(timestamp_seconds, &blob);
  blob.append(signature);
  return NoteSignature{
      .name = verifier_.name(), .key_id = verifier_.key_id(), .signature = std::move(blob)};
}

}  // namespace custody
