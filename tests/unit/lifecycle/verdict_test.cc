#include "lifecycle/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/support/bedside_states.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

class VerdictTest : public ::testing::Test {
 protected:
  v1::Verdict Ask(const v1::VerdictRequest& request) {
    const absl::StatusOr<v1::Verdict> verdict = ComputeVerdict(world_, request, 100);
    EXPECT_THAT(verdict, IsOk());
    return *verdict;
  }
  v1::Verdict Ask() { return Ask(world_.Request(v1::STAGE_ADMINISTER)); }

  // The verdict is NO_GO and the check `id` fails with `code`.
  void ExpectFails(const std::string& id, v1::ReasonCode code) { ExpectFails(Ask(), id, code); }
  static void ExpectFails(const v1::Verdict& verdict, const std::string& id, v1::ReasonCode code) {
    EXPECT_EQ(verdict.value(), v1::VERDICT_VALUE_NO_GO);
    bool found = false;
    for (const v1::Check& check : verdict.checks()) {
      found |=
          check.id() == id && check.result() == v1::CHECK_RESULT_VALUE_FAIL && check.code() == code;
    }
    EXPECT_TRUE(found) << id << " in " << verdict.DebugString();
  }

  BedsideStates world_;
};

TEST_F(VerdictTest, GoesWhenEverythingIsInOrder) {
  const v1::Verdict verdict = Ask();
  EXPECT_EQ(verdict.value(), v1::VERDICT_VALUE_GO) << verdict.DebugString();
  EXPECT_EQ(verdict.valid_until_ms(), BedsideStates::kNowMs + BedsideStates::kHourMs * 3 / 4);
  EXPECT_EQ(verdict.policy_hash().size(), 32U);
}

TEST_F(VerdictTest, ListsEveryCheckEvenWhenManyFail) {
  const int passed = Ask().checks_size();
  world_.container().set_life(v1::CONTAINER_LIFE_DISCARDED);
  world_.lot().set_phase(v1::BATCH_PHASE_REJECTED);
  const v1::Verdict verdict = Ask();
  EXPECT_GE(verdict.checks_size(), passed);
  ExpectFails(verdict, "life", v1::REASON_CODE_E_AFTER_FINAL);
  ExpectFails(verdict, "quality", v1::REASON_CODE_E_REJECTED);
}

TEST_F(VerdictTest, AnswersNoQuestionBeyondTheYear9999) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_at_ms(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(ComputeVerdict(world_, request, 100),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("at_ms")));
}

TEST_F(VerdictTest, RefusesWrongPatient) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_patient_token(std::string(16, 'x'));
  ExpectFails(Ask(request), "identity-patient", v1::REASON_CODE_E_PATIENT_MISMATCH);
}

TEST_F(VerdictTest, RefusesWrongLabel) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_scanned_keys(0, "isbt:A9999:A999925000001:S1234:0000B0");
  ExpectFails(Ask(request), "identity-container", v1::REASON_CODE_E_CONTAINER_MISMATCH);
}

TEST_F(VerdictTest, RefusesConsumedContainer) {
  world_.container().set_life(v1::CONTAINER_LIFE_ADMINISTERED);
  world_.container().set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED);
  ExpectFails("life", v1::REASON_CODE_E_CONSUMED);
}

TEST_F(VerdictTest, RefusesAfterAbortedThaw) {
  world_.container().set_life(v1::CONTAINER_LIFE_THAWED_UNUSABLE);
  ExpectFails("life", v1::REASON_CODE_E_STATE);
}

TEST_F(VerdictTest, RefusesHoldOnDonor) {
  world_.At(v1::SUBJECT_KIND_DONOR, world_.donor_id).add_holds()->set_placed_index(7);
  ExpectFails("holds", v1::REASON_CODE_E_HOLD);
}

TEST_F(VerdictTest, RefusesReopenedEligibility) {
  world_.At(v1::SUBJECT_KIND_DONATION, world_.donation_id)
      .mutable_donation()
      ->mutable_eligibility(0)
      ->set_reopened(true);
  ExpectFails("eligibility", v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE);
}

TEST_F(VerdictTest, CriticalCaseBlocksAndMajorCaseWarns) {
  v1::OpenCase* open = world_.At(v1::SUBJECT_KIND_PATIENT, world_.patient_id).add_open_cases();
  open->set_severity(v1::SEVERITY_MAJOR);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO_WITH_WARNINGS);
  open->set_severity(v1::SEVERITY_CRITICAL);
  ExpectFails("cases", v1::REASON_CODE_E_CASE_OPEN);
}

