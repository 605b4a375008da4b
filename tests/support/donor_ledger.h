// A newborn donor and its birth mother in a ledger in memory, from the registration to the
// determination of eligibility: the events as they should be, with signatures.
//
//   DonorLedger world;
//   world.PlayUntil(DonorStep::kReported);
//   world.Play(world.MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE));
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_DONOR_LEDGER_H_
#define CUSTODY_TESTS_SUPPORT_DONOR_LEDGER_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "lifecycle/catalogue.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {

enum class DonorStep {
  kMother,      // DNR-01
  kNewborn,     // DNR-01
  kConsented,   // DNR-02
  kScreened,    // DNR-04
  kAssigned,    // PRC-01
  kProcured,    // PRC-02
  kPackaged,    // PRC-03
  kDrawn,       // DNR-05
  kReported,    // DNR-07
  kDetermined,  // DNR-09
};

class DonorLedger {
 public:
  static constexpr std::int64_t kHourMs = 3'600'000;

  DonorLedger()
      : product_id(ledger_.AddProduct({v1::REGIME_US, v1::REGIME_EU})),
        policy_hash(ledger_.ActivatePolicy(product_id, DefaultPolicy(""))),
        mother_id(ledger_.NewId()),
        newborn_id(ledger_.NewId()),
        donation_id(ledger_.NewId()),
        container_id(ledger_.NewId()),
        specimen_id(ledger_.NewId()) {}

  TestLedger& ledger() { return ledger_; }
  std::int64_t now_ms() const { return ledger_.now_ms(); }

