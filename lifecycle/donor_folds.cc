// How events about donors and eligibility change states. What makes things stricter is applied at
// once; what makes them better waits for full authority.

#include <algorithm>
#include <string>

#include "lifecycle/donor_evidence.h"
#include "lifecycle/donor_rules.h"

namespace custody {
namespace {

template <typename Values, typename Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The state of the donor that the event is about; nullptr for its other subjects.
v1::DonorState* PrimaryDonor(const FoldInput& input, v1::SubjectState* state) {
  const bool primary =
      input.subject.kind == v1::SUBJECT_KIND_DONOR && input.role == v1::SUBJECT_ROLE_PRIMARY;
  return primary ? state->mutable_donor() : nullptr;
}

}  // namespace

void BindIdentifier(const SubjectKey& subject, v1::SubjectState* state) {
  v1::IdentifierState* const identifier = state->mutable_identifier();
  for (const v1::SubjectRef& bound : identifier->bound()) {
    if (KeyOf(bound) == subject) return;
  }
  if (!identifier->bound().empty()) identifier->set_conflict(true);
  *identifier->add_bound() = RefOf(subject);
}

void FoldDonorRegistered(const FoldInput& input, v1::SubjectState* state) {
  const v1::DonorRegistered& body = input.event.event.donor_registered();
  if (input.subject.kind == v1::SUBJECT_KIND_IDENTIFIER) {
    BindIdentifier({v1::SUBJECT_KIND_DONOR, body.donor_id()}, state);
    return;
  }
  if (input.role == v1::SUBJECT_ROLE_SOURCE) {
    // The link carries bad news from the mother to the child, so it does not wait.
    v1::DonorState* const mother = state->mutable_donor();
    if (!Contains(mother->newborn_ids(), body.donor_id())) {
      mother->add_newborn_ids(body.donor_id());
    }
    return;
  }
  if (!input.favourable()) return;
  v1::DonorState* const donor = state->mutable_donor();
  if (donor->donor_type() != v1::DONOR_TYPE_UNSPECIFIED) return;  // The first registration counts.
  donor->set_donor_type(body.donor_type());
  donor->set_birth_mother_id(body.birth_mother_id());
}

void FoldConsentGranted(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr || !input.favourable()) return;
  // A consent has one story; another one under the same id is a finding, not a replacement.
  if (input.Found(v1::REASON_CODE_E_SUBJECT_EXISTS)) return;
  const v1::ConsentGranted& body = input.event.event.consent_granted();
  v1::ConsentState* const consent = donor->add_consents();
  consent->set_consent_id(body.consent_id());
  *consent->mutable_scopes() = body.scopes();
  consent->set_signed_at_ms(body.signed_at_ms());
}

void FoldConsentWithdrawn(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr || !input.adverse()) return;
  const v1::ConsentWithdrawn& body = input.event.event.consent_withdrawn();
  v1::ConsentWithdrawalState* const withdrawal = donor->add_withdrawals();
  withdrawal->set_consent_id(body.consent_id());
  *withdrawal->mutable_scopes() = body.scopes();
  withdrawal->set_withdrawn_at_ms(body.received_at_ms() != 0
                                      ? body.received_at_ms()
                                      : input.event.event.occurred_at().utc_ms());
}

void FoldScreeningRecorded(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr) return;
  if (!input.adverse()) {
    for (v1::ScreeningState& screening : *donor->mutable_screenings()) {
      if (screening.index() == input.index) screening.set_attested(true);
    }
    return;
  }
  const v1::ScreeningRecorded& body = input.event.event.screening_recorded();
  v1::ScreeningState* const screening = donor->add_screenings();
  screening->set_person_examined(body.person_examined());
  *screening->mutable_findings() = body.findings();
  screening->set_attested(input.favourable());
  screening->set_medical_record_reviewed(body.medical_record_reviewed());
  screening->set_physical_assessment_done(body.physical_assessment_done());
  screening->set_index(input.index);
}

void FoldSpecimenCollected(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr || !input.favourable()) return;
  const v1::SpecimenCollected& body = input.event.event.specimen_collected();
  // A tube has one story; another one under the same id is a finding, not a replacement.
  if (FindSpecimen(*donor, body.specimen_id()) != nullptr) return;
  v1::SpecimenState* const specimen = donor->add_specimens();
  specimen->set_specimen_id(body.specimen_id());
  specimen->set_person_examined(body.person_examined());
  specimen->set_drawn_at_ms(body.drawn_at_ms());
  specimen->set_blood_48h_ml(body.blood_48h_ml());
  specimen->set_colloid_48h_ml(body.colloid_48h_ml());
  specimen->set_crystalloid_1h_ml(body.crystalloid_1h_ml());
  specimen->set_blood_loss(body.blood_loss());
}

