// Guards and folds of donors, eligibility and procurement; the tables are in donor_rules.cc and
// procurement_rules.cc.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_DONOR_RULES_H_
#define CUSTODY_LIFECYCLE_DONOR_RULES_H_

#include <span>
#include <string>
#include <string_view>

#include "lifecycle/fold.h"
#include "lifecycle/rule_context.h"

namespace custody {

// Short form of Violate() for these rules.
void Flag(RuleContext& context, v1::ReasonCode code, v1::Severity severity, std::string message,
          std::string detail);

// Consent to all of `scopes` by the donor or (for a newborn) the birth mother: granted at the
// moment, and signed after every withdrawal until then in the family that concerns it.
bool HasConsent(RuleContext& context, const v1::DonorState& donor,
                const google::protobuf::RepeatedField<int>& scopes, std::int64_t at_ms);

// Any consent at all was in force at the moment, of the donor, its birth mother or a newborn of
// hers.
bool HasAnyConsent(RuleContext& context, const v1::DonorState& donor, std::int64_t at_ms);

// Adds `subject` to an identifier; another subject before it makes a conflict.
void BindIdentifier(const SubjectKey& subject, v1::SubjectState* state);

void GuardDonorRegistered(RuleContext& context);
void GuardConsentGranted(RuleContext& context);
void GuardConsentWithdrawn(RuleContext& context);
void GuardScreeningRecorded(RuleContext& context);
void GuardSpecimenCollected(RuleContext& context);
void GuardPlasmaDilutionAssessed(RuleContext& context);
void GuardTestResultReported(RuleContext& context);
void GuardTestResultCorrected(RuleContext& context);
void GuardEligibilityDetermined(RuleContext& context);
void GuardEligibilityReopened(RuleContext& context);
void GuardPostDonationInformation(RuleContext& context);

void FoldDonorRegistered(const FoldInput& input, v1::SubjectState* state);
void FoldConsentGranted(const FoldInput& input, v1::SubjectState* state);
void FoldConsentWithdrawn(const FoldInput& input, v1::SubjectState* state);
void FoldScreeningRecorded(const FoldInput& input, v1::SubjectState* state);
void FoldSpecimenCollected(const FoldInput& input, v1::SubjectState* state);
void FoldPlasmaDilutionAssessed(const FoldInput& input, v1::SubjectState* state);
void FoldTestResultReported(const FoldInput& input, v1::SubjectState* state);
void FoldTestResultCorrected(const FoldInput& input, v1::SubjectState* state);
void FoldEligibilityDetermined(const FoldInput& input, v1::SubjectState* state);
void FoldEligibilityReopened(const FoldInput& input, v1::SubjectState* state);
void FoldPostDonationInformation(const FoldInput& input, v1::SubjectState* state);

// When the determinations of a donor's donations are reopened by an event about the donor.
enum class Reopening {
  // The event makes the proposal worse than what was determined, or as bad for a further reason; or
  // names a reactive marker that the determination does not carry as a label; or no policy can say.
  kIfWorse,
  kAlways,
};

// Adds EligibilityReopened and HoldPlaced for each donation of the donor, and of the newborns whose
// birth mother the donor is, whose determination no longer stands. A determination as ineligible
// stands: nothing is worse.
//
//   fold       of the event that the context is about; used to see the proposal after it
//   reactive   markers that the event reports as reactive
void ReopenDeterminations(RuleContext& context, std::string_view donor_id, Reopening reopening,
                          void (*fold)(const FoldInput&, v1::SubjectState*),
                          std::span<const v1::Marker> reactive);

// Adds a hold on a donation by the ledger itself; its id derives from the event and the donation.
void HoldDonation(RuleContext& context, std::string_view donation_id, v1::ReasonCode reason);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_DONOR_RULES_H_
