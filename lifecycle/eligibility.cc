#include "lifecycle/eligibility.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/donor_evidence.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

constexpr char kAutologousLabel[] = "FOR AUTOLOGOUS USE ONLY";
constexpr char kNotEvaluatedLabel[] = "NOT EVALUATED FOR INFECTIOUS SUBSTANCES";
constexpr char kBiohazardLabel[] = "BIOHAZARD";

// Everything that the proposal reads, fetched before it is judged.
struct Inputs {
  const v1::DonationState* donation = nullptr;
  const v1::DonorState* donor = nullptr;
  // The donor, or the birth mother of a newborn; nullptr if she is not known.
  const v1::DonorState* tested = nullptr;
  bool as_mother = false;
  std::optional<Recovery> recovery;
  bool storable = true;
};

// What the counted results of one marker say.
struct MarkerEvidence {
  // Worst of those that count; nullopt if none does.
  std::optional<ResultClass> worst;
  // A specimen that infusions diluted would have given a negative result.
  bool diluted = false;
  // The same, and the dilution was assessed as unacceptable.
  bool dilution_unacceptable = false;
  // At least one result that would have counted whatever it said: authority, person, window, assay.
  bool tested = false;
  // A supplemental negative for this very marker.
  bool confirmed_negative = false;

  void Count(ResultClass result) { worst = std::max(worst.value_or(result), result); }
};

absl::StatusOr<const v1::DonorState*> FindDonor(const StateView& view, const std::string& id) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const state,
                           view.Find({v1::SUBJECT_KIND_DONOR, id}));
  return state != nullptr && state->has_donor() ? &state->donor() : nullptr;
}

absl::StatusOr<Inputs> ReadInputs(const StateView& view, std::string_view donation_id) {
  Inputs inputs;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const state,
                           view.Find({v1::SUBJECT_KIND_DONATION, std::string(donation_id)}));
  if (state == nullptr || !state->has_donation()) {
    return absl::NotFoundError(absl::StrFormat("donation %s is not known", ToHex(donation_id)));
  }
  inputs.donation = &state->donation();
  CUSTODY_ASSIGN_OR_RETURN(inputs.donor, FindDonor(view, inputs.donation->donor_id()));
  if (inputs.donor == nullptr) {
    return absl::NotFoundError(
        absl::StrFormat("the donor of donation %s is not known", ToHex(donation_id)));
  }
  inputs.as_mother = inputs.donor->donor_type() == v1::DONOR_TYPE_NEWBORN;
  inputs.tested = inputs.donor;
  if (inputs.as_mother) {
    CUSTODY_ASSIGN_OR_RETURN(inputs.tested, FindDonor(view, inputs.donor->birth_mother_id()));
  }
  CUSTODY_ASSIGN_OR_RETURN(inputs.recovery, RecoveryOf(view, *inputs.donation));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const product,
                           view.Find({v1::SUBJECT_KIND_PRODUCT, inputs.donation->product_id()}));
  inputs.storable = product == nullptr || !product->has_product() ||
                    product->product().presentation() != v1::PRESENTATION_FRESH;
  return inputs;
}

// One evaluation of one donation for one regime.
class Evaluator {
 public:
  Evaluator(const Inputs& inputs, v1::Regime regime, const v1::DonorPolicy& policy)
      : in_(inputs), regime_(regime), policy_(policy) {
    if (policy.windows().empty()) return;
    window_ = FindWindow(policy, regime, inputs.donation->tissue_type());
  }

  EligibilityProposal Run() {
    CollectEvidence();
    JudgeMarkers();
    JudgeScreening();
    Conclude();
    return std::move(proposal_);
  }

 private:
  bool NeedsSecondSample() const {
    return std::find(policy_.retest_regimes().begin(), policy_.retest_regimes().end(), regime_) !=
               policy_.retest_regimes().end() &&
           in_.storable && !policy_.has_inactivation_validation() &&
           in_.donation->intent() != v1::DONATION_INTENT_AUTOLOGOUS;
  }

  void Remark(v1::ReasonCode code, v1::Marker marker, std::string detail) {
    proposal_.remarks.push_back({code, marker, std::move(detail)});
  }

