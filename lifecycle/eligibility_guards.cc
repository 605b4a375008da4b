// Guards of DNR-08 to DNR-10.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/donor_evidence.h"
#include "lifecycle/donor_rules.h"
#include "lifecycle/eligibility.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::size_t kCaseIdBytes = 16;

template <typename Values, typename Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The result as it stands now; nullptr if the donor has none of that id.
const v1::ResultState* FindResult(const v1::DonorState& donor, const std::string& result_id) {
  for (const v1::ResultState& result : donor.results()) {
    if (!result.superseded() && result.result().result_id() == result_id) return &result;
  }
  return nullptr;
}

// The reactive result was true for somebody: that donor needs an answer.
void OpenCaseForOtherDonor(RuleContext& context, const std::string& donor_id) {
  const Digest& trigger = context.parsed().digest;
  v1::Event event;
  v1::CaseOpened* const opened = event.mutable_case_opened();
  const Digest id = Sha256Hasher().Update(trigger).Update(donor_id).Update("case").Finish();
  opened->set_case_id(std::string(id.view().substr(0, kCaseIdBytes)));
  opened->set_kind(v1::CASE_KIND_DONOR);
  opened->set_severity(v1::SEVERITY_CRITICAL);
  *opened->add_scope() = RefOf({v1::SUBJECT_KIND_DONOR, donor_id}, v1::SUBJECT_ROLE_SCOPE);
  opened->set_trigger(std::string(trigger.view()));
  opened->add_codes("REACTIVE_RESULT");
  context.Consequence(std::move(event));
}

void FlagBetter(RuleContext& context, v1::Regime regime, const std::string& what) {
  Flag(context, v1::REASON_CODE_E_OUTCOME_BETTER_THAN_PROPOSED, v1::SEVERITY_CRITICAL,
       absl::StrFormat("%s: %s", EnumLabel(regime), what), EnumLabel(regime));
}

std::string Explain(const EligibilityProposal& proposal) {
  std::string text;
  for (const EligibilityRemark& remark : proposal.remarks) {
    if (!text.empty()) text += ", ";
    text += remark.detail;
  }
  return text.empty() ? text : " (" + text + ")";
}

// A better outcome than the evidence allows is refused; what only a documented risk assessment can
// decide is the one exception.
void CheckOutcome(RuleContext& context, const v1::EligibilityDetermined& body, v1::Regime regime,
                  const EligibilityProposal& proposal) {
  const bool assessed = proposal.risk_assessment_would_do &&
                        body.outcome() == v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK &&
                        body.risk_assessment().sha256().size() == Digest::kSizeBytes;
  if (IsBetter(body.outcome(), proposal.outcome) && !assessed) {
    FlagBetter(context, regime,
               absl::StrFormat("%s is better than the proposed %s%s", EnumLabel(body.outcome()),
                               EnumLabel(proposal.outcome), Explain(proposal)));
  }
  // Stricter outcomes need neither labels nor a list.
  if (body.outcome() == v1::ELIGIBILITY_OUTCOME_INELIGIBLE) return;
  if (body.outcome() == v1::ELIGIBILITY_OUTCOME_INCOMPLETE) {
    for (const v1::Marker marker : proposal.missing) {
      if (Contains(body.missing(), static_cast<int>(marker))) continue;
      FlagBetter(context, regime,
                 absl::StrFormat("the list of missing markers leaves out %s", EnumLabel(marker)));
    }
    return;
  }
  for (const std::string& label : proposal.labels) {
    if (Contains(body.labels_required(), label)) continue;
    FlagBetter(context, regime, absl::StrFormat("the label \"%s\" is left out", label));
  }
}

