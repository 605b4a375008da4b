// The body of add-checkpoint.
//
//   "old " decimal LF *63(base64 LF) LF note

#include "crypto/tlog_witness.h"

#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

constexpr std::string_view kOldPrefix = "old ";

absl::StatusOr<std::uint64_t> ParseOldLine(std::string_view* body) {
  std::optional<std::string_view> line = TakeLine(body);
  if (!line.has_value() || !TakePrefix(kOldPrefix, &*line)) {
    return absl::InvalidArgumentError("the first line is not \"old <size>\"");
  }
  return ParseDecimal(*line);
}

// Up to and including the empty line.
absl::StatusOr<std::vector<Digest>> ParseProof(std::string_view* body) {
  std::vector<Digest> proof;
  for (;;) {
    const std::optional<std::string_view> line = TakeLine(body);
    if (!line.has_value()) {
      return absl::InvalidArgumentError("no empty line before the checkpoint");
    }
    if (line->empty()) return proof;
    // Counted before it is parsed: the work is bounded whatever the lines hold.
    if (proof.size() == kAddCheckpointHashesMax) {
      return absl::InvalidArgumentError(
          absl::StrFormat("the proof has more than %d hashes", kAddCheckpointHashesMax));
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FromBase64(*line));
    CUSTODY_ASSIGN_OR_RETURN(const Digest hash, Digest::FromBytes(bytes));
    proof.push_back(hash);
  }
}

}  // namespace

std::string FormatAddCheckpoint(const AddCheckpointRequest& request) {
  std::string body = absl::StrFormat("%s%d\n", kOldPrefix, request.old_size);
  for (const Digest& hash : request.proof) {
    body.append(absl::StrFormat("%s\n", ToBase64(hash.view())));
  }
  return absl::StrFormat("%s\n%s", body, request.checkpoint);
}

absl::StatusOr<AddCheckpointRequest> ParseAddCheckpoint(std::string_view body) {
  if (body.size() > kAddCheckpointBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("the body has %d bytes, want at most %d",
                                                      body.size(), kAddCheckpointBytesMax));
  }
  AddCheckpointRequest request;
  CUSTODY_ASSIGN_OR_RETURN(request.old_size, ParseOldLine(&body));
  CUSTODY_ASSIGN_OR_RETURN(request.proof, ParseProof(&body));
  CUSTODY_RETURN_IF_ERROR(ParseNote(body).status());
  request.checkpoint = std::string(body);
  return request;
}

std::string FormatTreeSize(std::uint64_t size) { return absl::StrFormat("%d\n", size); }

absl::StatusOr<std::uint64_t> ParseTreeSize(std::string_view body) {
  const std::optional<std::string_view> line = TakeLine(&body);
  if (!line.has_value() || !body.empty()) {
    return absl::InvalidArgumentError("a size is one line");
  }
  return ParseDecimal(*line);
}

absl::StatusOr<std::vector<NoteSignature>> ParseCosignatureLines(std::string_view body) {
  std::vector<NoteSignature> lines;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos || lines.size() == kCosignatureLinesMax) {
      return absl::InvalidArgumentError(
          absl::StrFormat("want 1 to %d signature lines", kCosignatureLinesMax));
    }
    CUSTODY_ASSIGN_OR_RETURN(NoteSignature line, ParseNoteSignatureLine(body.substr(0, end + 1)));
    lines.push_back(std::move(line));
    body.remove_prefix(end + 1);
  }
  if (lines.empty()) return absl::InvalidArgumentError("the answer has no signature line");
  return lines;
}

std::string OriginHash(std::string_view origin) { return Sha256(origin).ToHex(); }

}  // namespace custody
