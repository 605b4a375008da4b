// Donors, specimens and results (DNR-01, DNR-04 to DNR-10, DNR-12): each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/donor_ledger.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kHour = DonorLedger::kHourMs;

class DonorRulesTest : public testing::Test {
 protected:
  DonorLedger world_;

  // The donation is held and its determinations are open again.
  void ExpectReopened(const PlayedEvent& played, const std::string& reason) {
    ASSERT_TRUE(played.recorded) << played.status;
    ASSERT_GE(played.entry->consequences.size(), 2U);
    EXPECT_EQ(played.entry->consequences[0].code, "DNR-10");
    EXPECT_EQ(played.entry->consequences[1].code, "VIG-01");
    ASSERT_EQ(world_.Donation().eligibility_size(), 2);
    for (const v1::EligibilityState& determined : world_.Donation().eligibility()) {
      EXPECT_TRUE(determined.reopened());
    }
    ASSERT_EQ(world_.DonationSubject().holds_size(), 1);
    EXPECT_EQ(world_.DonationSubject().holds(0).hold_reason_code(), reason);
  }
  void ExpectUntouched(const PlayedEvent& played) {
    ASSERT_TRUE(played.recorded) << played.status;
    EXPECT_TRUE(world_.DonationSubject().holds().empty());
    for (const v1::EligibilityState& determined : world_.Donation().eligibility()) {
      EXPECT_FALSE(determined.reopened());
    }
  }
  std::vector<SignAs> WithoutRole(v1::Role role, v1::Meaning meaning) {
    const std::string auditor = world_.ledger().AddPerson({v1::ROLE_AUDITOR});
    return {{auditor, role, meaning}};
  }
};

// --- DNR-01

TEST_F(DonorRulesTest, MotherAndNewbornAreLinkedBothWays) {
  world_.PlayUntil(DonorStep::kNewborn);
  EXPECT_EQ(world_.Newborn().birth_mother_id(), world_.mother_id);
  EXPECT_THAT(world_.Mother().newborn_ids(), ElementsAre(world_.newborn_id));
}

TEST_F(DonorRulesTest, ADonorIsRegisteredOnce) {
  world_.PlayUntil(DonorStep::kMother);
  v1::Event event =
      world_.MakeRegistration(world_.mother_id, "pseudonym:M-2", v1::DONOR_TYPE_ADULT);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_SUBJECT_EXISTS"));
  EXPECT_EQ(world_.Mother().donor_type(), v1::DONOR_TYPE_BIRTH_MOTHER);
}

TEST_F(DonorRulesTest, APseudonymIsUniqueAndSaysThatItIsOne) {
  world_.PlayUntil(DonorStep::kMother);
  v1::Event event =
      world_.MakeRegistration(world_.ledger().NewId(), "pseudonym:M-1", v1::DONOR_TYPE_ADULT);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_LABEL_CONFLICT"));
  event = world_.MakeRegistration(world_.ledger().NewId(), "name:M-9", v1::DONOR_TYPE_ADULT);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(DonorRulesTest, ANewbornHasAMotherWhoIsNone) {
  v1::Event event = world_.Make(DonorStep::kNewborn);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
  DonorLedger other;
  other.PlayUntil(DonorStep::kNewborn);
  event = other.MakeRegistration(other.ledger().NewId(), "pseudonym:N-2", v1::DONOR_TYPE_NEWBORN);
  event.mutable_donor_registered()->set_birth_mother_id(other.newborn_id);
  EXPECT_THAT(other.Play(event).codes, ElementsAre("WRONG_SUBJECT"));
}

TEST_F(DonorRulesTest, TheTypeIsStated) {
  v1::Event event =
      world_.MakeRegistration(world_.mother_id, "pseudonym:M-1", v1::DONOR_TYPE_UNSPECIFIED);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(DonorRulesTest, WithoutAuthorityNobodyIsRegisteredButLinked) {
  world_.PlayUntil(DonorStep::kMother);
  ASSERT_TRUE(world_
                  .Play(world_.Make(DonorStep::kNewborn),
                        WithoutRole(v1::ROLE_DONOR_COORDINATOR, v1::MEANING_AUTHORED))
                  .recorded);
  EXPECT_EQ(world_.Newborn().donor_type(), v1::DONOR_TYPE_UNSPECIFIED);
  EXPECT_THAT(world_.Mother().newborn_ids(), ElementsAre(world_.newborn_id));
}

// --- DNR-04

TEST_F(DonorRulesTest, ScreeningNeedsAConsentAtThatTime) {
  world_.PlayUntil(DonorStep::kNewborn);
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, ElementsAre("E_CONSENT"));
  // The newborn's consent is the family's.
  ASSERT_TRUE(world_.Play(world_.MakeConsent(world_.newborn_id)).recorded);
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, IsEmpty());
  v1::Event before = world_.MakeScreening();
  before.mutable_occurred_at()->set_utc_ms(world_.now_ms() - 1);
  EXPECT_THAT(world_.Play(before).codes, ElementsAre("E_CONSENT"));
  ASSERT_TRUE(world_.Play(world_.MakeWithdrawal(world_.newborn_id)).recorded);
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, ElementsAre("E_CONSENT"));
}

