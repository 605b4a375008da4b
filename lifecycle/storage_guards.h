// Guards of cryopreservation and storage (CRY). Threads: pure.

#ifndef CUSTODY_LIFECYCLE_STORAGE_GUARDS_H_
#define CUSTODY_LIFECYCLE_STORAGE_GUARDS_H_

#include "lifecycle/rule_context.h"

namespace custody {

void GuardFrozen(RuleContext& context);              // CRY-01
void GuardPlacedInStorage(RuleContext& context);     // CRY-02
void GuardMoved(RuleContext& context);               // CRY-03
void GuardTemperatureSeries(RuleContext& context);   // CRY-04
void GuardExcursionDetected(RuleContext& context);   // CRY-05
void GuardExcursionAssessed(RuleContext& context);   // CRY-06
void GuardRemovedFromStorage(RuleContext& context);  // CRY-08

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_STORAGE_GUARDS_H_
