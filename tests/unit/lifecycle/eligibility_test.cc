#include "lifecycle/eligibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/donation_world.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kUs = v1::REGIME_US;
constexpr auto kEu = v1::REGIME_EU;
constexpr auto kEligible = v1::ELIGIBILITY_OUTCOME_ELIGIBLE;
constexpr auto kRisk = v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK;
constexpr auto kIneligible = v1::ELIGIBILITY_OUTCOME_INELIGIBLE;
constexpr auto kIncomplete = v1::ELIGIBILITY_OUTCOME_INCOMPLETE;
constexpr auto kRetest = v1::ELIGIBILITY_OUTCOME_PENDING_RETEST;
constexpr auto kNotRequired = v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED;

EligibilityProposal Propose(const DonationWorld& world, v1::Regime regime) {
  const auto proposal =
      ProposeEligibility(world.view, DonationWorld::kDonation, regime, world.policy);
  EXPECT_OK(proposal);
  return proposal.ok() ? *proposal : EligibilityProposal();
}

v1::EligibilityOutcome OutcomeOf(const DonationWorld& world, v1::Regime regime) {
  return Propose(world, regime).outcome;
}

// --- Section 3.3: windows. -------------------------------------------------------------------

struct WindowVector {
  v1::TissueType tissue;
  const char* drawn;
  bool us;
  bool eu;
};

std::ostream& operator<<(std::ostream& out, const WindowVector& vector) {
  return out << v1::TissueType_Name(vector.tissue) << " " << vector.drawn;
}

class SpecimenWindowTest : public testing::TestWithParam<WindowVector> {};

TEST_P(SpecimenWindowTest, CountsLocalCalendarDays) {
  DonationWorld world("2025-03-10", GetParam().tissue);
  world.AddCleanPanel(GetParam().drawn);
  EXPECT_EQ(OutcomeOf(world, kUs), GetParam().us ? kEligible : kIncomplete);
  EXPECT_EQ(OutcomeOf(world, kEu), GetParam().eu ? kEligible : kIncomplete);
}

constexpr auto kJelly = v1::TISSUE_TYPE_WHARTONS_JELLY;
constexpr auto kMarrow = v1::TISSUE_TYPE_BONE_MARROW;

INSTANTIATE_TEST_SUITE_P(Vectors, SpecimenWindowTest,
                         testing::Values(WindowVector{kJelly, "2025-03-03", true, false},
                                         WindowVector{kJelly, "2025-03-10", true, true},
                                         WindowVector{kJelly, "2025-03-17", true, true},
                                         WindowVector{kJelly, "2025-03-18", false, false},
                                         WindowVector{kJelly, "2025-03-02", false, false},
                                         WindowVector{kMarrow, "2025-02-08", true, true},
                                         WindowVector{kMarrow, "2025-02-07", false, false}));

TEST(EligibilityTest, DaysAreThoseOfTheProcurementSite) {
  // 23:30 on the 17th in Bangkok is 16:30 UTC; half an hour after midnight it is the 18th there
  // and still the 17th in UTC.
  DonationWorld inside("2025-03-10", kJelly);
  inside.AddCleanPanel("2025-03-17", 23, 30);
  EXPECT_EQ(OutcomeOf(inside, kEu), kEligible);
  DonationWorld outside("2025-03-10", kJelly);
  outside.AddCleanPanel("2025-03-18", 0, 30);
  EXPECT_EQ(OutcomeOf(outside, kEu), kIncomplete);
}

TEST(EligibilityTest, UnknownZoneOrProcurementPlacesNoSpecimen) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddCleanPanel("2025-03-10");
  world.Site().set_time_zone("Mars/Olympus");
  EXPECT_EQ(OutcomeOf(world, kUs), kIncomplete);
  world.Site().set_time_zone("Asia/Bangkok");
  EXPECT_EQ(OutcomeOf(world, kUs), kEligible);
  world.Donation().clear_procured_at_ms();
  EXPECT_EQ(OutcomeOf(world, kUs), kIncomplete);
}

TEST(EligibilityTest, SecondSampleCountsFromTheHundredAndEightiethDay) {
  DonationWorld early("2025-03-10", kJelly);
  early.AddSerologyPanel("2025-03-10");
  EXPECT_EQ(OutcomeOf(early, kEu), kRetest);
  early.AddSerologyPanel("2025-09-05");
  EXPECT_EQ(OutcomeOf(early, kEu), kRetest);
  early.AddSerologyPanel("2025-09-06");
  EXPECT_EQ(OutcomeOf(early, kEu), kEligible);
}