  void CollectEvidence() {
    if (in_.as_mother) RemarkInfantResults();
    if (in_.tested == nullptr || window_ == nullptr) return;
    for (const v1::ResultState* const result : StandingResults(*in_.tested)) Weigh(*result);
  }

  // A specimen from the infant never counts, whatever it says.
  void RemarkInfantResults() {
    for (const v1::ResultState* const result : StandingResults(*in_.donor)) {
      Remark(v1::REASON_CODE_WRONG_SUBJECT, result->result().marker(),
             "result " + ToHex(result->result().result_id()) + " is of the infant");
    }
  }

  void Weigh(const v1::ResultState& state) {
    const v1::TestResult& result = state.result();
    const std::string name = "result " + ToHex(result.result_id());
    const v1::SpecimenState* const specimen = FindSpecimen(*in_.tested, result.specimen_id());
    if (specimen != nullptr &&
        !IsOfPersonTested(*in_.tested, specimen->person_examined(), in_.as_mother)) {
      Remark(v1::REASON_CODE_WRONG_SUBJECT, result.marker(), name);
      return;
    }
    const ResultClass result_class = ClassOf(result.marker(), result.outcome());
    if (result_class == ResultClass::kReactive) {
      WeighReactive(state, specimen, name);
      return;
    }
    if (specimen == nullptr) {
      Remark(v1::REASON_CODE_E_MISSING, result.marker(), "specimen of " + name);
      return;
    }
    if (!in_.recovery.has_value()) return;
    const WindowPlace place = PlaceInWindow(*window_, *in_.recovery, specimen->drawn_at_ms());
    const bool is_second_sample = place == WindowPlace::kAfter && NeedsSecondSample();
    if (place != WindowPlace::kInside && !is_second_sample) {
      Remark(v1::REASON_CODE_SPECIMEN_WINDOW, result.marker(), name);
      return;
    }
    if (result_class == ResultClass::kUndecided) {
      evidence_[result.marker()].Count(result_class);
      Use(result);
      return;
    }
    if (is_second_sample) {
      NoteSecondSample(state, *specimen);
    } else {
      WeighFavourable(state, *specimen, name);
    }
  }

  // Reactive results count whatever the authority, assay or laboratory, and from before the window
  // too: a later negative sample does not undo an infection. From after the window they count where
  // second samples are drawn to find exactly that; elsewhere people judge by a documented
  // assessment of the risk.
  void WeighReactive(const v1::ResultState& state, const v1::SpecimenState* specimen,
                     const std::string& name) {
    const v1::TestResult& result = state.result();
    const bool late =
        specimen != nullptr && in_.recovery.has_value() &&
        PlaceInWindow(*window_, *in_.recovery, specimen->drawn_at_ms()) == WindowPlace::kAfter;
    Remark(v1::REASON_CODE_REACTIVE_RESULT, result.marker(), name);
    if (late && !NeedsSecondSample()) {
      Remark(v1::REASON_CODE_SPECIMEN_WINDOW, result.marker(), name);
      assessment_needed_ = true;
      return;
    }
    MarkerEvidence& evidence = evidence_[result.marker()];
    evidence.Count(ResultClass::kReactive);
    evidence.tested |=
        specimen != nullptr && in_.recovery.has_value() && state.attested() &&
        PlaceInWindow(*window_, *in_.recovery, specimen->drawn_at_ms()) == WindowPlace::kInside &&
        IsAcceptableTest(policy_, regime_, result, state.accreditations());
    Use(result);
  }

  void WeighFavourable(const v1::ResultState& state, const v1::SpecimenState& specimen,
                       const std::string& name) {
    const v1::TestResult& result = state.result();
    const bool confirms = result.outcome() == v1::TEST_OUTCOME_CONFIRMED_NEG;
    const bool negative = ClassOf(result.marker(), result.outcome()) == ResultClass::kNonReactive;
    if (!confirms && !negative) return;  // There is no result.
    if (!state.attested()) return;
    if (!IsAcceptableTest(policy_, regime_, result, state.accreditations())) {
      Remark(v1::REASON_CODE_ASSAY_STATUS, result.marker(), name);
      return;
    }
    MarkerEvidence& evidence = evidence_[result.marker()];
    if (IsDiluted(specimen)) {
      evidence.diluted = true;
      evidence.dilution_unacceptable |= specimen.dilution() == v1::DILUTION_RESULT_UNACCEPTABLE;
      return;
    }
    if (confirms) evidence.confirmed_negative = true;
    if (negative) {
      evidence.tested = true;
      evidence.Count(ResultClass::kNonReactive);
      donation_sample_ms_ = std::max(donation_sample_ms_, specimen.drawn_at_ms());
    }
    Use(result);
  }

