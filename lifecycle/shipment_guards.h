// Guards of shipments (SHP). Threads: pure.

#ifndef CUSTODY_LIFECYCLE_SHIPMENT_GUARDS_H_
#define CUSTODY_LIFECYCLE_SHIPMENT_GUARDS_H_

#include "lifecycle/rule_context.h"

namespace custody {

void GuardShipmentAuthorised(RuleContext& context);  // SHP-00
void GuardShipmentPrepared(RuleContext& context);    // SHP-01
void GuardRelinquished(RuleContext& context);        // SHP-02
void GuardCustodyAccepted(RuleContext& context);     // SHP-03
void GuardCustodyTransferred(RuleContext& context);  // SHP-04
void GuardDelivered(RuleContext& context);           // SHP-05
void GuardLoggerDataAttached(RuleContext& context);  // SHP-06
void GuardReceiptInspected(RuleContext& context);    // SHP-07
void GuardShipmentEnded(RuleContext& context);       // SHP-08

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_SHIPMENT_GUARDS_H_