// The regimes of the determination that the donation was assigned for.
google::protobuf::RepeatedField<int> RequireAssigned(RuleContext& context,
                                                     const v1::EligibilityDetermined& body,
                                                     const v1::DonationState& donation) {
  google::protobuf::RepeatedField<int> assigned;
  for (const int regime : body.regimes()) {
    if (Contains(donation.regimes(), regime)) {
      assigned.Add(regime);
      continue;
    }
    const std::string name = EnumLabel(static_cast<v1::Regime>(regime));
    Flag(context, v1::REASON_CODE_E_REGIME, v1::SEVERITY_MAJOR,
         absl::StrFormat("the donation was not assigned for %s", name), name);
  }
  return assigned;
}

void CheckRegime(RuleContext& context, const v1::EligibilityDetermined& body,
                 const v1::DonationState& donation, v1::Regime regime) {
  const auto policy = context.PolicyFor(donation.product_id(), regime);
  if (!policy.has_value()) return;
  const auto proposal =
      ProposeEligibility(context.view(), body.donation_id(), regime, *policy->policy);
  if (!proposal.ok()) {
    // An unknown donor was flagged before; anything else is a failure of the view.
    if (proposal.status().code() != absl::StatusCode::kNotFound) {
      context.KeepError(proposal.status());
    }
    return;
  }
  CheckOutcome(context, body, regime, *proposal);
}

}  // namespace

void GuardTestResultCorrected(RuleContext& context) {
  const v1::TestResultCorrected& body = context.event().test_result_corrected();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor == nullptr) return;
  if (body.laboratory_reason().empty()) {
    Flag(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
         "a correction states the reason of the laboratory", "laboratory_reason");
  }
  if (body.amended_report().sha256().size() != Digest::kSizeBytes) {
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
         "a correction names the amended report", "amended_report");
  }
  const v1::ResultState* const old = FindResult(*donor, body.result_id());
  if (old == nullptr) {
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
         absl::StrFormat("result %s is not known", ToHex(body.result_id())), "result_id");
    return;
  }
  if (old->result().outcome() != body.old_outcome()) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
         absl::StrFormat("the result is %s, not %s", EnumLabel(old->result().outcome()),
                         EnumLabel(body.old_outcome())),
         "old_outcome");
  }
  const v1::Marker marker = old->result().marker();
  const bool was_reactive = ClassOf(marker, old->result().outcome()) == ResultClass::kReactive;
  std::vector<v1::Marker> reactive;
  if (ClassOf(marker, body.new_outcome()) == ResultClass::kReactive) {
    reactive.push_back(marker);
    context.Note(v1::REASON_CODE_REACTIVE_RESULT, v1::SEVERITY_MINOR, EnumLabel(marker));
  }
  if (donor->donor_type() != v1::DONOR_TYPE_NEWBORN) {
    ReopenDeterminations(context, body.donor_id(), Reopening::kIfWorse, FoldTestResultCorrected,
                         reactive);
  }
  if (body.belongs_to_donor_id().empty()) return;
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.belongs_to_donor_id());
  if (was_reactive) OpenCaseForOtherDonor(context, body.belongs_to_donor_id());
}

void GuardEligibilityDetermined(RuleContext& context) {
  const v1::EligibilityDetermined& body = context.event().eligibility_determined();
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, body.donation_id());
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const v1::DonationState* const donation = context.Donation(body.donation_id());
  if (donation == nullptr) return;
  if (donation->donor_id() != body.donor_id()) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL,
         "the donation is of another donor", "donor_id");
  }
  if (body.regimes().empty() || body.outcome() == v1::ELIGIBILITY_OUTCOME_UNSPECIFIED) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "a determination names its regimes and an outcome", "regimes, outcome");
  }
  const auto regimes = RequireAssigned(context, body, *donation);
  context.RequirePolicies(donation->product_id(), regimes);
  for (const int regime : regimes) {
    CheckRegime(context, body, *donation, static_cast<v1::Regime>(regime));
  }
}

void GuardEligibilityReopened(RuleContext& context) {
  context.RequireKnown(v1::SUBJECT_KIND_DONATION,
                       context.event().eligibility_reopened().donation_id());
}

}  // namespace custody