  bool IsDiluted(const v1::SpecimenState& specimen) const {
    return specimen.dilution() == v1::DILUTION_RESULT_UNACCEPTABLE ||
           (specimen.dilution() != v1::DILUTION_RESULT_ACCEPTABLE &&
            IsDilutionSuspected(policy_, specimen));
  }

  // A negative result on a later specimen, for the second sample of the retest rule.
  void NoteSecondSample(const v1::ResultState& state, const v1::SpecimenState& specimen) {
    if (!state.attested() || IsDiluted(specimen) ||
        ClassOf(state.result().marker(), state.result().outcome()) != ResultClass::kNonReactive ||
        !IsAcceptableTest(policy_, regime_, state.result(), state.accreditations())) {
      return;
    }
    std::int64_t& latest = second_samples_[state.result().marker()];
    latest = std::max(latest, specimen.drawn_at_ms());
  }

  void Use(const v1::TestResult& result) { used_.insert(result.result_id()); }

  // Markers that the policy names for this donation, then those that only have evidence.
  std::set<v1::Marker> Markers() const {
    std::set<v1::Marker> markers;
    for (const v1::MarkerRule& rule : policy_.markers()) {
      if (rule.regime() == regime_) markers.insert(rule.marker());
    }
    for (const auto& [marker, evidence] : evidence_) markers.insert(marker);
    return markers;
  }

  void JudgeMarkers() {
    for (const v1::Marker marker : Markers()) JudgeMarker(marker);
  }

  void JudgeMarker(v1::Marker marker) {
    const auto rule = FindMarkerRule(policy_, regime_, *in_.donation, marker);
    const MarkerEvidence& evidence = evidence_[marker];
    const bool mandatory = rule.has_value() && rule->mandatory();
    if (evidence.worst == ResultClass::kReactive) {
      JudgeReactive(marker, rule);
      // A reactive result without authority is adverse; it is not the test that was asked for.
      if (mandatory && !evidence.tested) AddMissing(marker);
      return;
    }
    if (evidence.worst == ResultClass::kNonReactive) return;
    // An undecided result of a marker that is not mandatory still needs an answer.
    if (!mandatory && !evidence.worst.has_value()) return;
    if (evidence.dilution_unacceptable && !evidence.worst.has_value()) {
      ineligible_ = true;
      Remark(v1::REASON_CODE_E_MISSING, marker, "plasma dilution not acceptable");
      return;
    }
    AddMissing(marker);
  }

  void AddMissing(v1::Marker marker) {
    if (std::find(proposal_.missing.begin(), proposal_.missing.end(), marker) !=
        proposal_.missing.end()) {
      return;
    }
    proposal_.missing.push_back(marker);
    Remark(v1::REASON_CODE_E_MISSING, marker, EnumLabel(marker));
  }

  void JudgeReactive(v1::Marker marker, const std::optional<v1::MarkerRule>& rule) {
    reactive_.insert(marker);
    // A marker that the policy does not know cannot be judged.
    const v1::ReactiveRule on_reactive =
        rule.has_value() ? rule->on_reactive() : v1::REACTIVE_RULE_INCOMPLETE;
    switch (on_reactive) {
      case v1::REACTIVE_RULE_RISK_LABEL:
        JudgeRiskLabel(marker, rule->label());
        return;
      case v1::REACTIVE_RULE_RISK_ASSESSMENT:
        assessment_needed_ = true;
        return;
      case v1::REACTIVE_RULE_INCOMPLETE:
        incomplete_ = true;
        return;
      case v1::REACTIVE_RULE_UNLESS_CONFIRMED_NEGATIVE:
        JudgeSyphilisScreen(marker);
        return;
      default:
        ineligible_ = true;
    }
  }

