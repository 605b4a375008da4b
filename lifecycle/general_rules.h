// Rules that hold for every event: time, reasons, calibration of instruments, open cases.

#ifndef CUSTODY_LIFECYCLE_GENERAL_RULES_H_
#define CUSTODY_LIFECYCLE_GENERAL_RULES_H_

#include "lifecycle/evaluate.h"
#include "lifecycle/rule_context.h"

namespace custody {

// Adds what is wrong to the context. Protective acts and events of the ledger itself are exempt.
void CheckGeneralRules(const EvaluationInput& input, const v1::LedgerState& ledger,
                       RuleContext* context);

// Whether a critical case on its subjects refuses such a decision. It does not refuse the decisions
// by which people deal with the case: governance, cases, vigilance, protective acts, and those that
// investigate or only make things stricter (docs: lifecycle/README.md).
bool IsBlockedByCases(const CatalogueEntry& entry);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_GENERAL_RULES_H_