TEST_F(DonorRulesTest, ScreeningOfAnotherPersonDoesNotCount) {
  world_.PlayUntil(DonorStep::kConsented);
  v1::Event event = world_.MakeScreening();
  event.mutable_screening_recorded()->set_person_examined(v1::PERSON_EXAMINED_DONOR);
  event.mutable_screening_recorded()->set_donor_id(world_.newborn_id);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("WRONG_SUBJECT"));
}

TEST_F(DonorRulesTest, ScreeningIsReviewedByThePhysician) {
  world_.PlayUntil(DonorStep::kConsented);
  const std::string coordinator = world_.ledger().Actor(v1::ROLE_DONOR_COORDINATOR);
  const PlayedEvent played = world_.Play(
      world_.MakeScreening(), {{coordinator, v1::ROLE_DONOR_COORDINATOR, v1::MEANING_PERFORMED}});
  EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  ASSERT_EQ(world_.Mother().screenings_size(), 1);
  EXPECT_FALSE(world_.Mother().screenings(0).attested());
  const std::string physician = world_.ledger().Actor(v1::ROLE_DONOR_PHYSICIAN);
  ASSERT_TRUE(
      world_.ledger()
          .Cosign(*played.entry, {physician, v1::ROLE_DONOR_PHYSICIAN, v1::MEANING_REVIEWED})
          .ok());
  EXPECT_TRUE(world_.Mother().screenings(0).attested());
}

TEST_F(DonorRulesTest, ARiskFoundLaterReopens) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event = world_.MakeScreening();
  event.mutable_screening_recorded()->add_findings()->set_code("RISK-CJD");
  ExpectReopened(world_.Play(event), "ELIGIBILITY_REOPENED");
}

// The assessment of one risk does not cover the next.
TEST_F(DonorRulesTest, AFurtherRiskReopensWhatWasAssessed) {
  world_.PlayUntil(DonorStep::kDetermined);
  world_.Mother().mutable_screenings(0)->add_findings()->set_code("RISK-TRAVEL");
  for (v1::EligibilityState& determined : *world_.Donation().mutable_eligibility()) {
    determined.set_outcome(determined.regime() == v1::REGIME_EU
                               ? v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK
                               : v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
  }
  v1::Event event = world_.MakeScreening();
  event.mutable_screening_recorded()->add_findings()->set_code("RISK-TRAVEL");
  ExpectUntouched(world_.Play(event));
  event.mutable_screening_recorded()->add_findings()->set_code("RISK-TATTOO");
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_EQ(world_.DonationSubject().holds_size(), 1);
}

TEST_F(DonorRulesTest, AMarkerThatIsNoLongerTestedReopensWhatWasAssessed) {
  world_.PlayUntil(DonorStep::kDetermined);
  world_.Mother().mutable_screenings(0)->add_findings()->set_code("RISK-TRAVEL");
  for (v1::EligibilityState& determined : *world_.Donation().mutable_eligibility()) {
    determined.set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK);
  }
  ASSERT_TRUE(world_
                  .Play(world_.MakeReport(
                      world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_INDETERMINATE)))
                  .recorded);
  EXPECT_EQ(world_.DonationSubject().holds_size(), 1);
}

