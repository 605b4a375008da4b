#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_bench.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MakingTest : public ::testing::Test {
 protected:
  // A lot in culture: everything up to, not including, the harvest.
  LotScenario Culture() {
    bench_.AddDonation(Id('n'), Id('d'));
    LotScenarioOptions options;
    options.donation_id = Id('n');
    options.product_id = bench_.product_id();
    options.site_id = Id('s');
    options.containers = 3;
    const LotScenario lot = MakeLotScenario(options);
    for (const ScenarioStep& step : lot.manufacture) {
      if (step.event.has_harvested()) break;
      EXPECT_THAT(bench_.Play(step).codes, IsEmpty());
    }
    return lot;
  }
  // The step of a scenario with this body.
  static v1::Event Find(const LotScenario& lot, v1::Event::BodyCase body) {
    for (const ScenarioStep& step : lot.All()) {
      if (step.event.body_case() == body) return step.event;
    }
    ADD_FAILURE() << "no such step";
    return {};
  }
  v1::BatchState& LotState(const LotScenario& lot) { return bench_.view().Batch(lot.lot_id); }

  RuleBench bench_;
};

TEST_F(MakingTest, AWholeLotBreaksNoRule) {
  bench_.AddDonation(Id('n'), Id('d'));
  LotScenarioOptions options;
  options.donation_id = Id('n');
  options.product_id = bench_.product_id();
  options.site_id = Id('s');
  const LotScenario lot = MakeLotScenario(options);
  EXPECT_THAT(bench_.PlayAll(lot.manufacture), IsEmpty());
  const v1::BatchState& state = LotState(lot);
  EXPECT_EQ(state.phase(), v1::BATCH_PHASE_FILLED);
  EXPECT_EQ(state.passage_number(), 4U);
  EXPECT_EQ(state.containers_filled(), 6U);
  EXPECT_TRUE(state.labels_reconciled());
  EXPECT_EQ(state.cells() - state.cells_taken(), 12'696'000U);
  const v1::ContainerState& vial = bench_.view().Container(lot.container_ids[2]);
  EXPECT_EQ(vial.life(), v1::CONTAINER_LIFE_FILLED);
  EXPECT_EQ(vial.allocation(), v1::CONTAINER_ALLOCATION_UNALLOCATED);
  EXPECT_TRUE(vial.labelled());
  EXPECT_THAT(vial.keys(), ElementsAre(lot.container_keys[2]));
}

TEST_F(MakingTest, CellsOfTwoDonorsAreNotPooled) {
  bench_.AddDonation(Id('n'), Id('d'));
  bench_.AddDonation(Id('o'), Id('e'));
  v1::Event event;
  v1::BatchCreated* const body = event.mutable_batch_created();
  body->set_batch_id(Id('P'));
  body->set_kind(v1::BATCH_KIND_POOL);
  body->set_product_id(bench_.product_id());
  body->set_lot_number("POOL-1");
  body->add_regimes(v1::REGIME_US);
  body->add_parents()->set_donation_id(Id('n'));
  body->add_parents()->set_donation_id(Id('o'));
  const auto outcome = bench_.Play(event);
  ASSERT_THAT(outcome.codes, ElementsAre(v1::REASON_CODE_E_MULTI_DONOR_POOL));
  EXPECT_EQ(outcome.findings[0].severity(), v1::SEVERITY_CRITICAL);
  EXPECT_TRUE(outcome.recorded);

  v1::Policy policy = RuleBench::DefaultPolicy(bench_.product_id());
  policy.mutable_manufacturing()->set_multi_donor_pool_allowed(true);
  bench_.SetPolicy(policy);
  event.mutable_batch_created()->set_batch_id(Id('Q'));
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
}

TEST_F(MakingTest, TwoDonationsOfOneDonorMayBePooled) {
  bench_.AddDonation(Id('n'), Id('d'));
  bench_.AddDonation(Id('o'), Id('d'));
  v1::Event event;
  v1::BatchCreated* const body = event.mutable_batch_created();
  body->set_batch_id(Id('P'));
  body->set_kind(v1::BATCH_KIND_POOL);
  body->set_product_id(bench_.product_id());
  body->set_lot_number("POOL-1");
  body->add_regimes(v1::REGIME_US);
  body->add_parents()->set_donation_id(Id('n'));
  body->add_parents()->set_donation_id(Id('o'));
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
}

