// Guards of the events of materials and manufacture (MAT, MFG); what each event needs stands in
// docs/event-catalogue.md.
//
// Threads: one evaluation, one thread.

#ifndef CUSTODY_LIFECYCLE_MANUFACTURING_GUARDS_H_
#define CUSTODY_LIFECYCLE_MANUFACTURING_GUARDS_H_

#include "lifecycle/rule_context.h"

namespace custody {

// batch_created_guard.cc
void GuardBatchCreated(RuleContext& context);

// culture_guards.cc
void GuardMaterialReceived(RuleContext& context);
void GuardMaterialReleased(RuleContext& context);
void GuardLineClearance(RuleContext& context);
void GuardIsolationPerformed(RuleContext& context);
void GuardMaterialConsumed(RuleContext& context);
void GuardCultureSeeded(RuleContext& context);
void GuardPassagePerformed(RuleContext& context);
void GuardInProcessCheck(RuleContext& context);
void GuardEnvironmentMonitored(RuleContext& context);
void GuardHarvested(RuleContext& context);

// fill_guards.cc
void GuardFormulatedAndFilled(RuleContext& context);
void GuardContainerLabelled(RuleContext& context);
void GuardLabelsReconciled(RuleContext& context);

// deviation_guards.cc
void GuardDeviationOpened(RuleContext& context);
void GuardDeviationClassified(RuleContext& context);
void GuardDeviationClosed(RuleContext& context);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_MANUFACTURING_GUARDS_H_
