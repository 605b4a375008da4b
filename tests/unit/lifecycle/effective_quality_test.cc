#include "lifecycle/effective_quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/bedside_states.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

class EffectiveQualityTest : public ::testing::Test {
 protected:
  EffectiveQuality Ask() {
    const absl::StatusOr<EffectiveQuality> quality =
        ComputeEffectiveQuality(world_, world_.container_id, v1::REGIME_EU, BedsideStates::kNowMs);
    EXPECT_THAT(quality, IsOk());
    return *quality;
  }
  std::int64_t Expiry() {
    const absl::StatusOr<std::optional<PolicyRef>> policy =
        FindPolicyInForce(world_, world_.product_id, v1::REGIME_EU, BedsideStates::kNowMs);
    const absl::StatusOr<std::int64_t> expiry =
        ComputeEffectiveExpiryMs(world_, world_.container_id, *(*policy)->policy);
    EXPECT_THAT(expiry, IsOk());
    return *expiry;
  }

  BedsideStates world_;
};

TEST_F(EffectiveQualityTest, UnreleasedBankDoesNotHinderAReleasedLot) {
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
  world_.lot().set_phase(v1::BATCH_PHASE_QC_PENDING);
  EXPECT_EQ(Ask().quality, v1::QUALITY_QUARANTINE);
}

TEST_F(EffectiveQualityTest, RejectedBankRejectsTheContainer) {
  world_.At(v1::SUBJECT_KIND_BATCH, world_.bank_id)
      .mutable_batch()
      ->set_phase(v1::BATCH_PHASE_REJECTED);
  EXPECT_EQ(Ask().quality, v1::QUALITY_REJECTED);
}

// Whatever is held, the container is at the least suspended.
TEST_F(EffectiveQualityTest, HoldOnAnyAncestorSuspends) {
  for (const SubjectKey& key : {SubjectKey{v1::SUBJECT_KIND_DONOR, world_.donor_id},
                                SubjectKey{v1::SUBJECT_KIND_DONATION, world_.donation_id},
                                SubjectKey{v1::SUBJECT_KIND_BATCH, world_.bank_id},
                                SubjectKey{v1::SUBJECT_KIND_BATCH, world_.lot_id},
                                SubjectKey{v1::SUBJECT_KIND_MATERIAL, world_.material_id},
                                SubjectKey{v1::SUBJECT_KIND_DEVICE, world_.tank_id},
                                SubjectKey{v1::SUBJECT_KIND_CONTAINER, world_.container_id}}) {
    v1::SubjectState& state = world_.At(key.kind, key.id);
    state.add_holds()->set_placed_index(3);
    EXPECT_GE(Ask().quality, v1::QUALITY_SUSPENDED) << Describe(key);
    state.clear_holds();
    state.add_open_cases()->set_severity(v1::SEVERITY_CRITICAL);
    EXPECT_GE(Ask().quality, v1::QUALITY_SUSPENDED) << Describe(key);
    state.clear_open_cases();
    state.set_not_evaluated_since(1);
    EXPECT_GE(Ask().quality, v1::QUALITY_SUSPENDED) << Describe(key);
    state.clear_not_evaluated_since();
    EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED) << Describe(key);
  }
}

TEST_F(EffectiveQualityTest, RecallOfAnAncestorRecallsTheContainer) {
  v1::OpenCase& recall = *world_.At(v1::SUBJECT_KIND_DONATION, world_.donation_id).add_open_cases();
  recall.set_kind(v1::CASE_KIND_RECALL);
  recall.set_severity(v1::SEVERITY_CRITICAL);
  const EffectiveQuality quality = Ask();
  EXPECT_EQ(quality.quality, v1::QUALITY_RECALLED);
  ASSERT_EQ(quality.blockers.size(), 1U);
  EXPECT_EQ(quality.blockers.front().code, v1::REASON_CODE_E_RECALLED);
}