TEST_F(DonorRulesTest, WithoutAPolicyNoDeterminationStands) {
  world_.PlayUntil(DonorStep::kDetermined);
  world_.ledger()
      .mutable_view()
      .State(v1::SUBJECT_KIND_PRODUCT, world_.product_id)
      .mutable_product()
      ->clear_policies();
  v1::Event event = world_.MakeScreening();
  event.mutable_screening_recorded()->add_findings()->set_code("RISK-CJD");
  ExpectReopened(world_.Play(event), "ELIGIBILITY_REOPENED");
}

TEST_F(DonorRulesTest, ACleanScreeningLaterChangesNothing) {
  world_.PlayUntil(DonorStep::kDetermined);
  ExpectUntouched(world_.Play(world_.MakeScreening()));
}

// --- DNR-05, DNR-06

TEST_F(DonorRulesTest, ASpecimenHasOneStory) {
  world_.PlayUntil(DonorStep::kDrawn);
  const std::int64_t drawn = world_.Mother().specimens(0).drawn_at_ms();
  world_.ledger().Advance(kHour);
  EXPECT_THAT(world_.Play(world_.MakeSpecimen(world_.specimen_id)).codes,
              ElementsAre("INCONSISTENT"));
  EXPECT_EQ(world_.Mother().specimens_size(), 1);
  EXPECT_EQ(world_.Mother().specimens(0).drawn_at_ms(), drawn);
}

TEST_F(DonorRulesTest, ASpecimenIsDrawnInThePast) {
  world_.PlayUntil(DonorStep::kMother);
  v1::Event event = world_.MakeSpecimen(std::string(16, 'a'));
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  event = world_.MakeSpecimen(std::string(16, 'b'));
  event.mutable_specimen_collected()->set_drawn_at_ms(world_.now_ms() + 1);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  event = world_.MakeSpecimen(std::string(16, 'd'));
  event.mutable_specimen_collected()->clear_drawn_at_ms();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(DonorRulesTest, AnInfantsSpecimenDoesNotCount) {
  world_.PlayUntil(DonorStep::kNewborn);
  v1::Event event = world_.MakeSpecimen(std::string(16, 'a'));
  event.mutable_specimen_collected()->set_donor_id(world_.newborn_id);
  event.mutable_specimen_collected()->set_person_examined(v1::PERSON_EXAMINED_DONOR);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("WRONG_SUBJECT"));
}

TEST_F(DonorRulesTest, DilutionIsAssessedOnAKnownSpecimenWithAResult) {
  world_.PlayUntil(DonorStep::kDrawn);
  v1::Event event;
  v1::PlasmaDilutionAssessed* const body = event.mutable_plasma_dilution_assessed();
  body->set_donor_id(world_.mother_id);
  body->set_specimen_id(world_.specimen_id);
  body->set_result(v1::DILUTION_RESULT_ACCEPTABLE);
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_EQ(world_.Mother().specimens(0).dilution(), v1::DILUTION_RESULT_ACCEPTABLE);
  body->clear_result();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  body->set_result(v1::DILUTION_RESULT_ACCEPTABLE);
  body->set_specimen_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MISSING"));
}