  void JudgeRiskLabel(v1::Marker marker, const std::string& label) {
    // The United States allow release only under a procedure (21 CFR 1271.85(b)(2)); the European
    // Union has no such condition.
    const bool cmv = marker == v1::MARKER_CMV_AB || marker == v1::MARKER_CMV_NAT;
    if (cmv && regime_ != v1::REGIME_EU && !policy_.has_cmv_release_procedure()) {
      incomplete_ = true;
      return;
    }
    if (std::find(risk_labels_.begin(), risk_labels_.end(), label) == risk_labels_.end()) {
      risk_labels_.push_back(label);
    }
  }

  // Only a non-treponemal syphilis screen can be cancelled, whatever the policy says.
  void JudgeSyphilisScreen(v1::Marker marker) {
    if (marker != v1::MARKER_SYPH_SCREEN) {
      ineligible_ = true;
      return;
    }
    std::optional<ResultClass> confirmation;
    if (evidence_[marker].confirmed_negative) confirmation = ResultClass::kNonReactive;
    for (const v1::Marker treponemal : {v1::MARKER_SYPH_CONFIRM, v1::MARKER_SYPH_TREPONEMAL}) {
      const auto& worst = evidence_[treponemal].worst;
      if (worst.has_value()) confirmation = std::max(confirmation.value_or(*worst), *worst);
    }
    if (confirmation == ResultClass::kNonReactive) return;
    // A reactive treponemal test is judged by its own rule; with none the screen stands.
    if (confirmation == ResultClass::kReactive) {
      const bool ruled =
          FindMarkerRule(policy_, regime_, *in_.donation, v1::MARKER_SYPH_CONFIRM).has_value() ||
          FindMarkerRule(policy_, regime_, *in_.donation, v1::MARKER_SYPH_TREPONEMAL).has_value();
      ineligible_ |= !ruled;
      return;
    }
    AddMissing(v1::MARKER_SYPH_CONFIRM);
  }

  void JudgeScreening() {
    bool screened = false;
    if (in_.tested != nullptr) {
      for (const v1::ScreeningState& screening : in_.tested->screenings()) {
        JudgeFindings(screening);
        screened |= screening.attested() && screening.medical_record_reviewed() == v1::ANSWER_YES &&
                    screening.physical_assessment_done() == v1::ANSWER_YES &&
                    IsOfPersonTested(*in_.tested, screening.person_examined(), in_.as_mother);
      }
    }
    // What was found on the infant counts against the donation as well.
    if (in_.as_mother) {
      for (const v1::ScreeningState& screening : in_.donor->screenings()) JudgeFindings(screening);
    }
    if (screened) return;
    incomplete_ = true;
    Remark(v1::REASON_CODE_E_MISSING, v1::MARKER_UNSPECIFIED, "screening");
  }

  void JudgeFindings(const v1::ScreeningState& screening) {
    for (const v1::ScreeningFinding& finding : screening.findings()) {
      v1::ScreeningEffect effect = v1::SCREENING_EFFECT_INELIGIBLE;
      for (const v1::ScreeningRule& rule : policy_.screening()) {
        if (rule.regime() == regime_ && rule.code() == finding.code()) effect = rule.effect();
      }
      if (effect == v1::SCREENING_EFFECT_NONE) continue;
      (effect == v1::SCREENING_EFFECT_RISK_ASSESSMENT ? assessment_needed_ : ineligible_) = true;
      Remark(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, v1::MARKER_UNSPECIFIED, finding.code());
    }
  }

  bool IsNegative(v1::Marker marker) {
    return evidence_[marker].worst == ResultClass::kNonReactive;
  }

  // The second sample must be negative for every mandatory marker that is not a mere label.
  bool HasSecondSample() const {
    if (!in_.recovery.has_value()) return false;
    for (const v1::MarkerRule& rule : policy_.markers()) {
      if (rule.regime() != regime_ || rule.on_reactive() == v1::REACTIVE_RULE_RISK_LABEL) continue;
      const auto applicable = FindMarkerRule(policy_, regime_, *in_.donation, rule.marker());
      if (!applicable.has_value() || !applicable->mandatory()) continue;
      const auto second = second_samples_.find(rule.marker());
      if (second == second_samples_.end() ||
          LocalDaysBetween(in_.recovery->zone, donation_sample_ms_, second->second) <
              std::int64_t{policy_.retest_after_days()}) {
        return false;
      }
    }
    return true;
  }