TEST_F(MakingTest, ParentsMustBeUsable) {
  const LotScenario lot = Culture();
  v1::Event event = Find(lot, v1::Event::kBatchCreated);
  event.mutable_batch_created()->set_batch_id(Id('Z'));
  bench_.view().Donation(Id('n')).set_starting_material(v1::RECEIPT_DECISION_REJECT);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_REJECTED));

  v1::BatchParent* const parent = event.mutable_batch_created()->mutable_parents(0);
  parent->Clear();
  parent->set_batch_id(lot.isolation_id);
  event.mutable_batch_created()->set_batch_id(Id('Y'));
  bench_.view().Batch(lot.isolation_id).set_phase(v1::BATCH_PHASE_RECALLED);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_RECALLED));
}

TEST_F(MakingTest, NoMoreCellsLeaveAParentThanItHad) {
  const LotScenario lot = Culture();
  v1::Event event = Find(lot, v1::Event::kBatchCreated);
  v1::BatchCreated* const body = event.mutable_batch_created();
  body->set_batch_id(Id('Z'));
  body->mutable_parents(0)->Clear();
  body->mutable_parents(0)->set_batch_id(lot.isolation_id);
  body->mutable_parents(0)->set_cells(200'000);  // 9,000,000 of 9,200,000 are gone.
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
  body->set_batch_id(Id('Y'));
  body->mutable_parents(0)->set_cells(1);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_AMOUNT));
}

TEST_F(MakingTest, MaterialIsReleasedAndInDate) {
  const LotScenario lot = Culture();
  const v1::Event event = Find(lot, v1::Event::kMaterialConsumed);
  const std::string& id = event.material_consumed().material_id();
  bench_.view().Material(id).set_released(false);
  bench_.view().Material(id).set_expires_at_ms(bench_.now_ms);
  EXPECT_THAT(bench_.Play(event).codes,
              ElementsAre(v1::REASON_CODE_E_MATERIAL, v1::REASON_CODE_E_MATERIAL));
}

TEST_F(MakingTest, PassagesCountByOneAndDoublingsNeverFall) {
  const LotScenario lot = Culture();
  v1::Event event = Find(lot, v1::Event::kPassagePerformed);
  v1::PassagePerformed* const body = event.mutable_passage_performed();
  body->set_passage_number(6);
  body->mutable_population_doublings_total()->set_coefficient(119);
  EXPECT_THAT(bench_.Play(event).codes,
              ElementsAre(v1::REASON_CODE_E_STATE, v1::REASON_CODE_INCONSISTENT));
  EXPECT_EQ(LotState(lot).passage_number(), 6U);
  EXPECT_EQ(LotState(lot).population_doublings_total().coefficient(), 120);
}

TEST_F(MakingTest, DoublingsThatAreNotStatedAreNotZero) {
  const LotScenario lot = Culture();
  LotState(lot).clear_population_doublings_total();
  v1::Event event = Find(lot, v1::Event::kPassagePerformed);
  event.mutable_passage_performed()->set_passage_number(5);
  event.mutable_passage_performed()->clear_population_doublings_total();
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_FIELD));
  EXPECT_FALSE(LotState(lot).has_population_doublings_total());
}