TEST(EligibilityTest, ReactiveSecondSampleIsIneligible) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddSerologyPanel("2025-03-10");
  world.AddSerologyPanel("2025-09-06");
  world.AddResult(v1::MARKER_HCV_AB, v1::TEST_OUTCOME_REACTIVE, world.AddSpecimen("2025-09-06"));
  EXPECT_EQ(OutcomeOf(world, kEu), kIneligible);
}

TEST(EligibilityTest, ADilutedSecondSampleIsNone) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddSerologyPanel("2025-03-10");
  world.AddSerologyPanel("2025-09-06");
  EXPECT_EQ(OutcomeOf(world, kEu), kEligible);
  v1::SpecimenState* const second = world.Tested().mutable_specimens(1);
  second->set_dilution(v1::DILUTION_RESULT_UNACCEPTABLE);
  EXPECT_EQ(OutcomeOf(world, kEu), kRetest);
  second->clear_dilution();
  second->set_blood_48h_ml(2001);
  second->set_blood_loss(v1::ANSWER_YES);
  EXPECT_EQ(OutcomeOf(world, kEu), kRetest);
  second->set_dilution(v1::DILUTION_RESULT_ACCEPTABLE);
  EXPECT_EQ(OutcomeOf(world, kEu), kEligible);
}

// The worse of two results wins in the second sample as in the first.
TEST(EligibilityTest, AnUndecidedSecondSampleNeedsAnAnswer) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddSerologyPanel("2025-03-10");
  const std::string second = world.AddSerologyPanel("2025-09-06");
  world.AddResult(v1::MARKER_HCV_AB, v1::TEST_OUTCOME_INDETERMINATE, second);
  EXPECT_EQ(OutcomeOf(world, kEu), kIncomplete);
  EXPECT_THAT(Propose(world, kEu).missing, ElementsAre(v1::MARKER_HCV_AB));
}

// Where no second sample is drawn nothing else would ever ask about it.
TEST(EligibilityTest, AReactiveResultFromAfterTheWindowIsAssessed) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddCleanPanel("2025-03-10");
  EXPECT_EQ(OutcomeOf(world, kUs), kEligible);
  world.AddResult(v1::MARKER_HCV_AB, v1::TEST_OUTCOME_REACTIVE, world.AddSpecimen("2025-03-20"));
  EXPECT_EQ(OutcomeOf(world, kUs), kIncomplete);
  EXPECT_TRUE(Propose(world, kUs).risk_assessment_would_do);
}

TEST(EligibilityTest, NucleicAcidTestsInactivationOrFreshProductSpareTheSecondSample) {
  DonationWorld world("2025-03-10", kJelly);
  const std::string specimen = world.AddSerologyPanel("2025-03-10");
  EXPECT_EQ(OutcomeOf(world, kEu), kRetest);
  world.AddResult(v1::MARKER_HIV1_NAT, v1::TEST_OUTCOME_NOT_DETECTED, specimen);
  world.AddResult(v1::MARKER_HCV_NAT, v1::TEST_OUTCOME_NOT_DETECTED, specimen);
  EXPECT_EQ(OutcomeOf(world, kEu), kRetest);  // Two of three.
  world.policy.mutable_donor()->mutable_inactivation_validation()->set_sha256(std::string(32, 'i'));
  EXPECT_EQ(OutcomeOf(world, kEu), kEligible);
  world.policy.mutable_donor()->clear_inactivation_validation();
  world.Product().set_presentation(v1::PRESENTATION_FRESH);
  EXPECT_EQ(OutcomeOf(world, kEu), kEligible);
}

// --- Section 3.5: outcome of one changed marker of a clean panel. -----------------------------

struct MarkerRow {
  v1::Marker marker;
  v1::TestOutcome outcome;
  v1::EligibilityOutcome us;
  v1::EligibilityOutcome eu;
};

std::ostream& operator<<(std::ostream& out, const MarkerRow& row) {
  return out << v1::Marker_Name(row.marker) << " " << v1::TestOutcome_Name(row.outcome);
}

class MarkerRowTest : public testing::TestWithParam<MarkerRow> {};