TEST_F(DonorRulesTest, UnacceptableDilutionReopensAndStays) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event;
  v1::PlasmaDilutionAssessed* const body = event.mutable_plasma_dilution_assessed();
  body->set_donor_id(world_.mother_id);
  body->set_specimen_id(world_.specimen_id);
  body->set_blood_and_colloid_48h_ml(2'001);
  body->set_result(v1::DILUTION_RESULT_UNACCEPTABLE);
  ExpectReopened(world_.Play(event), "ELIGIBILITY_REOPENED");
  body->set_result(v1::DILUTION_RESULT_ACCEPTABLE);
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_EQ(world_.Mother().specimens(0).dilution(), v1::DILUTION_RESULT_UNACCEPTABLE);
}

TEST_F(DonorRulesTest, AnAgeThatIsNotStatedReplacesNone) {
  world_.PlayUntil(DonorStep::kReported);
  v1::Event event;
  v1::PlasmaDilutionAssessed* const body = event.mutable_plasma_dilution_assessed();
  body->set_donor_id(world_.mother_id);
  body->set_specimen_id(world_.specimen_id);
  body->set_result(v1::DILUTION_RESULT_ACCEPTABLE);
  body->set_age_class(v1::AGE_CLASS_UP_TO_12_YEARS);
  ASSERT_TRUE(world_.Play(event).recorded);
  body->clear_age_class();
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_EQ(world_.Mother().specimens(0).age_class(), v1::AGE_CLASS_UP_TO_12_YEARS);
}

// --- DNR-07

TEST_F(DonorRulesTest, EveryResultHasAnIdOfItsOwn) {
  world_.PlayUntil(DonorStep::kDrawn);
  const v1::Event report =
      world_.MakeReport(world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE));
  EXPECT_THAT(world_.Play(report).codes, IsEmpty());
  EXPECT_THAT(world_.Play(report).codes, ElementsAre("E_SUBJECT_EXISTS"));
}

TEST_F(DonorRulesTest, AResultIsOfAKnownSpecimen) {
  world_.PlayUntil(DonorStep::kDrawn);
  v1::TestResult result = world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE);
  result.set_specimen_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(world_.MakeReport(result)).codes, ElementsAre("E_MISSING"));
}

TEST_F(DonorRulesTest, AReportHasResults) {
  world_.PlayUntil(DonorStep::kDrawn);
  v1::Event event = world_.MakeReport(v1::TestResult());
  event.mutable_test_result_reported()->clear_results();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(DonorRulesTest, AnAssayThatTheRegimeDoesNotAcceptIsFound) {
  world_.PlayUntil(DonorStep::kDrawn);
  v1::TestResult result = world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE);
  result.clear_assay_statuses();
  result.add_assay_statuses(v1::ASSAY_STATUS_CE_MARKED);
  const PlayedEvent played = world_.Play(world_.MakeReport(result));
  EXPECT_THAT(played.codes, ElementsAre("ASSAY_STATUS"));
  EXPECT_THAT(played.Finding("ASSAY_STATUS")->detail(), testing::HasSubstr("US"));
}

TEST_F(DonorRulesTest, ASpecimenOutsideItsWindowIsFound) {
  world_.PlayUntil(DonorStep::kPackaged);
  v1::Event drawn = world_.MakeSpecimen(world_.specimen_id);
  // Five days before: within the window of one regime, not of the other.
  drawn.mutable_specimen_collected()->set_drawn_at_ms(world_.now_ms() - 5 * 24 * kHour);
  ASSERT_TRUE(world_.Play(drawn).recorded);
  const PlayedEvent played = world_.Play(
      world_.MakeReport(world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE)));
  EXPECT_THAT(played.codes, ElementsAre("SPECIMEN_WINDOW"));
  EXPECT_THAT(played.Finding("SPECIMEN_WINDOW")->detail(), testing::HasSubstr("EU"));
}

TEST_F(DonorRulesTest, ALateReactiveResultReopensAndHolds) {
  world_.PlayUntil(DonorStep::kDetermined);
  const PlayedEvent played = world_.Play(
      world_.MakeReport(world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_REACTIVE)));
  EXPECT_THAT(played.codes, ElementsAre("REACTIVE_RESULT"));
  ExpectReopened(played, "REACTIVE_RESULT");
}