TEST_F(MakingTest, HarvestAfterTooManyDoublingsIsFound) {
  v1::Policy policy = RuleBench::DefaultPolicy(bench_.product_id());
  policy.mutable_manufacturing()->mutable_population_doublings_max()->set_coefficient(12);
  bench_.SetPolicy(policy);
  const LotScenario lot = Culture();
  const v1::Event harvest = Find(lot, v1::Event::kHarvested);
  LotState(lot).mutable_population_doublings_total()->set_coefficient(121);
  EXPECT_THAT(bench_.Play(harvest).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  LotState(lot).mutable_population_doublings_total()->set_coefficient(120);
  LotState(lot).set_phase(v1::BATCH_PHASE_IN_PROCESS);
  EXPECT_THAT(bench_.Play(harvest).codes, IsEmpty());
}

// A passage written down late would otherwise bring back cells that were never harvested.
TEST_F(MakingTest, CellsOfTheCultureDoNotReplaceTheHarvest) {
  const LotScenario lot = Culture();
  bench_.Play(Find(lot, v1::Event::kHarvested));
  const std::uint64_t harvested = LotState(lot).cells();
  v1::Event passage = Find(lot, v1::Event::kPassagePerformed);
  passage.mutable_passage_performed()->set_cells_out(harvested + 1);
  EXPECT_TRUE(bench_.Play(passage).recorded);
  EXPECT_EQ(LotState(lot).cells(), harvested);
}

TEST_F(MakingTest, WorkThatThePolicyDoesNotNameIsNotGoodEnough) {
  const LotScenario lot = Culture();
  v1::Event event = Find(lot, v1::Event::kEnvironmentMonitored);
  v1::EnvironmentMonitored* const body = event.mutable_environment_monitored();
  body->set_batch_ids(0, lot.lot_id);
  body->set_openness(v1::OPENNESS_CLOSED);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  EXPECT_EQ(LotState(lot).environment_failures_size(), 1);
}

TEST_F(MakingTest, AWorseEnvironmentThanThePolicyAsksIsRemembered) {
  const LotScenario lot = Culture();
  v1::Event event = Find(lot, v1::Event::kEnvironmentMonitored);
  v1::EnvironmentMonitored* const body = event.mutable_environment_monitored();
  body->set_batch_ids(0, lot.lot_id);
  body->set_background_class("C");
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_POLICY));
  EXPECT_EQ(LotState(lot).environment_failures_size(), 1);
  body->set_background_class("A");
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
}

TEST_F(MakingTest, HarvestAfterTooManyPassagesIsFound) {
  const LotScenario lot = Culture();
  LotState(lot).set_passage_number(6);
  EXPECT_THAT(bench_.Play(Find(lot, v1::Event::kHarvested)).codes,
              ElementsAre(v1::REASON_CODE_E_POLICY));
}

TEST_F(MakingTest, AFillBalancesAndHasPlaces) {
  const LotScenario lot = Culture();
  bench_.Play(Find(lot, v1::Event::kHarvested));
  v1::Event event = Find(lot, v1::Event::kFormulatedAndFilled);
  v1::FormulatedAndFilled* const body = event.mutable_formulated_and_filled();
  body->mutable_containers(1)->set_position(1);
  body->mutable_containers(2)->set_cells(100'000'000);
  body->mutable_cryoprotectant_percent_vv()->set_coefficient(101);
  body->set_expires_at_ms(body->fill_ended_at_ms() + 731LL * 86'400'000);
  EXPECT_THAT(bench_.Play(event).codes,
              ElementsAre(v1::REASON_CODE_INCONSISTENT, v1::REASON_CODE_E_AMOUNT,
                          v1::REASON_CODE_E_POLICY, v1::REASON_CODE_E_POLICY));
}

TEST_F(MakingTest, AFillWithoutItsSecondSignatureMakesContainersThatNobodyMayUse) {
  const LotScenario lot = Culture();
  bench_.Play(Find(lot, v1::Event::kHarvested));
  const v1::Event event = Find(lot, v1::Event::kFormulatedAndFilled);
  bench_.Play(event, {}, Standing::kAdverseOnly);
  EXPECT_EQ(bench_.view().Container(lot.container_ids[0]).life(), v1::CONTAINER_LIFE_UNSPECIFIED);
  EXPECT_EQ(bench_.view().Container(lot.container_ids[0]).batch_id(), lot.lot_id);
  EXPECT_EQ(LotState(lot).phase(), v1::BATCH_PHASE_HARVESTED);
  EXPECT_EQ(LotState(lot).containers_filled(), 3U);
}

