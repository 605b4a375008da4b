// Guards of the events of materials and manufacture (MAT, MFG), from DOMAIN 2.5 and the readings of
// 0.5: what each event needs, and what is found when it lacks it.
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
