// C2SP tlog-witness: the body with which a log asks a witness for a cosignature, and the few other
// texts of that protocol.
//
// Parsing judges the form only; whether to believe the checkpoint and the proof is the witness's
// business.
//
// Threads: pure functions.
// Format:  "old <n>", hashes in base64 (RFC 6962 consistency from old to the checkpoint's size), an
//          empty line, the checkpoint note verbatim.
// Limits:  63 hashes; the note as in note.h.

#ifndef CUSTODY_CRYPTO_TLOG_WITNESS_H_
#define CUSTODY_CRYPTO_TLOG_WITNESS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/note.h"

namespace custody {

inline constexpr std::size_t kAddCheckpointHashesMax = 63;
// A first line, the hashes, an empty line, a note.
inline constexpr std::size_t kAddCheckpointBytesMax =
    32 + kAddCheckpointHashesMax * 45 + 1 + kNoteBytesMax;
// The content type of an answer that states a size.
inline constexpr std::string_view kTreeSizeContentType = "text/x.tlog.size";

struct AddCheckpointRequest {
  std::uint64_t old_size = 0;
  std::vector<Digest> proof;
  std::string checkpoint;  // The note, unverified.
};

// Requires valid parts. Never fails.
std::string FormatAddCheckpoint(const AddCheckpointRequest& request);
// Errors: kInvalidArgument unless `body` is exactly what FormatAddCheckpoint() would write, the
// checkpoint being a well-formed note.
absl::StatusOr<AddCheckpointRequest> ParseAddCheckpoint(std::string_view body);

// "<decimal>\n", the body of a 409.
std::string FormatTreeSize(std::uint64_t size);
// Errors: kInvalidArgument.
absl::StatusOr<std::uint64_t> ParseTreeSize(std::string_view body);

// The signature lines of a 200, in their order. Errors: kInvalidArgument if it is anything else
// than 1 to 16 signature lines.
inline constexpr std::size_t kCosignatureLinesMax = 16;
absl::StatusOr<std::vector<NoteSignature>> ParseCosignatureLines(std::string_view body);

// What stands for a log in the paths of the read interface: lowercase hex SHA-256 of its origin.
std::string OriginHash(std::string_view origin);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_TLOG_WITNESS_H_
