// Infection markers printed on a label (ISBT 128 data structure 027).
//
// A display of final results only: the code cannot say "indeterminate" or "pending", so nothing
// here is ever the input of an eligibility decision.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_INFECTION_MARKER_H_
#define CUSTODY_LIFECYCLE_LABELS_INFECTION_MARKER_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

enum class MarkerResult { kNoInformation, kNegative, kReactive };

struct InfectionMarker {
  std::string_view name;  // "HCV antibody"; static memory
  MarkerResult result = MarkerResult::kNoInformation;
};

// The nineteen markers of 18 digits, in the order of the structure.
//
// Errors: kInvalidArgument, E_SCAN_MALFORMED, if there are not 18 digits, one of the first ten is 9
// or the unassigned half of the tenth is used.
absl::StatusOr<std::vector<InfectionMarker>> ParseInfectionMarkers(std::string_view digits);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_INFECTION_MARKER_H_