TEST_F(DonorRulesTest, AReactiveResultWithoutAuthorityReopensToo) {
  world_.PlayUntil(DonorStep::kDetermined);
  const PlayedEvent played =
      world_.Play(world_.MakeReport(world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_REACTIVE)),
                  WithoutRole(v1::ROLE_TESTING_LABORATORY, v1::MEANING_RESPONSIBLE));
  ExpectReopened(played, "REACTIVE_RESULT");
}

TEST_F(DonorRulesTest, ALateNegativeResultChangesNothing) {
  world_.PlayUntil(DonorStep::kDetermined);
  ExpectUntouched(world_.Play(
      world_.MakeReport(world_.MakeResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE))));
}

TEST_F(DonorRulesTest, AResultCountsOnlyWithItsReviewer) {
  world_.PlayUntil(DonorStep::kDrawn);
  const std::string laboratory = world_.ledger().Actor(v1::ROLE_TESTING_LABORATORY);
  const PlayedEvent held = world_.Play(
      world_.MakeReport(), {{laboratory, v1::ROLE_TESTING_LABORATORY, v1::MEANING_RESPONSIBLE}});
  EXPECT_THAT(held.codes, ElementsAre("E_FOUR_EYES"));
  const v1::Event eligible = world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
  EXPECT_THAT(world_.Play(eligible).codes, ElementsAre("E_OUTCOME_BETTER_THAN_PROPOSED"));
  const std::string reviewer = world_.ledger().Actor(v1::ROLE_TESTING_LABORATORY, {}, 1);
  ASSERT_TRUE(
      world_.ledger()
          .Cosign(*held.entry, {reviewer, v1::ROLE_TESTING_LABORATORY, v1::MEANING_REVIEWED})
          .ok());
  EXPECT_THAT(world_.Play(eligible).codes, IsEmpty());
}

// --- DNR-08

class CorrectionTest : public DonorRulesTest {
 protected:
  v1::Event Correct(v1::TestOutcome before, v1::TestOutcome after) {
    v1::Event event;
    event.mutable_reason()->set_code("LAB_ERROR");
    v1::TestResultCorrected* const body = event.mutable_test_result_corrected();
    body->set_donor_id(world_.mother_id);
    body->set_result_id(world_.Mother().results(1).result().result_id());  // HBSAG
    body->set_old_outcome(before);
    body->set_new_outcome(after);
    body->set_laboratory_reason("sample swap");
    body->mutable_amended_report()->set_sha256(std::string(32, 'a'));
    return event;
  }
  const v1::ResultState& Last() { return *world_.Mother().results().rbegin(); }
};

TEST_F(CorrectionTest, ReplacesTheResultAndReopens) {
  world_.PlayUntil(DonorStep::kDetermined);
  const PlayedEvent played =
      world_.Play(Correct(v1::TEST_OUTCOME_NONREACTIVE, v1::TEST_OUTCOME_REACTIVE));
  ExpectReopened(played, "REACTIVE_RESULT");
  EXPECT_TRUE(world_.Mother().results(1).superseded());
  EXPECT_EQ(Last().result().outcome(), v1::TEST_OUTCOME_REACTIVE);
}

TEST_F(CorrectionTest, NamesWhatItCorrects) {
  world_.PlayUntil(DonorStep::kReported);
  EXPECT_THAT(world_.Play(Correct(v1::TEST_OUTCOME_REACTIVE, v1::TEST_OUTCOME_NONREACTIVE)).codes,
              ElementsAre("INCONSISTENT"));
  v1::Event event = Correct(v1::TEST_OUTCOME_NONREACTIVE, v1::TEST_OUTCOME_REACTIVE);
  event.mutable_test_result_corrected()->set_result_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MISSING"));
}