void FoldPlasmaDilutionAssessed(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr) return;
  const v1::PlasmaDilutionAssessed& body = input.event.event.plasma_dilution_assessed();
  for (v1::SpecimenState& specimen : *donor->mutable_specimens()) {
    if (specimen.specimen_id() != body.specimen_id()) continue;
    const bool is_stated = body.age_class() != v1::AGE_CLASS_UNSPECIFIED;
    if (body.age_class() == v1::AGE_CLASS_UP_TO_12_YEARS || (is_stated && input.favourable())) {
      specimen.set_age_class(body.age_class());
    }
    // The volumes that count are the largest that anybody stated.
    specimen.set_crystalloid_1h_ml(
        std::max(specimen.crystalloid_1h_ml(), body.crystalloid_1h_ml()));
    if (body.blood_and_colloid_48h_ml() >
        std::uint64_t{specimen.blood_48h_ml()} + specimen.colloid_48h_ml()) {
      specimen.set_blood_48h_ml(body.blood_and_colloid_48h_ml());
      specimen.set_colloid_48h_ml(0);
    }
    const bool is_first =
        input.favourable() && specimen.dilution() == v1::DILUTION_RESULT_UNSPECIFIED;
    if (is_first || body.result() == v1::DILUTION_RESULT_UNACCEPTABLE) {
      specimen.set_dilution(body.result());
    }
  }
}

void FoldTestResultReported(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr) return;
  if (!input.adverse()) {
    for (v1::ResultState& result : *donor->mutable_results()) {
      if (result.index() == input.index) result.set_attested(true);
    }
    return;
  }
  const v1::TestResultReported& body = input.event.event.test_result_reported();
  for (const v1::TestResult& reported : body.results()) {
    v1::ResultState* const result = donor->add_results();
    *result->mutable_result() = reported;
    result->set_index(input.index);
    result->set_attested(input.favourable());
    *result->mutable_accreditations() = body.accreditations();
  }
}

void FoldTestResultCorrected(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr) return;
  const v1::TestResultCorrected& body = input.event.event.test_result_corrected();
  // What makes a donor look better says why, and says truly what it replaces.
  const bool conforms = !input.Found(v1::REASON_CODE_E_REASON_MISSING) &&
                        !input.Found(v1::REASON_CODE_E_MISSING) &&
                        !input.Found(v1::REASON_CODE_INCONSISTENT);
  const int count = donor->results_size();
  for (int i = 0; i < count; ++i) {
    v1::ResultState* const old = donor->mutable_results(i);
    if (old->result().result_id() != body.result_id()) continue;
    if (old->index() == input.index) {  // What this correction itself put there.
      if (input.favourable()) old->set_attested(true);
      continue;
    }
    if (old->superseded()) continue;
    const v1::Marker marker = old->result().marker();
    const bool stricter =
        ClassOf(marker, body.new_outcome()) >= ClassOf(marker, old->result().outcome());
    if (!stricter && !(input.favourable() && conforms)) continue;
    v1::ResultState corrected = *old;
    old->set_superseded(true);
    corrected.mutable_result()->set_outcome(body.new_outcome());
    corrected.set_index(input.index);
    corrected.set_attested(input.favourable());
    *donor->add_results() = corrected;
  }
}

void FoldEligibilityDetermined(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_DONATION) return;
  const v1::EligibilityDetermined& body = input.event.event.eligibility_determined();
  auto* const eligibility = state->mutable_donation()->mutable_eligibility();
  for (const int regime : body.regimes()) {
    auto found = std::find_if(eligibility->begin(), eligibility->end(),
                              [regime](const auto& e) { return e.regime() == regime; });
    v1::EligibilityState* const determined =
        found == eligibility->end() ? eligibility->Add() : &*found;
    determined->Clear();
    determined->set_regime(static_cast<v1::Regime>(regime));
    determined->set_outcome(body.outcome());
    determined->set_determined_index(input.index);
    *determined->mutable_labels() = body.labels_required();
    *determined->mutable_evaluated_result_ids() = body.evaluated_result_ids();
  }
}

void FoldEligibilityReopened(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_DONATION || !input.adverse()) return;
  for (v1::EligibilityState& determined : *state->mutable_donation()->mutable_eligibility()) {
    // Ineligible stays what it is: reopened would be better.
    if (determined.outcome() != v1::ELIGIBILITY_OUTCOME_INELIGIBLE) determined.set_reopened(true);
  }
}

void FoldPostDonationInformation(const FoldInput& input, v1::SubjectState* state) {
  v1::DonorState* const donor = PrimaryDonor(input, state);
  if (donor == nullptr || !input.adverse()) return;
  donor->add_post_donation_indices(input.index);
}

}  // namespace custody