// Nobody reviewed these containers; freezing and storing them must not make doses of them.
TEST_F(MakingTest, AFillAfterTheReviewMakesContainersToDiscard) {
  for (const v1::BatchPhase phase : {v1::BATCH_PHASE_UNDER_REVIEW, v1::BATCH_PHASE_RELEASED,
                                     v1::BATCH_PHASE_SUSPENDED, v1::BATCH_PHASE_RECALLED}) {
    RuleBench bench;
    const LotScenario lot = bench.MakeLot(false);
    bench.view().Batch(lot.lot_id).set_phase(phase);
    v1::Event event = Find(lot, v1::Event::kFormulatedAndFilled);
    v1::FormulatedAndFilled* const body = event.mutable_formulated_and_filled();
    body->mutable_containers()->DeleteSubrange(1, body->containers_size() - 1);
    body->mutable_containers(0)->set_container_id(Id('L'));
    body->mutable_containers(0)->set_position(99);
    body->mutable_containers(0)->set_cells(1);
    const auto outcome = bench.Play(event);
    ASSERT_EQ(outcome.codes.size(), 1U);
    EXPECT_EQ(outcome.findings[0].severity(), v1::SEVERITY_CRITICAL);
    EXPECT_TRUE(bench.view().Container(Id('L')).discard_required());
    EXPECT_FALSE(bench.view().Container(lot.container_ids[0]).discard_required());
    EXPECT_EQ(bench.view().Batch(lot.lot_id).phase(), phase);
  }
}

TEST_F(MakingTest, AFillAsksForTheLabelsToBeCountedAgain) {
  const LotScenario lot = bench_.MakeLot(false);
  ASSERT_TRUE(LotState(lot).labels_reconciled());
  bench_.Play(Find(lot, v1::Event::kFormulatedAndFilled), {}, Standing::kAdverseOnly);
  EXPECT_FALSE(LotState(lot).labels_reconciled());
}

TEST_F(MakingTest, AFrozenFillStatesItsCryoprotectant) {
  const LotScenario lot = Culture();
  bench_.Play(Find(lot, v1::Event::kHarvested));
  v1::Event event = Find(lot, v1::Event::kFormulatedAndFilled);
  event.mutable_formulated_and_filled()->clear_cryoprotectant_percent_vv();
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_FIELD));
  EXPECT_FALSE(LotState(lot).has_cryoprotectant_percent_vv());
  EXPECT_TRUE(LotState(lot).cryoprotectant_unknown());
}

TEST_F(MakingTest, AFreshFillNeedNotStateACryoprotectant) {
  const LotScenario lot = Culture();
  bench_.view()
      .State(v1::SUBJECT_KIND_PRODUCT, bench_.product_id())
      .mutable_product()
      ->set_presentation(v1::PRESENTATION_FRESH);
  bench_.Play(Find(lot, v1::Event::kHarvested));
  v1::Event event = Find(lot, v1::Event::kFormulatedAndFilled);
  event.mutable_formulated_and_filled()->clear_cryoprotectant_percent_vv();
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
}

TEST_F(MakingTest, ALabelBelongsToOneContainer) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::Event event = Find(lot, v1::Event::kContainerLabelled);
  v1::ContainerLabelled* const body = event.mutable_container_labelled();
  body->mutable_labels()->DeleteSubrange(1, 2);
  body->mutable_labels(0)->set_container_id(lot.container_ids[1]);
  const auto outcome = bench_.Play(event);
  EXPECT_THAT(outcome.codes, Contains(v1::REASON_CODE_E_LABEL_CONFLICT).Times(2));
  EXPECT_TRUE(bench_.view()
                  .State(v1::SUBJECT_KIND_IDENTIFIER, lot.container_keys[0])
                  .identifier()
                  .conflict());
}

// A number that nobody knows hides whose cells these are.
TEST_F(MakingTest, ALabelNamesTheDonationIfItHasANumber) {
  for (const bool has_number : {true, false}) {
    RuleBench bench;
    const LotScenario lot = bench.MakeLot(false);
    bench.view().Donation(Id('n')).set_donation_identifier(has_number ? "din:A999926000109"
                                                                      : "local:2026-17");
    for (const std::string& id : lot.container_ids) {
      bench.view().Container(id).set_life(v1::CONTAINER_LIFE_FILLED);
    }
    const auto outcome = bench.Play(Find(lot, v1::Event::kContainerLabelled));
    EXPECT_EQ(outcome.codes.empty(), !has_number);
    for (const v1::ReasonCode code : outcome.codes) {
      EXPECT_EQ(code, v1::REASON_CODE_E_LABEL_CONFLICT);
    }
  }
}