// Cells of a bank that is found contaminated are in every lot that was made from it.
TEST_F(EffectiveQualityTest, AFailedResultOfTheBankSuspends) {
  v1::BatchState& bank = *world_.At(v1::SUBJECT_KIND_BATCH, world_.bank_id).mutable_batch();
  bank.add_oos()->set_test_id("MY-01");
  EXPECT_EQ(Ask().quality, v1::QUALITY_SUSPENDED);
  EXPECT_EQ(Ask().blockers.front().code, v1::REASON_CODE_E_OOS_OPEN);
  bank.mutable_oos(0)->set_closed(true);
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
  v1::QcResultState* const result = bank.add_results();
  result->set_computed(v1::RESULT_VERDICT_FAIL);
  EXPECT_EQ(Ask().blockers.front().code, v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION);
  result->set_invalidated(true);
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
  // What the laboratory calls a failure is one, although no row knows the test.
  result->set_invalidated(false);
  result->set_computed(v1::RESULT_VERDICT_UNSPECIFIED);
  result->mutable_result()->set_verdict(v1::RESULT_VERDICT_FAIL);
  EXPECT_EQ(Ask().quality, v1::QUALITY_SUSPENDED);
  // Of another vial of the bank.
  result->set_container_id(std::string(16, 'w'));
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
}

TEST_F(EffectiveQualityTest, AConfirmedFailureOfTheContainerSuspends) {
  world_.container().add_oos()->set_closed(true);
  v1::QcResultState* const result = world_.container().add_results();
  result->set_container_id(world_.container_id);
  result->set_computed(v1::RESULT_VERDICT_FAIL);
  EXPECT_EQ(Ask().quality, v1::QUALITY_SUSPENDED);
  result->set_invalidated(true);
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
}

TEST_F(EffectiveQualityTest, EligibilityGivesQuality) {
  v1::EligibilityState* eligibility = world_.At(v1::SUBJECT_KIND_DONATION, world_.donation_id)
                                          .mutable_donation()
                                          ->mutable_eligibility(0);
  eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_INCOMPLETE);
  EXPECT_EQ(Ask().quality, v1::QUALITY_QUARANTINE);
  eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK);
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
  eligibility->set_reopened(true);
  EXPECT_EQ(Ask().quality, v1::QUALITY_SUSPENDED);
  eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_INELIGIBLE);
  EXPECT_EQ(Ask().quality, v1::QUALITY_REJECTED);
}

TEST_F(EffectiveQualityTest, EligibilityOfAnotherRegimeDoesNotCount) {
  world_.At(v1::SUBJECT_KIND_DONATION, world_.donation_id)
      .mutable_donation()
      ->mutable_eligibility(0)
      ->set_regime(v1::REGIME_US);
  EXPECT_EQ(Ask().quality, v1::QUALITY_QUARANTINE);
}

TEST_F(EffectiveQualityTest, CumulatedExposureBlocksBeyondTheLimit) {
  world_.container().set_exposure_ms(300'000);
  EXPECT_EQ(Ask().quality, v1::QUALITY_RELEASED);
  world_.container().set_exposure_ms(300'001);
  EXPECT_EQ(Ask().quality, v1::QUALITY_SUSPENDED);
}

// Each instant that is added can only shorten.
TEST_F(EffectiveQualityTest, ExpiryIsTheEarliestOfAllAndOnlyShrinks) {
  world_.container().clear_thawed_recorded_at_ms();
  const std::int64_t label = Expiry();
  EXPECT_EQ(label, BedsideStates::kNowMs + 900 * BedsideStates::kHourMs);
  world_.container().set_thawed_recorded_at_ms(BedsideStates::kNowMs);
  const std::int64_t thawed = Expiry();
  EXPECT_EQ(thawed, BedsideStates::kNowMs + BedsideStates::kHourMs);
  world_.container().set_post_preparation_expires_at_ms(thawed + 1);
  EXPECT_EQ(Expiry(), thawed);
  world_.container().set_post_preparation_expires_at_ms(thawed - 1);
  EXPECT_EQ(Expiry(), thawed - 1);
  v1::ExcursionState* excursion =
      world_.At(v1::SUBJECT_KIND_DEVICE, world_.tank_id).mutable_device()->add_excursions();
  excursion->set_started_at_ms(BedsideStates::kNowMs - 10 * BedsideStates::kHourMs);
  excursion->set_ended_at_ms(BedsideStates::kNowMs - 9 * BedsideStates::kHourMs);
  excursion->set_use_by_ms(thawed - 2);
  EXPECT_EQ(Expiry(), thawed - 2);
}

}  // namespace
}  // namespace custody
