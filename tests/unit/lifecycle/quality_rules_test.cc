#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/lot_fitness.h"
#include "lifecycle/quality_guards.h"
#include "tests/support/rule_bench.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class QualityTest : public ::testing::Test {
 protected:
  v1::BatchState& LotState(const LotScenario& lot) { return bench_.view().Batch(lot.lot_id); }

  static v1::Event Report(const LotScenario& lot, v1::QcResult result) {
    v1::Event event;
    event.mutable_qc_result_reported()->set_batch_id(lot.lot_id);
    *event.mutable_qc_result_reported()->add_results() = std::move(result);
    return event;
  }
  static v1::QcResult Growth(const LotScenario& lot, char id) {
    v1::QcResult result = WordResult(Id(id), lot.sample_id, "ST-01", v1::QUALITATIVE_RESULT_GROWTH);
    result.set_verdict(v1::RESULT_VERDICT_FAIL);
    return result;
  }
  // The step REL-03 of a lot that has all but its release.
  ScenarioStep Release(const LotScenario& lot) {
    bench_.Play(lot.release[0]);
    bench_.Play(lot.release[1]);
    return lot.release[2];
  }

  RuleBench bench_;
};

TEST_F(QualityTest, AGoodLotIsReleased) {
  const LotScenario lot = bench_.MakeLot(false);
  EXPECT_THAT(bench_.PlayAll(lot.release), IsEmpty());
  EXPECT_EQ(LotState(lot).phase(), v1::BATCH_PHASE_RELEASED);
  EXPECT_EQ(LotState(lot).release_policy_hash(), bench_.policy_hash());
}

TEST_F(QualityTest, AFailureOpensAnInvestigationWithAKnownId) {
  const LotScenario lot = bench_.MakeLot(false);
  const auto outcome = bench_.Play(Report(lot, Growth(lot, 'g')));
  EXPECT_THAT(outcome.codes, IsEmpty());
  EXPECT_TRUE(outcome.Has(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION));
  ASSERT_EQ(outcome.consequences.size(), 1U);
  EXPECT_TRUE(outcome.consequences[0].has_oos_opened());
  ASSERT_EQ(LotState(lot).oos_size(), 1);
  EXPECT_EQ(LotState(lot).oos(0).result_id(), Id('g'));
  EXPECT_EQ(OosIdFor(Sha256("e"), Id('g')), OosIdFor(Sha256("e"), Id('g')));
  EXPECT_NE(OosIdFor(Sha256("e"), Id('g')), OosIdFor(Sha256("f"), Id('g')));
}

TEST_F(QualityTest, AFailureOfAReleasedLotSuspendsTheRelease) {
  const LotScenario lot = bench_.MakeLot(true);
  const auto outcome = bench_.Play(Report(lot, Growth(lot, 'g')), {}, Standing::kAdverseOnly);
  ASSERT_EQ(outcome.consequences.size(), 2U);
  EXPECT_EQ(outcome.consequences[1].release_suspended().trigger_code(), "QC-02 ST-01");
  EXPECT_EQ(LotState(lot).phase(), v1::BATCH_PHASE_SUSPENDED);
}

TEST_F(QualityTest, AStatedVerdictThatContradictsThePolicyIsFound) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::QcResult result = MeasuredResult(Id('g'), lot.sample_id, "ID-01", 949, 1, "%");
  const auto outcome = bench_.Play(Report(lot, result));
  EXPECT_THAT(outcome.codes, ElementsAre(v1::REASON_CODE_INCONSISTENT));
  EXPECT_EQ(LotState(lot).results().rbegin()->computed(), v1::RESULT_VERDICT_FAIL);
}