// One key with two collection types or two expiries is two labels.
TEST_F(MakingTest, TheSameLabelSaysTheSame) {
  const LotScenario lot = bench_.MakeLot(false);
  const v1::Event event = Find(lot, v1::Event::kContainerLabelled);
  for (const std::string& id : lot.container_ids) {
    bench_.view().Container(id).set_life(v1::CONTAINER_LIFE_FILLED);
  }
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
  v1::ContainerState& vial = bench_.view().Container(lot.container_ids[0]);
  const v1::ContainerState before = vial;
  vial.set_collection_type("1");
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_LABEL_CONFLICT));
  vial = before;
  vial.set_label_expires_at_ms(before.label_expires_at_ms() - 60'000);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_LABEL_CONFLICT));
}

TEST_F(MakingTest, TheScanSaysWhatTheEventSays) {
  const LotScenario lot = Culture();
  bench_.Play(Find(lot, v1::Event::kHarvested));
  bench_.Play(Find(lot, v1::Event::kFormulatedAndFilled));
  v1::Event event = Find(lot, v1::Event::kContainerLabelled);
  v1::ContainerLabelled* const body = event.mutable_container_labelled();
  body->mutable_labels(0)->set_expires_at_ms(lot.expires_at_ms - 60'000);
  body->mutable_labels(1)->set_collection_type("X");
  body->mutable_labels(2)->set_scan_position(0);
  const auto outcome = bench_.Play(event);
  EXPECT_THAT(outcome.codes,
              ElementsAre(v1::REASON_CODE_E_LABEL_CONFLICT, v1::REASON_CODE_E_LABEL_CONFLICT,
                          v1::REASON_CODE_E_MISSING));
  EXPECT_FALSE(bench_.view().Container(lot.container_ids[0]).labelled());
  EXPECT_TRUE(bench_.view().Container(lot.container_ids[2]).labelled());
}

TEST_F(MakingTest, EveryPrintedLabelIsAccountedFor) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::Event event = Find(lot, v1::Event::kLabelsReconciled);
  event.mutable_labels_reconciled()->set_printed(5);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_AMOUNT));
  EXPECT_FALSE(LotState(lot).labels_reconciled());
  EXPECT_EQ(LotState(lot).label_difference(), 1);
}

TEST_F(MakingTest, ADeviationIsClosedWithItsCauseAfterItsClass) {
  const LotScenario lot = Culture();
  v1::Event opened;
  opened.mutable_deviation_opened()->set_batch_id(lot.lot_id);
  opened.mutable_deviation_opened()->set_deviation_id(Id('v'));
  EXPECT_THAT(bench_.Play(opened).codes, IsEmpty());
  v1::Event closed;
  closed.mutable_deviation_closed()->set_batch_id(lot.lot_id);
  closed.mutable_deviation_closed()->set_deviation_id(Id('v'));
  EXPECT_THAT(bench_.Play(closed).codes,
              ElementsAre(v1::REASON_CODE_E_STATE, v1::REASON_CODE_E_REASON_MISSING));
  v1::Event classified;
  classified.mutable_deviation_classified()->set_batch_id(lot.lot_id);
  classified.mutable_deviation_classified()->set_deviation_id(Id('v'));
  classified.mutable_deviation_classified()->set_deviation_class(v1::DEVIATION_CLASS_MAJOR);
  EXPECT_TRUE(bench_.Play(classified).recorded);
  classified.mutable_deviation_classified()->set_deviation_class(v1::DEVIATION_CLASS_MINOR);
  EXPECT_THAT(bench_.Play(classified).codes, ElementsAre(v1::REASON_CODE_E_REASON_MISSING));
  closed.mutable_deviation_closed()->set_root_cause("valve");
  EXPECT_TRUE(bench_.Play(closed).recorded);
  EXPECT_TRUE(LotState(lot).deviations(0).closed());
}

}  // namespace
}  // namespace custody