TEST_P(MarkerRowTest, DecidesTheOutcome) {
  const MarkerRow& row = GetParam();
  DonationWorld world("2025-03-10", kJelly);
  world.AddCleanPanel("2025-03-10");
  world.SetResult(row.marker, row.outcome);
  EXPECT_EQ(OutcomeOf(world, kUs), row.us);
  EXPECT_EQ(OutcomeOf(world, kEu), row.eu);
}

constexpr auto kReactive = v1::TEST_OUTCOME_REACTIVE;
constexpr auto kDetected = v1::TEST_OUTCOME_DETECTED;

INSTANTIATE_TEST_SUITE_P(
    Reactive, MarkerRowTest,
    testing::Values(
        MarkerRow{v1::MARKER_HIV12_AB, v1::TEST_OUTCOME_NONREACTIVE, kEligible, kEligible},
        MarkerRow{v1::MARKER_HIV12_AB, kReactive, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HIV1_NAT, kDetected, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HBSAG, kReactive, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HBV_NAT, kDetected, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HCV_AB, kReactive, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HCV_NAT, kDetected, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_HBC_AB, kReactive, kIneligible, kIncomplete},
        MarkerRow{v1::MARKER_SYPH_TREPONEMAL, kReactive, kIneligible, kIncomplete},
        MarkerRow{v1::MARKER_SYPH_SCREEN, kReactive, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HTLV_AB, kReactive, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_WNV_NAT, kDetected, kIneligible, kIneligible},
        MarkerRow{v1::MARKER_CMV_AB, kReactive, kRisk, kRisk},
        MarkerRow{v1::MARKER_CMV_NAT, kDetected, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HIV12_AB, v1::TEST_OUTCOME_CONFIRMED_POS, kIneligible, kIneligible}));

INSTANTIATE_TEST_SUITE_P(
    NoAnswer, MarkerRowTest,
    testing::Values(
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_INDETERMINATE, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_INITIAL_REACTIVE, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_INVALID, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_INHIBITED, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_PENDING, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_NOT_TESTED, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_SUPPL_INDET, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_CONFIRMED_NEG, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_HBSAG, v1::TEST_OUTCOME_UNSPECIFIED, kIncomplete, kIncomplete},
        MarkerRow{v1::MARKER_CMV_AB, v1::TEST_OUTCOME_NOT_TESTED, kIncomplete, kIncomplete}));

class CleanDonationTest : public testing::Test {
 protected:
  CleanDonationTest() : world_("2025-03-10", kJelly) {
    specimen_ = world_.AddCleanPanel("2025-03-10");
  }
  DonationWorld world_;
  std::string specimen_;
};

TEST_F(CleanDonationTest, IsEligibleWithEveryResultEvaluated) {
  const EligibilityProposal proposal = Propose(world_, kUs);
  EXPECT_EQ(proposal.outcome, kEligible);
  EXPECT_THAT(proposal.missing, IsEmpty());
  EXPECT_THAT(proposal.labels, IsEmpty());
  EXPECT_EQ(proposal.evaluated_result_ids.size(),
            static_cast<std::size_t>(world_.Tested().results_size()));
}

TEST_F(CleanDonationTest, LaterNegativeDoesNotOverturnReactive) {
  world_.AddResult(v1::MARKER_HCV_NAT, kDetected, specimen_);
  world_.AddResult(v1::MARKER_HCV_NAT, v1::TEST_OUTCOME_NOT_DETECTED, specimen_);
  world_.AddResult(v1::MARKER_HCV_NAT, v1::TEST_OUTCOME_CONFIRMED_NEG, specimen_);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
}

TEST_F(CleanDonationTest, ReactiveCountsWhateverAuthorityAssayOrEarlyDate) {
  v1::ResultState& result =
      world_.AddResult(v1::MARKER_HIV1_NAT, kDetected, world_.AddSpecimen("2025-01-01"));
  result.set_attested(false);
  result.clear_accreditations();
  result.mutable_result()->clear_assay_statuses();
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
  EXPECT_EQ(OutcomeOf(world_, kEu), kIneligible);
}

