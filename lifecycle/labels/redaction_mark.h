// The mark that stands in a recorded scan where a structure that identifies a person stood.
//
//   mark   = "[" scheme ":" token "]"
//   scheme = "DS" 3DIGIT / "AI" 4DIGIT / "OPAQUE"
//   token  = 1*128( ALPHA / DIGIT / "-" / "_" / "." )
//
// A mark replaces the whole structure, its identifier included. No structure of either scheme
// begins with "[", so a redacted scan can be parsed like any other.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_REDACTION_MARK_H_
#define CUSTODY_LIFECYCLE_LABELS_REDACTION_MARK_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

struct RedactionMark {
  std::string scheme;  // "DS025", "AI8018", "OPAQUE"
  std::string token;

  std::string ToString() const;
};

// Whether the token has the form above. Errors: kInvalidArgument, E_SCAN_MALFORMED.
absl::Status CheckRedactionToken(std::string_view token);

// Takes the mark at the beginning of `*rest`, which must begin with '[', off it.
// Errors: kInvalidArgument, E_SCAN_MALFORMED.
absl::StatusOr<RedactionMark> TakeRedactionMark(std::string_view* rest);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_REDACTION_MARK_H_
