// The verdict: every check for an act at a moment, GO or not. The guards of the clinical decisions
// are these same checks.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_VERDICT_H_
#define CUSTODY_LIFECYCLE_VERDICT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "custody/v1/verdict.pb.h"
#include "lifecycle/state_view.h"

namespace custody {

// Never stops at the first failure; a subject that the view does not carry (bundle) gives
// CANNOT_VERIFY with the check named, not an error.
//
//   request   containers by id; at_ms is used as given (the caller puts "now")
//   tree_size of the log as of which the view reads
//
// Errors: kDataLoss of the view; kInvalidArgument if the request names no container, or a
// moment beyond the year 9999.
absl::StatusOr<v1::Verdict> ComputeVerdict(const StateView& view, const v1::VerdictRequest& request,
                                           std::uint64_t tree_size);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_VERDICT_H_