// What was corrected without its reason or report may make a donor worse, never better.
TEST_F(CorrectionTest, MakesBetterOnlyWithReasonAndReport) {
  struct Row {
    void (*spoil)(v1::TestResultCorrected& body);
    const char* code;
  };
  const Row rows[] = {
      {[](v1::TestResultCorrected& body) { body.clear_laboratory_reason(); }, "E_REASON_MISSING"},
      {[](v1::TestResultCorrected& body) { body.clear_amended_report(); }, "E_MISSING"},
      {[](v1::TestResultCorrected& body) { body.set_old_outcome(v1::TEST_OUTCOME_INDETERMINATE); },
       "INCONSISTENT"},
  };
  world_.PlayUntil(DonorStep::kReported);
  world_.Mother().mutable_results(1)->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  for (const Row& row : rows) {
    v1::Event event = Correct(v1::TEST_OUTCOME_REACTIVE, v1::TEST_OUTCOME_NONREACTIVE);
    row.spoil(*event.mutable_test_result_corrected());
    EXPECT_THAT(world_.Play(event).codes, ElementsAre(row.code));
    EXPECT_FALSE(world_.Mother().results(1).superseded()) << row.code;
  }
  world_.Mother().mutable_results(1)->mutable_result()->set_outcome(v1::TEST_OUTCOME_NONREACTIVE);
  v1::Event worse = Correct(v1::TEST_OUTCOME_NONREACTIVE, v1::TEST_OUTCOME_REACTIVE);
  worse.mutable_test_result_corrected()->clear_laboratory_reason();
  EXPECT_THAT(world_.Play(worse).codes, ElementsAre("E_REASON_MISSING", "REACTIVE_RESULT"));
  EXPECT_TRUE(world_.Mother().results(1).superseded());
}

TEST_F(CorrectionTest, TakesAReactiveResultOutOnlyWithQualityAssurance) {
  world_.PlayUntil(DonorStep::kReported);
  world_.Mother().mutable_results(1)->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  const v1::Event event = Correct(v1::TEST_OUTCOME_REACTIVE, v1::TEST_OUTCOME_NONREACTIVE);
  const std::string laboratory = world_.ledger().Actor(v1::ROLE_TESTING_LABORATORY);
  ASSERT_TRUE(
      world_.Play(event, {{laboratory, v1::ROLE_TESTING_LABORATORY, v1::MEANING_RESPONSIBLE}})
          .recorded);
  EXPECT_FALSE(world_.Mother().results(1).superseded());
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_TRUE(world_.Mother().results(1).superseded());
  EXPECT_EQ(Last().result().outcome(), v1::TEST_OUTCOME_NONREACTIVE);
}

// The reactive result was true for somebody.
TEST_F(CorrectionTest, TheOtherDonorOfASwapGetsACase) {
  world_.PlayUntil(DonorStep::kReported);
  const std::string other = world_.ledger().NewId();
  ASSERT_TRUE(
      world_.Play(DonorLedger::MakeRegistration(other, "pseudonym:A-9", v1::DONOR_TYPE_ADULT))
          .recorded);
  world_.Mother().mutable_results(1)->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  v1::Event event = Correct(v1::TEST_OUTCOME_REACTIVE, v1::TEST_OUTCOME_NONREACTIVE);
  event.mutable_test_result_corrected()->set_belongs_to_donor_id(other);
  ASSERT_THAT(world_.Play(event).codes, IsEmpty());
  const v1::SubjectState* const state = world_.ledger().State(v1::SUBJECT_KIND_DONOR, other);
  ASSERT_EQ(state->open_cases_size(), 1);
  EXPECT_EQ(state->open_cases(0).severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(state->open_cases(0).kind(), v1::CASE_KIND_DONOR);
}

// --- DNR-09

TEST_F(DonorRulesTest, ADeterminationIsNotBetterThanTheEvidence) {
  world_.PlayUntil(DonorStep::kReported);
  EXPECT_THAT(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE)).codes,
              IsEmpty());
  world_.Mother().mutable_results(1)->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  for (const v1::EligibilityOutcome better :
       {v1::ELIGIBILITY_OUTCOME_ELIGIBLE, v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK,
        v1::ELIGIBILITY_OUTCOME_INCOMPLETE, v1::ELIGIBILITY_OUTCOME_PENDING_RETEST}) {
    const PlayedEvent played = world_.Play(world_.MakeDetermination(better));
    EXPECT_FALSE(played.recorded);
    EXPECT_THAT(played.codes, ElementsAre("E_OUTCOME_BETTER_THAN_PROPOSED"));
  }
  EXPECT_THAT(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE)).codes,
              IsEmpty());
  EXPECT_EQ(world_.Donation().eligibility(0).outcome(), v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
}