TEST_F(CleanDonationTest, FavourableResultCountsOnlyWhenAttestedAndAcceptable) {
  v1::ResultState& result = world_.Result(v1::MARKER_HBSAG);
  result.set_attested(false);
  EXPECT_THAT(Propose(world_, kUs).missing, ElementsAre(v1::MARKER_HBSAG));
  result.set_attested(true);
  // CE-marked only: good for the European Union, not for the United States.
  result.mutable_result()->clear_assay_statuses();
  result.mutable_result()->add_assay_statuses(v1::ASSAY_STATUS_CE_MARKED);
  EXPECT_EQ(OutcomeOf(world_, kEu), kEligible);
  EXPECT_THAT(Propose(world_, kUs).missing, ElementsAre(v1::MARKER_HBSAG));
  result.clear_accreditations();
  EXPECT_EQ(OutcomeOf(world_, kEu), kIncomplete);
}

TEST_F(CleanDonationTest, ReactiveLabelMarkerWithoutAuthorityIsStillMissing) {
  world_.SetResult(v1::MARKER_CMV_AB, kReactive);
  world_.Result(v1::MARKER_CMV_AB).set_attested(false);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

TEST_F(CleanDonationTest, CmvNeedsTheReleaseProcedureInTheUnitedStates) {
  world_.SetResult(v1::MARKER_CMV_AB, kReactive);
  EXPECT_THAT(Propose(world_, kUs).labels, ElementsAre("CMV antibody reactive"));
  world_.policy.mutable_donor()->clear_cmv_release_procedure();
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
  EXPECT_EQ(OutcomeOf(world_, kEu), kRisk);
}

// Scenario N5.
TEST_F(CleanDonationTest, TreponemalTestCancelsTheScreenAndNothingElse) {
  world_.SetResult(v1::MARKER_SYPH_SCREEN, kReactive);
  EXPECT_THAT(Propose(world_, kUs).missing, ElementsAre(v1::MARKER_SYPH_CONFIRM));
  v1::ResultState& confirm =
      world_.AddResult(v1::MARKER_SYPH_CONFIRM, v1::TEST_OUTCOME_CONFIRMED_NEG, specimen_);
  EXPECT_EQ(OutcomeOf(world_, kUs), kEligible);
  EXPECT_EQ(OutcomeOf(world_, kEu), kEligible);
  confirm.set_attested(false);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
  confirm.set_attested(true);
  confirm.mutable_result()->set_outcome(v1::TEST_OUTCOME_CONFIRMED_POS);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
  const EligibilityProposal european = Propose(world_, kEu);
  EXPECT_EQ(european.outcome, kIncomplete);
  EXPECT_TRUE(european.risk_assessment_would_do);
}

TEST_F(CleanDonationTest, PolicyCannotLetAnotherMarkerBeCancelled) {
  for (v1::MarkerRule& rule : *world_.policy.mutable_donor()->mutable_markers()) {
    if (rule.marker() == v1::MARKER_HIV12_AB) {
      rule.set_on_reactive(v1::REACTIVE_RULE_UNLESS_CONFIRMED_NEGATIVE);
    }
  }
  world_.SetResult(v1::MARKER_HIV12_AB, kReactive);
  world_.AddResult(v1::MARKER_HIV12_AB, v1::TEST_OUTCOME_CONFIRMED_NEG, specimen_);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
}

TEST_F(CleanDonationTest, RiskAssessmentWouldDoOnlyWhenNothingElseIsOpen) {
  world_.SetResult(v1::MARKER_HBC_AB, kReactive);
  EXPECT_TRUE(Propose(world_, kEu).risk_assessment_would_do);
  world_.SetResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_INDETERMINATE);
  EXPECT_FALSE(Propose(world_, kEu).risk_assessment_would_do);
}

TEST_F(CleanDonationTest, HigherVersionOfAReportReplacesALowerOne) {
  v1::ResultState& first = world_.Result(v1::MARKER_HBSAG);
  first.mutable_result()->set_outcome(v1::TEST_OUTCOME_INDETERMINATE);
  first.mutable_result()->set_report_number("R-1");
  first.mutable_result()->set_report_version(1);
  v1::ResultState& second =
      world_.AddResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE, specimen_);
  second.mutable_result()->set_report_number("R-2");
  second.mutable_result()->set_report_version(2);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);  // Another report: the worse one wins.
  second.mutable_result()->set_report_number("R-1");
  EXPECT_EQ(OutcomeOf(world_, kUs), kEligible);
  second.set_attested(false);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