TEST_F(VerdictTest, RefusesEventsWithoutRules) {
  world_.At(v1::SUBJECT_KIND_MATERIAL, world_.material_id).set_not_evaluated_since(9);
  ExpectFails("evaluated", v1::REASON_CODE_E_NOT_EVALUATED);
}

TEST_F(VerdictTest, ViabilityOfExactlyTheLimitFails) {
  v1::Decimal* viability = world_.container().mutable_post_thaw()->mutable_viability_percent();
  viability->set_coefficient(900);
  ExpectFails("post-thaw-qc", v1::REASON_CODE_E_POLICY);
  viability->set_coefficient(901);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
}

TEST_F(VerdictTest, MissingViabilityBlocks) {
  world_.container().clear_post_thaw();
  ExpectFails("post-thaw-qc", v1::REASON_CODE_E_POST_THAW_QC);
}

TEST_F(VerdictTest, PlannedEndMustNotPassTheExpiry) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_planned_duration_ms(BedsideStates::kHourMs * 3 / 4);
  EXPECT_EQ(Ask(request).value(), v1::VERDICT_VALUE_GO);
  request.set_planned_duration_ms(BedsideStates::kHourMs * 3 / 4 + 1);
  ExpectFails(Ask(request), "expiry", v1::REASON_CODE_E_EXPIRED);
}

TEST_F(VerdictTest, CmvReactiveDonorBlocksUnlessThePhysicianOverrode) {
  v1::ResultState* result =
      world_.At(v1::SUBJECT_KIND_DONOR, world_.donor_id).mutable_donor()->add_results();
  result->mutable_result()->set_marker(v1::MARKER_CMV_AB);
  result->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  ExpectFails("match-cmv", v1::REASON_CODE_E_MATCH);
  world_.order().add_overrides("CMV");
  ExpectFails("match-cmv", v1::REASON_CODE_E_MATCH);
  world_.order().set_physician_matched(true);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO_WITH_WARNINGS);
  world_.order().clear_overrides();
  world_.patient().set_cmv_igg(v1::CMV_STATUS_POSITIVE);
  ExpectFails("match-cmv", v1::REASON_CODE_E_MATCH);
  world_.order().add_acknowledgements("CMV");
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO_WITH_WARNINGS);
}

TEST_F(VerdictTest, CollectionTypesGuardTheRecipient) {
  world_.container().set_collection_type("R");
  ExpectFails("match-collection", v1::REASON_CODE_E_NOT_FOR_HUMAN_USE);
  world_.container().set_collection_type("1");
  ExpectFails("match-collection", v1::REASON_CODE_E_MATCH);
  world_.patient().set_same_as_donor_id(world_.donor_id);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  world_.container().set_collection_type("4");
  ExpectFails("match-collection", v1::REASON_CODE_E_MATCH);
}

TEST_F(VerdictTest, AllergyToAMaterialOfTheBankBlocks) {
  world_.patient().add_animal_protein_allergies("bovine");
  ExpectFails("match-allergy", v1::REASON_CODE_E_MATCH);
}

TEST_F(VerdictTest, DmsoOfTheLastDayCounts) {
  // 10 mL at 10 % hold 1.1 g; 70 kg may have 70 g.
  v1::DmsoGiven* given = world_.patient().add_dmso_given();
  given->set_at_ms(BedsideStates::kNowMs - BedsideStates::kHourMs);
  given->set_container_id(world_.container_id);
  given->set_volume_ul(626'363);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  given->set_volume_ul(626'364);
  ExpectFails("match-dmso", v1::REASON_CODE_E_MATCH);
  given->set_at_ms(BedsideStates::kNowMs - 24 * BedsideStates::kHourMs);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
}

// No percentage is not zero percent.
TEST_F(VerdictTest, AFillWithoutItsPercentageOfDmsoIsNeverGo) {
  world_.lot().set_cryoprotectant_unknown(true);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_CANNOT_VERIFY);
  world_.lot().set_cryoprotectant_unknown(false);
  world_.lot().clear_cryoprotectant_percent_vv();
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_CANNOT_VERIFY);
  world_.patient().set_dmso_allergy(v1::ANSWER_YES);
  ExpectFails("match-allergy", v1::REASON_CODE_E_MATCH);
}

