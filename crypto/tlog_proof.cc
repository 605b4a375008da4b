// The text of a proof.
//
//   "c2sp.org/tlog-proof@v1" LF ["extra " base64 LF] "index " decimal LF *(base64 LF) LF note

#include "crypto/tlog_proof.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtraPrefix = "extra ";
constexpr std::string_view kIndexPrefix = "index ";
constexpr std::size_t kTlogProofBytesMax =
    kNoteBytesMax + (kTlogProofExtraBytesMax / 3 + 1) * 4 + kTlogProofHashesMax * 45 + 128;

// The next line; every line of a proof ends in a newline.
absl::StatusOr<std::string_view> NextLine(std::string_view* text) {
  const std::optional<std::string_view> line = TakeLine(text);
  if (!line.has_value()) {
    return absl::InvalidArgumentError("proof ends too early");
  }
  return *line;
}

absl::StatusOr<std::string> ParseExtra(std::string_view base64) {
  CUSTODY_ASSIGN_OR_RETURN(std::string extra, FromBase64(base64));
  if (extra.size() > kTlogProofExtraBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("extra has %d bytes, want at most %d",
                                                      extra.size(), kTlogProofExtraBytesMax));
  }
  return extra;
}

// Up to and including the empty line.
absl::StatusOr<std::vector<Digest>> ParseHashes(std::string_view* text) {
  std::vector<Digest> hashes;
  while (true) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string_view line, NextLine(text));
    if (line.empty()) {
      return hashes;
    }
    if (hashes.size() == kTlogProofHashesMax) {
      return absl::InvalidArgumentError(
          absl::StrFormat("proof has more than %d hashes", kTlogProofHashesMax));
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FromBase64(line));
    CUSTODY_ASSIGN_OR_RETURN(const Digest hash, Digest::FromBytes(bytes));
    hashes.push_back(hash);
  }
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text = absl::StrFormat("%s\n", kHeader);
  if (proof.extra.has_value()) {
    text.append(absl::StrFormat("%s%s\n", kExtraPrefix, ToBase64(*proof.extra)));
  }
  text.append(absl::StrFormat("%s%d\n", kIndexPrefix, proof.index));
  for (const Digest& hash : proof.hashes) {
    text.append(absl::StrFormat("%s\n", ToBase64(hash.view())));
  }
  return absl::StrFormat("%s\n%s", text, proof.checkpoint);
}

absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text) {
  if (text.size() > kTlogProofBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("proof has %d bytes, want at most %d", text.size(), kTlogProofBytesMax));
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view header, NextLine(&text));
  if (header != kHeader) {
    return absl::InvalidArgumentError("proof does not begin with the header of version 1");
  }
  TlogProof proof;
  CUSTODY_ASSIGN_OR_RETURN(std::string_view line, NextLine(&text));
  if (TakePrefix(kExtraPrefix, &line)) {
    CUSTODY_ASSIGN_OR_RETURN(proof.extra, ParseExtra(line));
    CUSTODY_ASSIGN_OR_RETURN(line, NextLine(&text));
  }
  if (!TakePrefix(kIndexPrefix, &line)) {
    return absl::InvalidArgumentError("proof states no index");
  }
  CUSTODY_ASSIGN_OR_RETURN(proof.index, ParseDecimal(line));
  CUSTODY_ASSIGN_OR_RETURN(proof.hashes, ParseHashes(&text));
  CUSTODY_ASSIGN_OR_RETURN(const Note note, ParseNote(text));
  CUSTODY_RETURN_IF_ERROR(ParseCheckpointText(note.text).status());
  proof.checkpoint = std::string(text);
  return proof;
}

}  // namespace custody
