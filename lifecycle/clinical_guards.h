// Guards of the clinic (CLN). Threads: pure.

#ifndef CUSTODY_LIFECYCLE_CLINICAL_GUARDS_H_
#define CUSTODY_LIFECYCLE_CLINICAL_GUARDS_H_

#include <string>

#include "lifecycle/rule_context.h"

namespace custody {

// Orders and authorisations: clinical_order_guards.cc.
void GuardPatientEnrolled(RuleContext& context);           // CLN-01
void GuardTreatmentOrdered(RuleContext& context);          // CLN-02
void GuardDoseReserved(RuleContext& context);              // CLN-03
void GuardMatchVerified(RuleContext& context);             // CLN-04
void GuardReservationReleased(RuleContext& context);       // CLN-05
void GuardThawAuthorised(RuleContext& context);            // CLN-06T
void GuardAdministrationAuthorised(RuleContext& context);  // CLN-06

// Thaw and preparation: clinical_thaw_guards.cc.
void GuardThawStarted(RuleContext& context);    // CLN-07
void GuardThawCompleted(RuleContext& context);  // CLN-08
void GuardPostThawQc(RuleContext& context);     // CLN-09
void GuardDosePrepared(RuleContext& context);   // CLN-10
void GuardThawAborted(RuleContext& context);    // CLN-14

// Administration and after: clinical_use_guards.cc.
void GuardAdministrationStarted(RuleContext& context);  // CLN-11
void GuardAdministrationEnded(RuleContext& context);    // CLN-12
void GuardContainerDiscarded(RuleContext& context);     // CLN-13
void GuardFollowUpRecorded(RuleContext& context);       // CLN-15

// YYYY-MM-DD, and there is such a day.
bool IsDate(const std::string& text);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CLINICAL_GUARDS_H_