TEST_F(VerdictTest, RetainedVialsStandForTheContainerOnlyIfNoneFailed) {
  v1::Policy policy;
  const std::string policy_id =
      world_.At(v1::SUBJECT_KIND_PRODUCT, world_.product_id).product().policies(0).policy_id();
  ASSERT_TRUE(
      policy.ParseFromString(world_.At(v1::SUBJECT_KIND_POLICY, policy_id).policy().policy()));
  policy.mutable_clinical()->set_post_thaw_qc_required(false);
  world_.ReplacePolicy(policy);
  world_.container().clear_post_thaw();
  for (const v1::ResultVerdict computed : {v1::RESULT_VERDICT_PASS, v1::RESULT_VERDICT_FAIL}) {
    v1::QcResultState* const result = world_.lot().add_results();
    result->mutable_result()->set_test_id("VI-02");
    result->set_attested(true);
    result->set_computed(computed);
    const bool passed = computed == v1::RESULT_VERDICT_PASS;
    EXPECT_EQ(Ask().value(), passed ? v1::VERDICT_VALUE_GO : v1::VERDICT_VALUE_NO_GO);
  }
  ExpectFails("post-thaw-qc", v1::REASON_CODE_E_POST_THAW_QC);
}

TEST_F(VerdictTest, DoseMustMeetTheOrder) {
  world_.container().set_cells(77'000'000);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  world_.container().set_cells(77'000'001);
  ExpectFails("match-dose", v1::REASON_CODE_E_MATCH);
  world_.container().set_cells(62'999'999);
  ExpectFails("match-dose", v1::REASON_CODE_E_MATCH);
}

TEST_F(VerdictTest, EndotoxinPerKilogramAndHour) {
  // 5.0 EU/kg/h x 70 kg x 0.5 h = 175 EU in 10 mL: 17.5 EU/mL.
  v1::Decimal* reported = world_.lot().mutable_results(0)->mutable_result()->mutable_reported();
  reported->set_coefficient(175);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  reported->set_coefficient(176);
  ExpectFails("match-endotoxin", v1::REASON_CODE_E_POLICY);
}

TEST_F(VerdictTest, DeniedAttemptsNeedANewMatch) {
  world_.order().set_denied_attempts(1);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  world_.order().set_denied_attempts(2);
  ExpectFails("match", v1::REASON_CODE_E_MATCH_REQUIRED);
}

TEST_F(VerdictTest, LicenceMustCoverTheMoment) {
  world_.At(v1::SUBJECT_KIND_SITE, world_.site_id)
      .mutable_site()
      ->mutable_licences(0)
      ->set_valid_to_ms(BedsideStates::kNowMs);
  ExpectFails("site-licence", v1::REASON_CODE_E_SITE_LICENCE);
}

TEST_F(VerdictTest, UnassessedExcursionBlocksAndNoImpactFrees) {
  v1::ExcursionState* excursion =
      world_.At(v1::SUBJECT_KIND_DEVICE, world_.tank_id).mutable_device()->add_excursions();
  excursion->set_excursion_class(v1::EXCURSION_CLASS_MINOR);
  excursion->set_started_at_ms(BedsideStates::kNowMs - 10 * BedsideStates::kHourMs);
  excursion->set_ended_at_ms(BedsideStates::kNowMs - 9 * BedsideStates::kHourMs);
  ExpectFails("excursions", v1::REASON_CODE_E_EXCURSION);
  excursion->set_assessed(true);
  excursion->set_decision(v1::EXCURSION_DECISION_NO_IMPACT);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  excursion->set_decision(v1::EXCURSION_DECISION_REJECT);
  ExpectFails("quality", v1::REASON_CODE_E_REJECTED);
}

TEST_F(VerdictTest, ExcursionAfterTheStayDoesNotConcernTheContainer) {
  v1::ExcursionState* excursion =
      world_.At(v1::SUBJECT_KIND_DEVICE, world_.tank_id).mutable_device()->add_excursions();
  excursion->set_excursion_class(v1::EXCURSION_CLASS_CRITICAL);
  excursion->set_started_at_ms(BedsideStates::kNowMs - BedsideStates::kHourMs);
  excursion->set_ended_at_ms(BedsideStates::kNowMs);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
}

