// Steps that the guards of manufacture, quality control and release share.
//
// Threads: one evaluation, one thread.

#ifndef CUSTODY_LIFECYCLE_LOT_GUARD_H_
#define CUSTODY_LIFECYCLE_LOT_GUARD_H_

#include <string>
#include <string_view>
#include <vector>

#include "custody/v1/state.pb.h"
#include "lifecycle/genealogy.h"
#include "lifecycle/rule_context.h"

namespace custody {

// States a violation in one line; the rest is as in RuleContext::Violation.
void Violate(RuleContext& context, v1::ReasonCode code, v1::Severity severity, std::string message,
             std::string detail = "", SubjectKey subject = {});

SubjectKey BatchKey(std::string_view batch_id);

// Requires that the batch exists and that the event is in place in its phase; violates
// E_UNKNOWN_SUBJECT, E_STATE or E_AFTER_FINAL. nullptr if it does not exist.
//
//   out_of_place   weight of an event that is not in place
const v1::BatchState* RequireBatch(RuleContext& context, std::string_view batch_id,
                                   v1::Severity out_of_place = v1::SEVERITY_MAJOR);

// The policies in force for the product under the regimes of the batch, each once.
std::vector<PolicyRef> PoliciesOf(RuleContext& context, const v1::BatchState& batch);

// The ancestors, or an empty ancestry when the store failed (the evaluation then fails as a whole).
Ancestry AncestorsOf(RuleContext& context, std::string_view batch_id);

// A deviation of class major or critical, or not classified yet.
bool IsGraveAndOpen(const v1::DeviationState& deviation);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LOT_GUARD_H_