TEST_F(QualityTest, AnUnknownRowIsFoundAndPassesNothing) {
  const LotScenario lot = bench_.MakeLot(false);
  const auto outcome =
      bench_.Play(Report(lot, MeasuredResult(Id('g'), lot.sample_id, "ZZ-99", 1, 0, "")));
  EXPECT_THAT(outcome.codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  EXPECT_EQ(LotState(lot).results().rbegin()->computed(), v1::RESULT_VERDICT_UNSPECIFIED);
}

TEST_F(QualityTest, AResultByAnotherMethodMeetsNoRow) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::QcResult result = MeasuredResult(Id('g'), lot.sample_id, "ID-01", 991, 1, "%");
  result.set_method("microscopy");
  const auto outcome = bench_.Play(Report(lot, result));
  EXPECT_THAT(outcome.codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  EXPECT_EQ(LotState(lot).results().rbegin()->computed(), v1::RESULT_VERDICT_UNSPECIFIED);
  // The only result of the row, and nothing is wrong with it but its method.
  LotState(lot).mutable_results(0)->mutable_result()->set_method("microscopy");
  LotState(lot).mutable_results()->RemoveLast();
  const auto missing = bench_.Play(Release(lot));
  EXPECT_THAT(missing.codes, Contains(v1::REASON_CODE_E_MISSING));
  EXPECT_FALSE(missing.recorded);
}

TEST_F(QualityTest, AFailureByAnotherMethodCounts) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::QcResult result = MeasuredResult(Id('g'), lot.sample_id, "ID-01", 900, 1, "%");
  result.set_method("microscopy");
  result.set_verdict(v1::RESULT_VERDICT_FAIL);
  EXPECT_TRUE(bench_.Play(Report(lot, result)).Has(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION));
  EXPECT_FALSE(bench_.Play(Release(lot)).recorded);
}

TEST_F(QualityTest, AnAnalystDoesNotReviewTheirOwnResult) {
  const LotScenario lot = bench_.MakeLot(false);
  const auto outcome =
      bench_.Play(Report(lot, MeasuredResult(Id('g'), lot.sample_id, "ID-01", 960, 1, "%")),
                  {{Actor::kAnalyst, v1::ROLE_QC_MANAGER, v1::MEANING_REVIEWED}});
  EXPECT_THAT(outcome.codes, ElementsAre(v1::REASON_CODE_E_CONFLICT_OF_INTEREST));
  EXPECT_FALSE(LotState(lot).results().rbegin()->attested());
}

TEST_F(QualityTest, APassingResultCountsOnlyWhenAttestedAFailingOneAtOnce) {
  const LotScenario lot = bench_.MakeLot(false);
  LotState(lot).mutable_results(0)->set_attested(false);  // ID-01
  const auto missing = bench_.Play(Release(lot));
  EXPECT_THAT(missing.codes, Contains(v1::REASON_CODE_E_MISSING));
  EXPECT_FALSE(missing.recorded);
  LotState(lot).mutable_results(0)->mutable_result()->mutable_reported()->set_coefficient(900);
  EXPECT_THAT(bench_.Play(lot.release[1]).codes, Contains(v1::REASON_CODE_E_POLICY));
}

TEST_F(QualityTest, AResultIsInvalidatedOnlyWithAnAssignableCause) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.Play(Report(lot, Growth(lot, 'g')));
  v1::Event event;
  v1::OosClosed* const body = event.mutable_oos_closed();
  body->set_batch_id(lot.lot_id);
  body->set_oos_id(LotState(lot).oos(0).oos_id());
  body->set_invalidated(true);
  body->mutable_report()->set_sha256(std::string(32, 'r'));
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_REASON_MISSING));
  body->set_assignable_cause("contaminated pipette");
  EXPECT_TRUE(bench_.Play(event).recorded);
  EXPECT_TRUE(LotState(lot).results().rbegin()->invalidated());
  EXPECT_THAT(bench_.Play(Release(lot)).codes, IsEmpty());
}

TEST_F(QualityTest, AFailureThatStandsBlocksForEver) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.Play(Report(lot, Growth(lot, 'g')));
  EXPECT_THAT(bench_.Play(Release(lot)).codes, Contains(v1::REASON_CODE_E_OOS_OPEN));
  v1::Event event;
  event.mutable_oos_closed()->set_batch_id(lot.lot_id);
  event.mutable_oos_closed()->set_oos_id(LotState(lot).oos(0).oos_id());
  event.mutable_oos_closed()->mutable_report()->set_sha256(std::string(32, 'r'));
  EXPECT_TRUE(bench_.Play(event).recorded);
  // A retest that passes does not undo it.
  bench_.Play(
      Report(lot, WordResult(Id('h'), lot.sample_id, "ST-01", v1::QUALITATIVE_RESULT_NO_GROWTH)));
  EXPECT_THAT(bench_.Play(Release(lot)).codes, Contains(v1::REASON_CODE_E_POLICY));
}

TEST_F(QualityTest, AFailureThatNoRowJudgesBlocksAsWell) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::QcResult result = MeasuredResult(Id('g'), lot.sample_id, "ZZ-99", 1, 0, "");
  result.set_verdict(v1::RESULT_VERDICT_FAIL);
  bench_.Play(Report(lot, result));
  LotState(lot).mutable_oos(0)->set_closed(true);
  EXPECT_THAT(bench_.Play(Release(lot)).codes,
              ElementsAre(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION));
}

