// Guards of the events of quality control and release (QC, REL); what each event needs stands in
// docs/event-catalogue.md.
//
// Threads: one evaluation, one thread.

#ifndef CUSTODY_LIFECYCLE_QUALITY_GUARDS_H_
#define CUSTODY_LIFECYCLE_QUALITY_GUARDS_H_

#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "lifecycle/rule_context.h"

namespace custody {

// qc_guards.cc
void GuardSampleTaken(RuleContext& context);
void GuardQcResultReported(RuleContext& context);
void GuardQcResultCorrected(RuleContext& context);
void GuardOosOpened(RuleContext& context);
void GuardOosPhase1Closed(RuleContext& context);
void GuardOosClosed(RuleContext& context);

// release_guards.cc
void GuardBatchRecordReviewed(RuleContext& context);
void GuardCoaIssued(RuleContext& context);
void GuardLotReleased(RuleContext& context);
void GuardLotRejected(RuleContext& context);
void GuardReleaseSuspended(RuleContext& context);
void GuardReleaseReinstated(RuleContext& context);

// Id of the investigation that the ledger opens for a failing result: the first 16 bytes of
// SHA-256(event digest || result id), so that whoever replays the log opens the same one.
std::string OosIdFor(const Digest& event_digest, std::string_view result_id);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_QUALITY_GUARDS_H_