TEST_F(VerdictTest, MissingChainIsCannotVerifyAndNeverGo) {
  world_.withheld.insert({v1::SUBJECT_KIND_DONOR, world_.donor_id});
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_CANNOT_VERIFY);
}

TEST_F(VerdictTest, EveryWithheldSubjectThatIsReadPreventsGo) {
  const v1::Verdict full = Ask();
  for (const v1::SubjectRef& ref : full.subjects_read()) {
    world_.withheld = {KeyOf(ref)};
    EXPECT_NE(Ask().value(), v1::VERDICT_VALUE_GO) << Describe(KeyOf(ref));
  }
}

TEST_F(VerdictTest, ALicenceForNothingCoversNothing) {
  world_.At(v1::SUBJECT_KIND_SITE, world_.site_id)
      .mutable_site()
      ->mutable_licences(0)
      ->clear_regimes();
  ExpectFails("site-licence", v1::REASON_CODE_E_SITE_LICENCE);
}

TEST_F(VerdictTest, NoPlannedDurationIsTooLongToBeAdded) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_planned_duration_ms(std::numeric_limits<std::int64_t>::max());
  ExpectFails(Ask(request), "expiry", v1::REASON_CODE_E_EXPIRED);
}

TEST_F(VerdictTest, WithoutAPlannedDurationNobodyKnowsTheEnd) {
  v1::VerdictRequest request = world_.Request(v1::STAGE_ADMINISTER);
  request.set_route(v1::ROUTE_UNSPECIFIED);
  world_.order().set_route(v1::ROUTE_LOCAL_OTHER);
  world_.lot().set_release_routes(0, v1::ROUTE_LOCAL_OTHER);
  EXPECT_EQ(Ask(request).value(), v1::VERDICT_VALUE_GO);
  request.clear_planned_duration_ms();
  EXPECT_EQ(Ask(request).value(), v1::VERDICT_VALUE_CANNOT_VERIFY);
}

// A second order of the patient with a bag of 626.364 mL, 68.9 g of dimethyl sulfoxide: with the
// 1.1 g of the container too much for 70 kg.
class OtherOrderTest : public VerdictTest {
 protected:
  OtherOrderTest() {
    bag() = world_.container();
    bag().set_volume_ul(626'364);
    other().set_patient_id(world_.patient_id);
    other().add_container_ids(kBagId);
    world_.patient().add_order_ids(world_.order_id);
    world_.patient().add_order_ids(kOrderId);
  }
  v1::ContainerState& bag() {
    return *world_.At(v1::SUBJECT_KIND_CONTAINER, kBagId).mutable_container();
  }
  v1::OrderState& other() { return *world_.At(v1::SUBJECT_KIND_ORDER, kOrderId).mutable_order(); }
  v1::AuthorisationState& Authorise() {
    v1::AuthorisationState* const authorisation = other().add_authorisations();
    authorisation->add_container_ids(kBagId);
    authorisation->set_valid_from_ms(BedsideStates::kNowMs);
    return *authorisation;
  }

  const std::string kBagId = std::string(16, 'b');
  const std::string kOrderId = std::string(16, 'q');
};

TEST_F(OtherOrderTest, WhatRunsCountsAsDmsoBeforeItEnds) {
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  bag().set_life(v1::CONTAINER_LIFE_ADMINISTERING);
  ExpectFails("match-dmso", v1::REASON_CODE_E_MATCH);
}

TEST_F(OtherOrderTest, WhatMayStartAtAnyMomentCountsAsDmso) {
  v1::AuthorisationState& authorisation = Authorise();
  ExpectFails("match-dmso", v1::REASON_CODE_E_MATCH);
  authorisation.set_used(true);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
  authorisation.set_used(false);
  bag().set_life(v1::CONTAINER_LIFE_DISCARDED);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
}

TEST_F(OtherOrderTest, AnAuthorisationThatHasEndedDoesNotCount) {
  v1::AuthorisationState& authorisation = Authorise();
  authorisation.set_policy_hash(Ask().policy_hash());  // It states no time of validity: none.
  authorisation.set_valid_from_ms(BedsideStates::kNowMs - 1);
  EXPECT_EQ(Ask().value(), v1::VERDICT_VALUE_GO);
}

}  // namespace
}  // namespace custody