TEST_F(CleanDonationTest, OnlyACorrectionTakesAReactiveResultOut) {
  v1::ResultState& first = world_.Result(v1::MARKER_HBSAG);
  first.mutable_result()->set_outcome(kReactive);
  first.mutable_result()->set_report_number("R-1");
  first.mutable_result()->set_report_version(1);
  const int reactive = world_.Tested().results_size() - 1;
  v1::ResultState& second =
      world_.AddResult(v1::MARKER_HBSAG, v1::TEST_OUTCOME_NONREACTIVE, specimen_);
  second.mutable_result()->set_report_number("R-1");
  second.mutable_result()->set_report_version(2);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
  for (int i = 0; i <= reactive; ++i) {
    v1::ResultState* const result = world_.Tested().mutable_results(i);
    if (result->result().outcome() == kReactive) result->set_superseded(true);
  }
  EXPECT_EQ(OutcomeOf(world_, kUs), kEligible);
}

// Scenario N6.
TEST_F(CleanDonationTest, InfantsBloodNeverCounts) {
  v1::DonorState& infant = world_.Newborn();
  *infant.mutable_results() = world_.Tested().results();
  *infant.mutable_specimens() = world_.Tested().specimens();
  world_.Tested().clear_results();
  const EligibilityProposal proposal = Propose(world_, kUs);
  EXPECT_EQ(proposal.outcome, kIncomplete);
  EXPECT_EQ(proposal.missing.size(), 10U);
  EXPECT_THAT(proposal.remarks,
              Contains(testing::Field(&EligibilityRemark::code, v1::REASON_CODE_WRONG_SUBJECT)));
}

