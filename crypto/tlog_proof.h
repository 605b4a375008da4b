// C2SP tlog-proof v1: an inclusion proof and its checkpoint as one text, for offline use.
//
// Parsing judges the form only. The verifier computes the leaf hash from the entry at hand, opens
// the checkpoint with its own keys and then calls VerifyInclusion() with the checkpoint's size and
// root.
//
// Threads: pure functions.
// Format:  "c2sp.org/tlog-proof@v1", ["extra <base64>"], "index <n>", hashes in base64 (the leaf's
//          sibling first), an empty line, the checkpoint note verbatim; README.md.
// Limits:  63 hashes; `extra` up to 48 KiB; the note as in note.h.

#ifndef CUSTODY_CRYPTO_TLOG_PROOF_H_
#define CUSTODY_CRYPTO_TLOG_PROOF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

inline constexpr std::size_t kTlogProofExtraBytesMax = 48U << 10;
inline constexpr std::size_t kTlogProofHashesMax = 63;

struct TlogProof {
  std::optional<std::string> extra;  // Unauthenticated bytes.
  std::uint64_t index = 0;
  std::vector<Digest> hashes;
  std::string checkpoint;  // The note, unverified.
};

// Requires valid parts. Never fails.
std::string FormatTlogProof(const TlogProof& proof);

// Errors: kInvalidArgument unless `text` is exactly what FormatTlogProof() would write, the
// checkpoint being a well-formed note with a well-formed text.
absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_TLOG_PROOF_H_
