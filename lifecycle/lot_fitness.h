// Everything that must be true of a lot and of all that it comes from before it may be used: the
// conditions of REL-03, asked again by REL-08.
//
// Threads: one evaluation, one thread.

#ifndef CUSTODY_LIFECYCLE_LOT_FITNESS_H_
#define CUSTODY_LIFECYCLE_LOT_FITNESS_H_

#include <string>
#include <vector>

#include "custody/v1/state.pb.h"
#include "lifecycle/lot_rows.h"
#include "lifecycle/rule_context.h"

namespace custody {

// Violates once for each condition that is not met:
//   - holds, critical cases, events without rules and missing group parts on the lot or an
//   ancestor;
//   - ancestors that are unknown, rejected, recalled, suspended or aborted, or too many to walk;
//   - donations whose starting material was not accepted, or that are not eligible for a regime;
//   - open investigations, and open deviations that are not minor, of the lot or an ancestor batch;
//   - materials that were never released;
//   - an environment that was worse than the policy asks, without a closed deviation about it;
//   - rows of a policy that are not met or missing (each policy of `policies`).
void RequireFitLot(RuleContext& context, const std::string& batch_id, const v1::BatchState& batch,
                   const std::vector<PolicyRef>& policies, const LotUse& use);

// The violations about open deviations of one batch.
void RequireNoGraveDeviation(RuleContext& context, const std::string& batch_id,
                             const v1::BatchState& batch);

// The violations about the environment of the lot. A deviation with this description code, opened
// after the failure was recorded and closed since, answers for it.
inline constexpr char kEnvironmentDeviation[] = "ENVIRONMENT";
void RequireEnvironment(RuleContext& context, const std::string& batch_id,
                        const v1::BatchState& batch);

// The violations about rows of the policies.
void RequireRows(RuleContext& context, const std::string& batch_id,
                 const std::vector<PolicyRef>& policies, const LotUse& use);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LOT_FITNESS_H_