TEST_F(CleanDonationTest, SpecimenOnTheMothersChainThatIsOfTheInfantNeverCounts) {
  for (v1::SpecimenState& specimen : *world_.Tested().mutable_specimens()) {
    specimen.set_person_examined(v1::PERSON_EXAMINED_DONOR);
  }
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

TEST_F(CleanDonationTest, UnknownBirthMotherLeavesEverythingMissing) {
  world_.Newborn().set_birth_mother_id(std::string(16, '?'));
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

TEST_F(CleanDonationTest, ScreeningMustBeThereCompleteAndAttested) {
  v1::ScreeningState* const screening = world_.Tested().mutable_screenings(0);
  screening->set_attested(false);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
  screening->set_attested(true);
  screening->set_physical_assessment_done(v1::ANSWER_UNKNOWN);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
  world_.Tested().clear_screenings();
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

TEST_F(CleanDonationTest, ScreeningFindingsWeighAsThePolicySays) {
  v1::ScreeningState* const screening = world_.Tested().mutable_screenings(0);
  screening->add_findings()->set_code("NOTE-ALLERGY");
  EXPECT_EQ(OutcomeOf(world_, kUs), kEligible);
  screening->add_findings()->set_code("RISK-TRAVEL");
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
  EXPECT_TRUE(Propose(world_, kEu).risk_assessment_would_do);
  screening->add_findings()->set_code("NEVER-HEARD-OF");
  EXPECT_EQ(OutcomeOf(world_, kEu), kIneligible);
}

TEST_F(CleanDonationTest, FindingOnTheInfantCountsToo) {
  world_.Newborn().add_screenings()->add_findings()->set_code("RISK-CLINICAL-EVIDENCE");
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
}

struct DilutionRow {
  std::uint32_t blood;
  std::uint32_t crystalloid;
  v1::Answer blood_loss;
  v1::DilutionResult assessed;
  v1::EligibilityOutcome outcome;
};

class DilutionTest : public testing::TestWithParam<DilutionRow> {};

TEST_P(DilutionTest, DecidesTheOutcome) {
  DonationWorld world("2025-03-10", kJelly);
  world.AddCleanPanel("2025-03-10");
  v1::SpecimenState* const specimen = world.Tested().mutable_specimens(0);
  specimen->set_blood_48h_ml(GetParam().blood);
  specimen->set_crystalloid_1h_ml(GetParam().crystalloid);
  specimen->set_blood_loss(GetParam().blood_loss);
  specimen->set_dilution(GetParam().assessed);
  EXPECT_EQ(OutcomeOf(world, kUs), GetParam().outcome);
}

constexpr auto kUnassessed = v1::DILUTION_RESULT_UNSPECIFIED;

INSTANTIATE_TEST_SUITE_P(
    Rows, DilutionTest,
    testing::Values(DilutionRow{2000, 2000, v1::ANSWER_YES, kUnassessed, kEligible},
                    DilutionRow{2001, 0, v1::ANSWER_YES, kUnassessed, kIncomplete},
                    DilutionRow{0, 2001, v1::ANSWER_YES, kUnassessed, kIncomplete},
                    DilutionRow{2001, 0, v1::ANSWER_UNKNOWN, kUnassessed, kIncomplete},
                    DilutionRow{2001, 0, v1::ANSWER_NO, kUnassessed, kEligible},
                    DilutionRow{2001, 0, v1::ANSWER_YES, v1::DILUTION_RESULT_ACCEPTABLE, kEligible},
                    DilutionRow{2001, 0, v1::ANSWER_YES, v1::DILUTION_RESULT_UNACCEPTABLE,
                                kIneligible}));

TEST_F(CleanDonationTest, ChildIsDilutedByAnyAmount) {
  v1::SpecimenState* const specimen = world_.Tested().mutable_specimens(0);
  specimen->set_age_class(v1::AGE_CLASS_UP_TO_12_YEARS);
  specimen->set_crystalloid_1h_ml(1);
  specimen->set_blood_loss(v1::ANSWER_NO);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIncomplete);
}

// Nobody said that the donor is no child.
TEST(EligibilityTest, AnUnknownAgeIsDilutedByAnyAmount) {
  DonationWorld world("2025-03-10", v1::TISSUE_TYPE_BONE_MARROW);
  world.AddCleanPanel("2025-03-10");
  v1::SpecimenState* const specimen = world.Tested().mutable_specimens(0);
  EXPECT_EQ(OutcomeOf(world, kUs), kEligible);
  specimen->set_crystalloid_1h_ml(1);
  EXPECT_EQ(OutcomeOf(world, kUs), kIncomplete);
  specimen->set_age_class(v1::AGE_CLASS_OVER_12_YEARS);
  EXPECT_EQ(OutcomeOf(world, kUs), kEligible);
}

TEST_F(CleanDonationTest, UndilutedSampleReplacesADilutedOne) {
  v1::SpecimenState* const specimen = world_.Tested().mutable_specimens(0);
  specimen->set_dilution(v1::DILUTION_RESULT_UNACCEPTABLE);
  EXPECT_EQ(OutcomeOf(world_, kUs), kIneligible);
  world_.AddCleanPanel("2025-03-09");
  EXPECT_EQ(OutcomeOf(world_, kUs), kEligible);
}

TEST_F(CleanDonationTest, AutologousNeedsNoDeterminationButLabels) {
  world_.Donation().set_intent(v1::DONATION_INTENT_AUTOLOGOUS);
  EXPECT_EQ(OutcomeOf(world_, kUs), kNotRequired);
  EXPECT_THAT(Propose(world_, kUs).labels, ElementsAre("FOR AUTOLOGOUS USE ONLY"));
  world_.SetResult(v1::MARKER_HBSAG, kReactive);
  EXPECT_EQ(OutcomeOf(world_, kUs), kNotRequired);
  EXPECT_THAT(Propose(world_, kUs).labels, Contains("WARNING: Reactive test results for HBSAG"));
  world_.Tested().clear_results();
  EXPECT_THAT(Propose(world_, kUs).labels, Contains("NOT EVALUATED FOR INFECTIOUS SUBSTANCES"));
}

TEST_F(CleanDonationTest, LeukocyteRichTissueNeedsHtlv) {
  world_.Donation().set_tissue_type(v1::TISSUE_TYPE_CORD_BLOOD);
  EXPECT_THAT(Propose(world_, kUs).missing, ElementsAre(v1::MARKER_HTLV_AB));
  EXPECT_EQ(OutcomeOf(world_, kEu), kEligible);
}

TEST(EligibilityTest, UnknownDonationIsNotFound) {
  DonationWorld world("2025-03-10", kJelly);
  EXPECT_THAT(ProposeEligibility(world.view, std::string(16, 'x'), kUs, world.policy),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("not known")));
}

TEST(EligibilityTest, OutcomesHaveOneOrder) {
  const std::vector<v1::EligibilityOutcome> order = {kNotRequired, kEligible,   kRisk,
                                                     kRetest,      kIncomplete, kIneligible};
  for (std::size_t a = 0; a < order.size(); ++a) {
    for (std::size_t b = 0; b < order.size(); ++b) EXPECT_EQ(IsBetter(order[a], order[b]), a < b);
    EXPECT_TRUE(IsBetter(v1::ELIGIBILITY_OUTCOME_UNSPECIFIED, order[a]));
  }
}

}  // namespace
}  // namespace custody