TEST_F(QualityTest, AFailureOfABatchThatTheLotComesFromBlocks) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::BatchState& ancestor = bench_.view().Batch(lot.isolation_id);
  ancestor.add_results()->set_computed(v1::RESULT_VERDICT_FAIL);
  EXPECT_THAT(bench_.Play(Release(lot)).codes,
              ElementsAre(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION));
  ancestor.mutable_results(0)->set_container_id(Id('w'));  // A vial that nobody used for the lot.
  EXPECT_THAT(bench_.Play(lot.release[2]).codes, IsEmpty());
}

TEST_F(QualityTest, ACorrectionReplacesAResultOnlyWhenItConforms) {
  struct Row {
    const char* name;
    void (*spoil)(v1::QcResultCorrected& body);
    bool replaces;
  };
  const Row rows[] = {
      {"in order", [](v1::QcResultCorrected&) {}, true},
      {"no cause", [](v1::QcResultCorrected& body) { body.clear_error_cause(); }, false},
      {"another test",
       [](v1::QcResultCorrected& body) { body.mutable_new_result()->set_test_id("ID-01"); }, false},
      {"the old id again",
       [](v1::QcResultCorrected& body) {
         body.mutable_new_result()->set_result_id(body.result_id());
       },
       false},
      {"no id", [](v1::QcResultCorrected& body) { body.mutable_new_result()->clear_result_id(); },
       false},
  };
  for (const Row& row : rows) {
    RuleBench bench;
    const LotScenario lot = bench.MakeLot(false);
    bench.Play(Report(lot, Growth(lot, 'g')));
    v1::Event event;
    v1::QcResultCorrected* const body = event.mutable_qc_result_corrected();
    body->set_batch_id(lot.lot_id);
    body->set_result_id(Id('g'));
    body->set_error_cause("read from another plate");
    *body->mutable_new_result() =
        WordResult(Id('h'), lot.sample_id, "ST-01", v1::QUALITATIVE_RESULT_NO_GROWTH);
    row.spoil(*body);
    bench.Play(event);
    for (const v1::QcResultState& known : bench.view().Batch(lot.lot_id).results()) {
      if (known.result().result_id() != Id('g') || known.result().test_id() != "ST-01") continue;
      EXPECT_EQ(known.invalidated(), row.replaces) << row.name;
      break;
    }
  }
}

TEST_F(QualityTest, TheRecordIsReviewedWhenAllStepsAreThere) {
  const LotScenario lot = bench_.MakeLot(false);
  LotState(lot).set_labels_reconciled(false);
  LotState(lot).set_line_clearances(0);
  LotState(lot).add_deviations()->set_deviation_id(Id('v'));
  EXPECT_THAT(bench_.Play(lot.release[0]).codes,
              ElementsAre(v1::REASON_CODE_E_DEVIATION_OPEN, v1::REASON_CODE_E_MISSING,
                          v1::REASON_CODE_E_MISSING));
}

TEST_F(QualityTest, AReleaseNeedsEligibleDonations) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.view().Donation(Id('n')).mutable_eligibility(1)->set_reopened(true);
  const ScenarioStep release = Release(lot);
  EXPECT_THAT(bench_.Play(release).codes, Contains(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE));
  bench_.view().Donation(Id('n')).mutable_eligibility(1)->set_reopened(false);
  bench_.view().Donation(Id('n')).mutable_eligibility(1)->set_outcome(
      v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED);
  EXPECT_THAT(bench_.Play(release).codes, Contains(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE));
}

TEST_F(QualityTest, AReleaseNeedsAcceptedStartingMaterial) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.view().Donation(Id('n')).set_starting_material(v1::RECEIPT_DECISION_REJECT);
  EXPECT_THAT(bench_.Play(Release(lot)).codes, ElementsAre(v1::REASON_CODE_E_STATE));
  bench_.view().Donation(Id('n')).set_starting_material(v1::RECEIPT_DECISION_ACCEPT);
  EXPECT_TRUE(bench_.Play(Release(lot)).recorded);
}

TEST_F(QualityTest, AHoldOnTheDonorBlocksTheLot) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.view().State(v1::SUBJECT_KIND_DONOR, Id('d')).add_holds()->set_hold_reason_code("X");
  EXPECT_THAT(bench_.Play(Release(lot)).codes, Contains(v1::REASON_CODE_E_HOLD));
}

