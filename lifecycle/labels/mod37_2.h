// ISO/IEC 7064 MOD 37-2, the check of ISBT 128 texts that people type or read aloud.
//
// It finds every single wrong character and every swap of two neighbours.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_MOD37_2_H_
#define CUSTODY_LIFECYCLE_LABELS_MOD37_2_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

// The checksum of `text`, 0..36.
//
// Errors: kInvalidArgument, E_SCAN_MALFORMED, on a character outside 0-9 A-Z: the method has no
// value for lower-case letters.
absl::StatusOr<int> Iso7064Mod37(std::string_view text);

// The checksum as a character: 0-9, A-Z, and '*' for 36. Errors: as Iso7064Mod37.
absl::StatusOr<char> Iso7064Mod37Character(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_MOD37_2_H_