  PlayedEvent Play(v1::Event event) {
    FillPolicy(&event);
    return PlayInto(ledger_, std::move(event));
  }
  PlayedEvent Play(v1::Event event, const std::vector<SignAs>& signers) {
    FillPolicy(&event);
    return PlayInto(ledger_, std::move(event), signers);
  }
  // A minute apart.
  void PlayUntil(DonorStep step) {
    for (; steps_ <= static_cast<int>(step); ++steps_) {
      ledger_.Advance(60'000);
      const PlayedEvent played = Play(Make(static_cast<DonorStep>(steps_)));
      ASSERT_TRUE(played.recorded) << steps_ << " " << played.status;
      ASSERT_THAT(played.codes, testing::IsEmpty()) << steps_;
    }
  }

  // Back to states from before the first step.
  void Restart(const MapStateView& states) {
    ledger_.mutable_view() = states;
    steps_ = 0;
  }

  v1::Event Make(DonorStep step) {
    switch (step) {
      case DonorStep::kMother:
        return MakeRegistration(mother_id, "pseudonym:M-1", v1::DONOR_TYPE_BIRTH_MOTHER);
      case DonorStep::kNewborn: {
        v1::Event event = MakeRegistration(newborn_id, "pseudonym:N-1", v1::DONOR_TYPE_NEWBORN);
        event.mutable_donor_registered()->set_birth_mother_id(mother_id);
        return event;
      }
      case DonorStep::kConsented:
        return MakeConsent(mother_id);
      case DonorStep::kScreened:
        return MakeScreening();
      case DonorStep::kAssigned:
        return MakeAssignment(donation_id);
      case DonorStep::kProcured:
        return MakeProcurement();
      case DonorStep::kPackaged: {
        v1::Event event;
        event.mutable_procurement_packaged()->set_donation_id(donation_id);
        event.mutable_procurement_packaged()->add_container_ids(container_id);
        return event;
      }
      case DonorStep::kDrawn:
        return MakeSpecimen(specimen_id);
      case DonorStep::kReported:
        return MakeReport();
      case DonorStep::kDetermined:
        return MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
    }
    return {};
  }

  static v1::Event MakeRegistration(const std::string& id, const std::string& pseudonym,
                                    v1::DonorType type) {
    v1::Event event;
    event.mutable_donor_registered()->set_donor_id(id);
    event.mutable_donor_registered()->set_pseudonym_key(pseudonym);
    event.mutable_donor_registered()->set_donor_type(type);
    return event;
  }
  v1::Event MakeConsent(const std::string& donor_id, char consent = 'c') const {
    v1::Event event;
    v1::ConsentGranted* const body = event.mutable_consent_granted();
    body->set_donor_id(donor_id);
    body->set_consent_id(std::string(16, consent));
    body->set_form_id("F-7");
    body->add_scopes(v1::CONSENT_SCOPE_THERAPEUTIC);
    body->add_scopes(v1::CONSENT_SCOPE_STORAGE);
    body->set_signed_at_ms(now_ms());
    body->mutable_document()->set_sha256(std::string(32, 'f'));
    return event;
  }
  v1::Event MakeWithdrawal(const std::string& donor_id) const {
    v1::Event event;
    event.mutable_consent_withdrawn()->set_donor_id(donor_id);
    event.mutable_consent_withdrawn()->set_received_at_ms(now_ms());
    return event;
  }
  v1::Event MakeScreening() const {
    v1::Event event;
    v1::ScreeningRecorded* const body = event.mutable_screening_recorded();
    body->set_donor_id(mother_id);
    body->set_person_examined(v1::PERSON_EXAMINED_BIRTH_MOTHER);
    body->set_medical_record_reviewed(v1::ANSWER_YES);
    body->set_physical_assessment_done(v1::ANSWER_YES);
    return event;
  }
  v1::Event MakeAssignment(const std::string& donation) const {
    v1::Event event;
    v1::DonationAssigned* const body = event.mutable_donation_assigned();
    body->set_donation_id(donation);
    body->set_donor_id(newborn_id);
    body->set_donation_identifier("din:A999926000101");
    body->set_tissue_type(v1::TISSUE_TYPE_WHARTONS_JELLY);
    body->set_intent(v1::DONATION_INTENT_ALLOGENEIC);
    body->add_regimes(v1::REGIME_US);
    body->add_regimes(v1::REGIME_EU);
    body->set_product_id(product_id);
    return event;
  }
  v1::Event MakeProcurement() const {
    v1::Event event;
    v1::TissueProcured* const body = event.mutable_tissue_procured();
    body->set_donation_id(donation_id);
    body->set_donation_identifier("din:A999926000101");
    body->set_tissue_type(v1::TISSUE_TYPE_WHARTONS_JELLY);
    body->set_started_at_ms(now_ms() - 60'000);
    body->set_ended_at_ms(now_ms());
    return event;
  }
  v1::Event MakeSpecimen(const std::string& id) const {
    v1::Event event;
    v1::SpecimenCollected* const body = event.mutable_specimen_collected();
    body->set_donor_id(mother_id);
    body->set_specimen_id(id);
    body->set_person_examined(v1::PERSON_EXAMINED_BIRTH_MOTHER);
    body->set_drawn_at_ms(now_ms());
    body->set_blood_loss(v1::ANSWER_NO);
    return event;
  }
  v1::TestResult MakeResult(v1::Marker marker, v1::TestOutcome outcome) {
    v1::TestResult result;
    result.set_result_id(ledger_.NewId());
    result.set_specimen_id(specimen_id);
    result.set_marker(marker);
    result.set_outcome(outcome);
    result.add_assay_statuses(v1::ASSAY_STATUS_FDA_DONOR_SCREENING);
    result.add_assay_statuses(v1::ASSAY_STATUS_CE_MARKED);
    return result;
  }
  v1::Event MakeReport(v1::TestResult result) {
    v1::Event event;
    v1::TestResultReported* const body = event.mutable_test_result_reported();
    body->set_donor_id(mother_id);
    body->add_accreditations(v1::LABORATORY_ACCREDITATION_CLIA);
    body->add_accreditations(v1::LABORATORY_ACCREDITATION_EU_AUTHORISED);
    *body->add_results() = std::move(result);
    return event;
  }
  // Everything that the policy asks for, negative.
  v1::Event MakeReport() {
    v1::Event event;
    for (const v1::Marker marker : {v1::MARKER_HIV12_AB, v1::MARKER_HBSAG, v1::MARKER_HBC_AB,
                                    v1::MARKER_HCV_AB, v1::MARKER_SYPH_SCREEN, v1::MARKER_CMV_AB}) {
      event.MergeFrom(MakeReport(MakeResult(marker, v1::TEST_OUTCOME_NONREACTIVE)));
    }
    for (const v1::Marker marker :
         {v1::MARKER_HIV1_NAT, v1::MARKER_HBV_NAT, v1::MARKER_HCV_NAT, v1::MARKER_WNV_NAT}) {
      event.MergeFrom(MakeReport(MakeResult(marker, v1::TEST_OUTCOME_NOT_DETECTED)));
    }
    v1::TestResultReported* const body = event.mutable_test_result_reported();
    while (body->accreditations_size() > 2) body->mutable_accreditations()->RemoveLast();
    return event;
  }
  v1::Event MakeDetermination(v1::EligibilityOutcome outcome) const {
    v1::Event event;
    v1::EligibilityDetermined* const body = event.mutable_eligibility_determined();
    body->set_donation_id(donation_id);
    body->set_donor_id(newborn_id);
    body->add_regimes(v1::REGIME_US);
    body->add_regimes(v1::REGIME_EU);
    body->set_outcome(outcome);
    return event;
  }

  v1::DonorState& Mother() { return ledger_.mutable_view().Donor(mother_id); }
  v1::DonorState& Newborn() { return ledger_.mutable_view().Donor(newborn_id); }
  v1::DonationState& Donation() { return ledger_.mutable_view().Donation(donation_id); }
  v1::SubjectState& DonationSubject() {
    return ledger_.mutable_view().State(v1::SUBJECT_KIND_DONATION, donation_id);
  }

 private:
  void FillPolicy(v1::Event* event) const {
    if (event->policy_hash().empty() && !FindCatalogueEntry(*event)->is_observation()) {
      event->set_policy_hash(policy_hash);
    }
  }

  TestLedger ledger_;
  int steps_ = 0;

 public:
  const std::string product_id;
  const std::string policy_hash;
  const std::string mother_id;
  const std::string newborn_id;
  const std::string donation_id;
  const std::string container_id;
  const std::string specimen_id;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DONOR_LEDGER_H_