TEST_F(DonorRulesTest, AStricterOutcomeIsAlwaysAllowed) {
  world_.PlayUntil(DonorStep::kReported);
  EXPECT_THAT(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INCOMPLETE)).codes,
              IsEmpty());
  EXPECT_THAT(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE)).codes,
              IsEmpty());
}

TEST_F(DonorRulesTest, ADeterminationSaysWhatOfWhom) {
  world_.PlayUntil(DonorStep::kReported);
  v1::Event event = world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
  event.mutable_eligibility_determined()->clear_regimes();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  event = world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_UNSPECIFIED);
  EXPECT_THAT(world_.Play(event).codes, Contains("E_FIELD"));
  event = world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
  event.mutable_eligibility_determined()->set_donor_id(world_.mother_id);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("INCONSISTENT"));
  event = world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
  event.mutable_eligibility_determined()->set_regimes(0, v1::REGIME_TH);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_REGIME"));
}

TEST_F(DonorRulesTest, PhysicianAndQualityAssuranceDetermine) {
  world_.PlayUntil(DonorStep::kReported);
  const std::string both =
      world_.ledger().AddPerson({v1::ROLE_DONOR_PHYSICIAN, v1::ROLE_QUALITY_ASSURANCE});
  SignAs again{both, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_REVIEWED};
  again.key = world_.ledger().AddKey(both);
  const PlayedEvent played =
      world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE),
                  {{both, v1::ROLE_DONOR_PHYSICIAN, v1::MEANING_APPROVED}, again});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, Contains("E_SAME_PERSON"));
}

// --- DNR-10, DNR-12

TEST_F(DonorRulesTest, InformationAfterTheDonationAlwaysReopens) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event;
  event.mutable_post_donation_information()->set_donor_id(world_.mother_id);
  event.mutable_post_donation_information()->set_information_code("FEVER");
  const PlayedEvent played = world_.Play(event);
  EXPECT_THAT(played.codes, IsEmpty());
  ExpectReopened(played, "ELIGIBILITY_REOPENED");
  EXPECT_EQ(world_.Mother().post_donation_indices_size(), 1);
}

TEST_F(DonorRulesTest, IneligibleIsNeverReopened) {
  world_.PlayUntil(DonorStep::kReported);
  ASSERT_TRUE(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_INELIGIBLE)).recorded);
  v1::Event event;
  event.mutable_post_donation_information()->set_donor_id(world_.mother_id);
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_FALSE(world_.Donation().eligibility(0).reopened());
}

TEST_F(DonorRulesTest, AReopenedDeterminationIsMadeAnew) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event;
  event.mutable_post_donation_information()->set_donor_id(world_.mother_id);
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_THAT(world_.Play(world_.MakeDetermination(v1::ELIGIBILITY_OUTCOME_ELIGIBLE)).codes,
              IsEmpty());
  EXPECT_FALSE(world_.Donation().eligibility(0).reopened());
  // The hold stays until people lift it.
  EXPECT_EQ(world_.DonationSubject().holds_size(), 1);
}

TEST_F(DonorRulesTest, OnlyTheLedgerReopens) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event;
  event.mutable_eligibility_reopened()->set_donation_id(world_.donation_id);
  const PlayedEvent played = world_.Play(
      event, {{world_.ledger().service_device(), v1::ROLE_DEVICE, v1::MEANING_DERIVED}});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_SYSTEM_EVENT"));
}

}  // namespace
}  // namespace custody
