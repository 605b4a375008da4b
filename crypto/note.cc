#include "crypto/note.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // Em dash, space.
constexpr std::size_t kKeyIdSize = 4;

absl::StatusOr<NoteSignature> ParseSignature(std::string_view line) {
  if (!TakePrefix(kSignaturePrefix, &line)) {
    return absl::InvalidArgumentError("signature line does not begin with a dash and a space");
  }
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) {
    return absl::InvalidArgumentError("signature line holds no signature");
  }
  const std::string_view name = line.substr(0, space);
  CUSTODY_RETURN_IF_ERROR(CheckKeyName(name));
  CUSTODY_ASSIGN_OR_RETURN(const std::string blob, FromBase64(line.substr(space + 1)));
  if (blob.size() <= kKeyIdSize) {
    return absl::InvalidArgumentError("signature line holds a key id at most");
  }
  return NoteSignature{.name = std::string(name),
                       .key_id = ReadBigEndian32(blob),
                       .signature = blob.substr(kKeyIdSize)};
}

absl::StatusOr<std::vector<NoteSignature>> ParseSignatures(std::string_view lines) {
  std::vector<NoteSignature> signatures;
  std::set<std::pair<std::string, std::uint32_t>> seen;
  while (!lines.empty()) {
    const std::optional<std::string_view> line = TakeLine(&lines);
    if (!line.has_value()) {
      return absl::InvalidArgumentError("note does not end in a newline");
    }
    // Counted before it is parsed: the work is bounded whatever the lines hold.
    if (signatures.size() == kNoteSignaturesMax) {
      return absl::InvalidArgumentError(
          absl::StrFormat("note has more than %d signatures", kNoteSignaturesMax));
    }
    CUSTODY_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignature(*line));
    // Go collapses such lines when they are equal; which of two counts must not depend on a reader.
    if (!seen.emplace(signature.name, signature.key_id).second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("note has two signatures of %s+%08x", signature.name, signature.key_id));
    }
    signatures.push_back(std::move(signature));
  }
  if (signatures.empty()) {
    return absl::InvalidArgumentError("note has no signature");
  }
  return signatures;
}

absl::Status CheckDistinct(std::span<const NoteVerifier> verifiers) {
  std::set<std::pair<std::string_view, std::uint32_t>> seen;
  for (const NoteVerifier& verifier : verifiers) {
    if (!seen.emplace(verifier.name(), verifier.key_id()).second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("two verifiers are called %s+%08x", verifier.name(), verifier.key_id()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Note> ParseNote(std::string_view bytes) {
  if (bytes.size() > kNoteBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("note has %d bytes, want at most %d", bytes.size(), kNoteBytesMax));
  }
  CUSTODY_RETURN_IF_ERROR(CheckNoteCharacters(bytes));
  // The text may hold empty lines, the signatures may not: the last one separates.
  const std::size_t separator = bytes.rfind("\n\n");
  if (separator == std::string_view::npos) {
    return absl::InvalidArgumentError("note has no empty line before its signatures");
  }
  Note note{.text = std::string(bytes.substr(0, separator + 1)), .signatures = {}};
  CUSTODY_ASSIGN_OR_RETURN(note.signatures, ParseSignatures(bytes.substr(separator + 2)));
  return note;
}

std::string FormatNoteSignatureLine(const NoteSignature& signature) {
  std::string blob;
  AppendBigEndian32(signature.key_id, &blob);
  blob.append(signature.signature);
  return absl::StrFormat("%s%s %s\n", kSignaturePrefix, signature.name, ToBase64(blob));
}

absl::StatusOr<NoteSignature> ParseNoteSignatureLine(std::string_view line) {
  if (line.size() > kNoteBytesMax || !line.ends_with('\n')) {
    return absl::InvalidArgumentError("signature line does not end in a newline");
  }
  return ParseSignature(line.substr(0, line.size() - 1));
}

std::string FormatNote(const Note& note) {
  std::string bytes = note.text;
  bytes.push_back('\n');
  for (const NoteSignature& signature : note.signatures) {
    bytes.append(FormatNoteSignatureLine(signature));
  }
  return bytes;
}

absl::StatusOr<OpenedNote> OpenNote(const Note& note, std::span<const NoteVerifier> verifiers) {
  CUSTODY_RETURN_IF_ERROR(CheckDistinct(verifiers));
  OpenedNote opened{.text = note.text, .verified = {}};
  for (const NoteSignature& signature : note.signatures) {
    const auto known =
        std::find_if(verifiers.begin(), verifiers.end(), [&](const NoteVerifier& verifier) {
          return verifier.name() == signature.name && verifier.key_id() == signature.key_id;
        });
    if (known == verifiers.end()) {
      continue;
    }
    CUSTODY_ASSIGN_OR_RETURN(VerifiedNoteSignature verified,
                             known->Verify(note.text, signature.signature));
    opened.verified.push_back(std::move(verified));
  }
  if (opened.verified.empty()) {
    return absl::UnauthenticatedError("note has no signature of a known key");
  }
  return opened;
}

absl::StatusOr<OpenedNote> OpenNote(std::string_view bytes,
                                    std::span<const NoteVerifier> verifiers) {
  CUSTODY_ASSIGN_OR_RETURN(const Note note, ParseNote(bytes));
  return OpenNote(note, verifiers);
}

}  // namespace custody