  bool IsRetestPending() {
    if (!NeedsSecondSample()) return false;
    const bool nucleic_acid_tested = IsNegative(v1::MARKER_HIV1_NAT) &&
                                     IsNegative(v1::MARKER_HBV_NAT) &&
                                     IsNegative(v1::MARKER_HCV_NAT);
    return !nucleic_acid_tested && !HasSecondSample();
  }

  void Conclude() {
    proposal_.evaluated_result_ids.assign(used_.begin(), used_.end());
    std::sort(proposal_.remarks.begin(), proposal_.remarks.end(), [](const auto& a, const auto& b) {
      return std::tie(a.marker, a.code, a.detail) < std::tie(b.marker, b.code, b.detail);
    });
    const bool retest_pending = IsRetestPending();
    const bool incomplete = incomplete_ || !proposal_.missing.empty();
    if (in_.donation->intent() == v1::DONATION_INTENT_AUTOLOGOUS) {
      ConcludeAutologous(incomplete || ineligible_ || assessment_needed_);
      return;
    }
    proposal_.labels = risk_labels_;
    if (ineligible_) {
      proposal_.outcome = v1::ELIGIBILITY_OUTCOME_INELIGIBLE;
    } else if (incomplete || assessment_needed_) {
      proposal_.outcome = v1::ELIGIBILITY_OUTCOME_INCOMPLETE;
      proposal_.risk_assessment_would_do = !incomplete && !retest_pending;
    } else if (retest_pending) {
      proposal_.outcome = v1::ELIGIBILITY_OUTCOME_PENDING_RETEST;
    } else {
      proposal_.outcome = risk_labels_.empty() ? v1::ELIGIBILITY_OUTCOME_ELIGIBLE
                                               : v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK;
    }
  }

  // 21 CFR 1271.90: no determination, but labels.
  void ConcludeAutologous(bool anything_open) {
    proposal_.outcome = v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED;
    proposal_.labels.emplace_back(kAutologousLabel);
    if (anything_open) proposal_.labels.emplace_back(kNotEvaluatedLabel);
    if (reactive_.empty()) return;
    proposal_.labels.emplace_back(kBiohazardLabel);
    for (const v1::Marker marker : reactive_) {
      proposal_.labels.push_back(
          absl::StrFormat("WARNING: Reactive test results for %s", EnumLabel(marker)));
    }
  }

  const Inputs& in_;
  v1::Regime regime_;
  const v1::DonorPolicy& policy_;
  const v1::SpecimenWindow* window_ = nullptr;
  EligibilityProposal proposal_;
  std::map<v1::Marker, MarkerEvidence> evidence_;
  std::map<v1::Marker, std::int64_t> second_samples_;
  std::int64_t donation_sample_ms_ = 0;
  std::set<std::string> used_;
  std::set<v1::Marker> reactive_;
  std::vector<std::string> risk_labels_;
  bool ineligible_ = false;
  bool incomplete_ = false;
  bool assessment_needed_ = false;
};

// Place in the order of outcomes, best first; a value without a place is better than all, so that
// it is refused.
int Rank(v1::EligibilityOutcome outcome) {
  switch (outcome) {
    case v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED:
      return 1;
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE:
      return 2;
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK:
      return 3;
    case v1::ELIGIBILITY_OUTCOME_PENDING_RETEST:
      return 4;
    case v1::ELIGIBILITY_OUTCOME_INCOMPLETE:
      return 5;
    case v1::ELIGIBILITY_OUTCOME_INELIGIBLE:
      return 6;
    default:
      return 0;
  }
}

}  // namespace

absl::StatusOr<EligibilityProposal> ProposeEligibility(const StateView& view,
                                                       std::string_view donation_id,
                                                       v1::Regime regime,
                                                       const v1::Policy& policy) {
  CUSTODY_ASSIGN_OR_RETURN(const Inputs inputs, ReadInputs(view, donation_id));
  return Evaluator(inputs, regime, policy.donor()).Run();
}

bool IsBetter(v1::EligibilityOutcome stated, v1::EligibilityOutcome proposed) {
  return Rank(stated) < Rank(proposed);
}

}  // namespace custody
