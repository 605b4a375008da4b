// What an event about a donor does to determinations that were made before it.

#include <algorithm>
#include <optional>
#include <vector>

#include "lifecycle/donor_evidence.h"
#include "lifecycle/donor_rules.h"
#include "lifecycle/eligibility.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::size_t kHoldIdBytes = 16;

// Another view with one state replaced.
class OverlayView final : public StateView {
 public:
  OverlayView(const StateView& base, SubjectKey key, v1::SubjectState state)
      : base_(base), key_(std::move(key)), state_(std::move(state)) {}

  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    if (key == key_) return &state_;
    return base_.Find(key);
  }

 private:
  const StateView& base_;
  SubjectKey key_;
  v1::SubjectState state_;
};

template <typename Values, typename Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool Carries(const v1::EligibilityState& determined, const std::string& label) {
  return Contains(determined.labels(), label);
}

bool IsAdverse(const EligibilityRemark& remark) {
  return remark.code == v1::REASON_CODE_REACTIVE_RESULT ||
         remark.code == v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE;
}

// A proposal of the same outcome rests on something that whoever determined could not know.
bool HasNewReason(const EligibilityProposal& before, const EligibilityProposal& after) {
  if (before.risk_assessment_would_do && !after.risk_assessment_would_do) return true;
  const bool new_marker =
      std::any_of(after.missing.begin(), after.missing.end(),
                  [&](const auto& marker) { return !Contains(before.missing, marker); });
  return new_marker || std::any_of(after.remarks.begin(), after.remarks.end(), [&](const auto& r) {
           return IsAdverse(r) && !Contains(before.remarks, r);
         });
}

class Reopener {
 public:
  Reopener(RuleContext& context, const StateView& after, Reopening reopening,
           std::span<const v1::Marker> reactive)
      : context_(context), after_(after), reopening_(reopening), reactive_(reactive) {}

  void ReopenDonationsOf(const v1::DonorState& donor) {
    for (const std::string& donation_id : donor.donation_ids()) Reopen(donation_id);
  }

 private:
  void Reopen(const std::string& donation_id) {
    const v1::DonationState* const donation = context_.Donation(donation_id);
    if (donation == nullptr) return;
    for (const v1::EligibilityState& determined : donation->eligibility()) {
      if (!IsUndermined(donation_id, *donation, determined)) continue;
      v1::Event event;
      v1::EligibilityReopened* const body = event.mutable_eligibility_reopened();
      body->set_donation_id(donation_id);
      body->set_trigger(std::string(context_.parsed().digest.view()));
      body->set_previous_outcome(determined.outcome());
      context_.Consequence(std::move(event));
      HoldDonation(context_, donation_id,
                   reactive_.empty() ? v1::REASON_CODE_ELIGIBILITY_REOPENED
                                     : v1::REASON_CODE_REACTIVE_RESULT);
      return;  // One event reopens the donation for all regimes.
    }
  }

  bool IsUndermined(const std::string& donation_id, const v1::DonationState& donation,
                    const v1::EligibilityState& determined) {
    if (determined.outcome() == v1::ELIGIBILITY_OUTCOME_INELIGIBLE || determined.reopened()) {
      return false;
    }
    if (reopening_ == Reopening::kAlways) return true;
    const v1::Regime regime = determined.regime();
    const std::optional<PolicyRef> policy = context_.PolicyFor(donation.product_id(), regime);
    // Without a policy nobody can say that the determination still stands.
    if (!policy.has_value()) return true;
    for (const v1::Marker marker : reactive_) {
      const auto rule = FindMarkerRule(policy->policy->donor(), regime, donation, marker);
      const bool labelled = rule.has_value() &&
                            rule->on_reactive() == v1::REACTIVE_RULE_RISK_LABEL &&
                            Carries(determined, rule->label());
      if (!labelled) return true;
    }
    return IsWorseAfter(donation_id, determined, *policy->policy);
  }

  bool IsWorseAfter(const std::string& donation_id, const v1::EligibilityState& determined,
                    const v1::Policy& policy) {
    const auto before =
        ProposeEligibility(context_.view(), donation_id, determined.regime(), policy);
    const auto after = ProposeEligibility(after_, donation_id, determined.regime(), policy);
    if (!before.ok() || !after.ok()) {
      context_.KeepError(before.ok() ? after.status() : before.status());
      return false;
    }
    if (IsBetter(determined.outcome(), after->outcome) &&
        (IsBetter(before->outcome, after->outcome) || HasNewReason(*before, *after))) {
      return true;
    }
    return std::any_of(after->labels.begin(), after->labels.end(), [&](const auto& label) {
      return !Contains(before->labels, label) && !Carries(determined, label);
    });
  }

  RuleContext& context_;
  const StateView& after_;
  Reopening reopening_;
  std::span<const v1::Marker> reactive_;
};

}  // namespace

void HoldDonation(RuleContext& context, std::string_view donation_id, v1::ReasonCode reason) {
  const Digest& trigger = context.parsed().digest;
  v1::Event event;
  v1::HoldPlaced* const hold = event.mutable_hold_placed();
  const Digest id = Sha256Hasher().Update(trigger).Update(donation_id).Update("hold").Finish();
  hold->set_hold_id(std::string(id.view().substr(0, kHoldIdBytes)));
  *hold->mutable_scope() =
      RefOf({v1::SUBJECT_KIND_DONATION, std::string(donation_id)}, v1::SUBJECT_ROLE_SCOPE);
  hold->set_hold_reason_code(EnumLabel(reason));
  hold->set_authority(v1::HOLD_AUTHORITY_SYSTEM);
  hold->set_trigger(std::string(trigger.view()));
  context.Consequence(std::move(event));
}

void ReopenDeterminations(RuleContext& context, std::string_view donor_id, Reopening reopening,
                          void (*fold)(const FoldInput&, v1::SubjectState*),
                          std::span<const v1::Marker> reactive) {
  const SubjectKey key{v1::SUBJECT_KIND_DONOR, std::string(donor_id)};
  const v1::SubjectState* const before = context.Find(key.kind, key.id);
  if (before == nullptr || !before->has_donor()) return;
  v1::SubjectState after = *before;
  // Seen with only its adverse part: whether the rest counts is decided after the guard.
  fold({.event = context.parsed(),
        .index = before->last_index() + 1,
        .recorded_at_ms = context.recorded_at_ms(),
        .findings = {},
        .standing = Standing::kAdverseOnly,
        .subject = key,
        .role = v1::SUBJECT_ROLE_PRIMARY},
       &after);
  const OverlayView overlay(context.view(), key, std::move(after));
  Reopener reopener(context, overlay, reopening, reactive);
  reopener.ReopenDonationsOf(before->donor());
  for (const std::string& newborn_id : before->donor().newborn_ids()) {
    const v1::DonorState* const newborn = context.Donor(newborn_id);
    if (newborn != nullptr) reopener.ReopenDonationsOf(*newborn);
  }
}

}  // namespace custody