TEST_F(QualityTest, WhoMadeTheLotDoesNotReleaseIt) {
  const LotScenario lot = bench_.MakeLot(false);
  ScenarioStep release = Release(lot);
  release.signers[0].actor = Actor::kSupervisor;
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_CONFLICT_OF_INTEREST));
}

TEST_F(QualityTest, AReleaseNeverProlongsTheShelfLife) {
  const LotScenario lot = bench_.MakeLot(false);
  ScenarioStep release = Release(lot);
  release.event.mutable_lot_released()->set_expires_at_ms(lot.expires_at_ms + 1);
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_EXPIRED));
}

TEST_F(QualityTest, RowsOfARouteCountWhenTheRouteIsAskedFor) {
  const LotScenario lot = bench_.MakeLot(false);
  ScenarioStep release = Release(lot);
  release.event.mutable_lot_released()->add_routes(v1::ROUTE_INTRATHECAL);
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_MISSING));  // EN-02
}

TEST_F(QualityTest, LabelsOfTheEligibilityGoWithTheLot) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::EligibilityState* const eligibility = bench_.view().Donation(Id('n')).mutable_eligibility(0);
  eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK);
  eligibility->add_labels("CMV antibody reactive");
  ScenarioStep release = Release(lot);
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_MISSING));
  release.event.mutable_lot_released()->add_restrictions("CMV antibody reactive");
  EXPECT_TRUE(bench_.Play(release).recorded);
}

TEST_F(QualityTest, ABadEnvironmentIsAnsweredByAClosedDeviation) {
  const LotScenario lot = bench_.MakeLot(false);
  LotState(lot).add_environment_failures("OPEN C");
  LotState(lot).add_environment_failure_indices(5);
  const ScenarioStep release = Release(lot);
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  v1::DeviationState* const deviation = LotState(lot).add_deviations();
  deviation->set_description_code(kEnvironmentDeviation);
  deviation->set_deviation_class(v1::DEVIATION_CLASS_MAJOR);
  deviation->set_closed(true);
  deviation->set_opened_index(4);  // Before the failure.
  EXPECT_THAT(bench_.Play(release).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  deviation->set_opened_index(6);
  EXPECT_TRUE(bench_.Play(release).recorded);
}

TEST_F(QualityTest, ABadEnvironmentOfAnAncestorCounts) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::BatchState& ancestor = bench_.view().Batch(lot.isolation_id);
  ancestor.add_environment_failures("OPEN C");
  ancestor.add_environment_failure_indices(5);
  EXPECT_THAT(bench_.Play(Release(lot)).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
}

TEST_F(QualityTest, ASuspendedReleaseComesBackWhenEverythingIsResolved) {
  const LotScenario lot = bench_.MakeLot(true);
  v1::Event suspended;
  suspended.mutable_release_suspended()->set_batch_id(lot.lot_id);
  EXPECT_TRUE(bench_.Play(suspended).recorded);
  v1::Event reinstated;
  reinstated.mutable_release_reinstated()->set_batch_id(lot.lot_id);
  reinstated.mutable_release_reinstated()->mutable_investigation()->set_sha256(
      std::string(32, 'i'));
  bench_.view().State(v1::SUBJECT_KIND_BATCH, lot.lot_id).add_holds()->set_hold_reason_code("X");
  EXPECT_THAT(bench_.Play(reinstated).codes, ElementsAre(v1::REASON_CODE_E_HOLD));
  bench_.view().State(v1::SUBJECT_KIND_BATCH, lot.lot_id).clear_holds();
  EXPECT_TRUE(bench_.Play(reinstated).recorded);
  EXPECT_EQ(LotState(lot).phase(), v1::BATCH_PHASE_RELEASED);
}

TEST_F(QualityTest, ARejectedLotStaysRejected) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::Event rejected;
  rejected.mutable_lot_rejected()->set_batch_id(lot.lot_id);
  EXPECT_THAT(bench_.Play(rejected).codes, ElementsAre(v1::REASON_CODE_E_REASON_MISSING));
  rejected.mutable_lot_rejected()->set_rejection_reason("contaminated");
  EXPECT_TRUE(bench_.Play(rejected).recorded);
  EXPECT_THAT(bench_.Play(lot.release[0]).codes, Contains(v1::REASON_CODE_E_AFTER_FINAL));
}

}  // namespace
}  // namespace custody
