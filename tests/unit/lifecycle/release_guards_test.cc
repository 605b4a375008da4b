// Review, certificate, release, rejection, suspension and reinstatement of a lot (REL): each rule
// broken alone, on a lot that is otherwise in order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "lifecycle/quality_guards.h"
#include "tests/support/rule_bench.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 86'400'000;

struct Row {
  const char* name;
  void (*spoil)(RuleBench& bench, v1::BatchState& lot, v1::Event& event);
  std::vector<v1::ReasonCode> codes;
};

class ReleaseRulesTest : public testing::Test {
 protected:
  // Plays the steps of the release before `step`, spoils the event of the step, plays it.
  static void ExpectEach(std::size_t step, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      RuleBench bench;
      const LotScenario lot = bench.MakeLot(false);
      for (std::size_t i = 0; i < step; ++i) bench.Play(lot.release[i]);
      ScenarioStep spoiled = lot.release[step];
      row.spoil(bench, bench.view().Batch(lot.lot_id), spoiled.event);
      const auto outcome = bench.Play(spoiled);
      EXPECT_EQ(outcome.recorded, row.codes.empty()) << row.name;
      EXPECT_THAT(outcome.codes, ElementsAreArray(row.codes)) << row.name;
    }
  }

  RuleBench bench_;
};

// REL-01.
TEST_F(ReleaseRulesTest, Review) {
  using B = RuleBench;
  using L = v1::BatchState;
  using E = v1::Event;
  constexpr auto kMissing = v1::REASON_CODE_E_MISSING;
  ExpectEach(
      0,
      {{"in order", [](B&, L&, E&) {}, {}},
       {"no checklist",
        [](B&, L&, E& e) { e.mutable_batch_record_reviewed()->clear_checklist_version(); },
        {v1::REASON_CODE_E_FIELD}},
       {"no line clearance", [](B&, L& lot, E&) { lot.clear_line_clearances(); }, {kMissing}},
       {"no harvest", [](B&, L& lot, E&) { lot.clear_harvested(); }, {kMissing}},
       {"no fill", [](B&, L& lot, E&) { lot.clear_containers_filled(); }, {kMissing}},
       {"labels not counted", [](B&, L& lot, E&) { lot.clear_labels_reconciled(); }, {kMissing}},
       {"room not monitored", [](B&, L& lot, E&) { lot.clear_environment_records(); }, {kMissing}},
       {"a check missing", [](B&, L& lot, E&) { lot.clear_checkpoints(); }, {kMissing}},
       {"major deviation",
        [](B&, L& lot, E&) {
          lot.add_deviations()->set_deviation_class(v1::DEVIATION_CLASS_MAJOR);
        },
        {v1::REASON_CODE_E_DEVIATION_OPEN}},
       {"unclassified deviation",
        [](B&, L& lot, E&) { lot.add_deviations(); },
        {v1::REASON_CODE_E_DEVIATION_OPEN}},
       {"minor deviation",
        [](B&, L& lot, E&) {
          lot.add_deviations()->set_deviation_class(v1::DEVIATION_CLASS_MINOR);
        },
        {}},
       {"closed critical deviation",
        [](B&, L& lot, E&) {
          v1::DeviationState* const deviation = lot.add_deviations();
          deviation->set_deviation_class(v1::DEVIATION_CLASS_CRITICAL);
          deviation->set_closed(true);
        },
        {}},
       {"unknown lot",
        [](B&, L&, E& e) { e.mutable_batch_record_reviewed()->set_batch_id(Id('?')); },
        {v1::REASON_CODE_E_UNKNOWN_SUBJECT}}});
}

// REL-02.
TEST_F(ReleaseRulesTest, Certificate) {
  using B = RuleBench;
  using L = v1::BatchState;
  using E = v1::Event;
  ExpectEach(1,
             {{"in order", [](B&, L&, E&) {}, {}},
              {"no number",
               [](B&, L&, E& e) { e.mutable_coa_issued()->clear_certificate_number(); },
               {v1::REASON_CODE_E_FIELD}},
              {"no document",
               [](B&, L&, E& e) { e.mutable_coa_issued()->clear_document(); },
               {v1::REASON_CODE_E_FIELD}},
              {"same version again",
               [](B&, L& lot, E& e) { lot.set_certificate_version(e.coa_issued().version()); },
               {v1::REASON_CODE_E_STATE}},
              {"unknown result",
               [](B&, L&, E& e) { e.mutable_coa_issued()->add_result_ids(Id('?')); },
               {v1::REASON_CODE_E_MISSING}},
              // The row lacks its result, and the certificate lists one that does not count.
              {"result of one person",
               [](B&, L& lot, E&) { lot.mutable_results(0)->set_attested(false); },
               {v1::REASON_CODE_E_MISSING, v1::REASON_CODE_E_MISSING}},
              {"a result fails",
               [](B&, L& lot, E&) {
                 lot.mutable_results(0)->mutable_result()->mutable_reported()->set_coefficient(949);
               },
               {v1::REASON_CODE_E_POLICY}},
              {"at the limit",
               [](B&, L& lot, E&) {
                 lot.mutable_results(0)->mutable_result()->mutable_reported()->set_coefficient(950);
               },
               {}}});
}

// REL-03.
TEST_F(ReleaseRulesTest, Release) {
  using B = RuleBench;
  using L = v1::BatchState;
  using E = v1::Event;
  ExpectEach(
      2,
      {{"in order", [](B&, L&, E&) {}, {}},
       {"record not reviewed",
        [](B&, L& lot, E&) { lot.clear_record_reviewed(); },
        {v1::REASON_CODE_E_MISSING}},
       {"no certificate",
        [](B&, L& lot, E&) { lot.clear_certificate_issued(); },
        {v1::REASON_CODE_E_MISSING}},
       {"labels no longer counted",
        [](B&, L& lot, E&) { lot.set_label_difference(1), lot.clear_labels_reconciled(); },
        {v1::REASON_CODE_E_MISSING, v1::REASON_CODE_E_POLICY}},
       {"a check failed since the review",
        [](B&, L& lot, E&) {
          v1::CheckpointState* const check = lot.add_checkpoints();
          check->set_checkpoint(v1::CHECKPOINT_CONTAMINATION);
          check->set_result(v1::CHECK_RESULT_FAIL);
        },
        {v1::REASON_CODE_E_POLICY}},
       {"no scope",
        [](B&, L&, E& e) { e.mutable_lot_released()->clear_scope(); },
        {v1::REASON_CODE_E_FIELD}},
       {"no route",
        [](B&, L&, E& e) { e.mutable_lot_released()->clear_routes(); },
        {v1::REASON_CODE_E_FIELD}},
       {"a bank for patients",
        [](B&, L& lot, E&) { lot.set_kind(v1::BATCH_KIND_MASTER_CELL_BANK); },
        {v1::REASON_CODE_E_STATE}},
       {"no regime",
        [](B&, L&, E& e) { e.mutable_lot_released()->clear_regimes(); },
        {v1::REASON_CODE_E_REGIME}},
       {"regime it was not made for",
        [](B&, L& lot, E&) { lot.mutable_regimes()->RemoveLast(); },
        {v1::REASON_CODE_E_REGIME}},
       {"expired",
        [](B& bench, L&, E& e) { e.mutable_lot_released()->set_expires_at_ms(bench.now_ms); },
        {v1::REASON_CODE_E_EXPIRED}},
       {"expires in a moment",
        [](B& bench, L&, E& e) { e.mutable_lot_released()->set_expires_at_ms(bench.now_ms + 1); },
        {}},
       {"later than the fill says",
        [](B&, L& lot, E& e) {
          e.mutable_lot_released()->set_expires_at_ms(lot.expires_at_ms() + 1);
        },
        {v1::REASON_CODE_E_EXPIRED}},
       {"longer than the shelf life",
        [](B&, L& lot, E& e) {
          lot.set_expires_at_ms(lot.fill_ended_at_ms() + 730 * kDayMs + 1);
          e.mutable_lot_released()->set_expires_at_ms(lot.expires_at_ms());
        },
        {v1::REASON_CODE_E_POLICY}},
       {"hold on the material",
        [](B& bench, L& lot, E&) {
          bench.view().State(v1::SUBJECT_KIND_MATERIAL, lot.material_ids(0)).add_holds();
        },
        {v1::REASON_CODE_E_HOLD}},
       {"critical case on the donor",
        [](B& bench, L&, E&) {
          bench.view()
              .State(v1::SUBJECT_KIND_DONOR, Id('d'))
              .add_open_cases()
              ->set_severity(v1::SEVERITY_CRITICAL);
        },
        {v1::REASON_CODE_E_CASE_OPEN}},
       {"investigation open",
        [](B&, L& lot, E&) { lot.add_oos()->set_oos_id(Id('o')); },
        {v1::REASON_CODE_E_OOS_OPEN}},
       {"critical deviation",
        [](B&, L& lot, E&) {
          lot.add_deviations()->set_deviation_class(v1::DEVIATION_CLASS_CRITICAL);
        },
        {v1::REASON_CODE_E_DEVIATION_OPEN}},
       {"one donation reopened",
        [](B& bench, L&, E&) {
          bench.view().Donation(Id('n')).mutable_eligibility(1)->set_reopened(true);
        },
        // The row of the policy about the donors fails as well.
        {v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, v1::REASON_CODE_E_POLICY}},
       {"already rejected",
        [](B&, L& lot, E&) { lot.set_phase(v1::BATCH_PHASE_REJECTED); },
        {v1::REASON_CODE_E_AFTER_FINAL}}});
}

// An event has room for one policy; with a policy for each regime nothing could be decided
// otherwise.
TEST_F(ReleaseRulesTest, OneOfTheirPoliciesIsNamedForSeveralRegimes) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::ProductState& product =
      *bench_.view().State(v1::SUBJECT_KIND_PRODUCT, bench_.product_id()).mutable_product();
  const v1::PolicyInForce first = product.policies(0);
  v1::Policy second = RuleBench::DefaultPolicy(bench_.product_id());
  second.set_version("second");
  bench_.SetPolicy(second);
  *product.mutable_policies(0) = first;
  product.mutable_policies(0)->set_regime(v1::REGIME_US);
  EXPECT_THAT(bench_.PlayAll(lot.release), IsEmpty());
  // Neither of them.
  const v1::ProductState both = product;
  v1::Policy third = second;
  third.set_version("third");
  bench_.SetPolicy(third);
  product = both;
  v1::Event event;
  event.mutable_lot_rejected()->set_batch_id(lot.lot_id);
  event.mutable_lot_rejected()->set_rejection_reason("contaminated");
  EXPECT_THAT(bench_.Play(event).codes, Contains(v1::REASON_CODE_E_POLICY_HASH));
}

TEST_F(ReleaseRulesTest, ALotIsRejectedWithoutAPolicyToo) {
  const LotScenario lot = bench_.MakeLot(false);
  bench_.view()
      .State(v1::SUBJECT_KIND_PRODUCT, bench_.product_id())
      .mutable_product()
      ->clear_policies();
  v1::Event event;
  event.mutable_lot_rejected()->set_batch_id(lot.lot_id);
  event.mutable_lot_rejected()->set_rejection_reason("contaminated");
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
}

TEST_F(ReleaseRulesTest, RejectionNeedsAReason) {
  const LotScenario lot = bench_.MakeLot(false);
  v1::Event event;
  event.mutable_lot_rejected()->set_batch_id(lot.lot_id);
  EXPECT_THAT(bench_.Play(event).codes, ElementsAre(v1::REASON_CODE_E_REASON_MISSING));
  event.mutable_lot_rejected()->set_rejection_reason("contaminated");
  EXPECT_THAT(bench_.Play(event).codes, IsEmpty());
  EXPECT_EQ(bench_.view().Batch(lot.lot_id).phase(), v1::BATCH_PHASE_REJECTED);
}

TEST_F(ReleaseRulesTest, ReinstatementNeedsTheInvestigation) {
  const LotScenario lot = bench_.MakeLot(true);
  v1::Event suspend;
  suspend.mutable_release_suspended()->set_batch_id(lot.lot_id);
  ASSERT_THAT(bench_.Play(suspend).codes, IsEmpty());
  EXPECT_EQ(bench_.view().Batch(lot.lot_id).phase(), v1::BATCH_PHASE_SUSPENDED);
  v1::Event reinstate;
  reinstate.mutable_release_reinstated()->set_batch_id(lot.lot_id);
  EXPECT_THAT(bench_.Play(reinstate).codes, ElementsAre(v1::REASON_CODE_E_MISSING));
  reinstate.mutable_release_reinstated()->mutable_investigation()->set_sha256(std::string(32, 'i'));
  bench_.view().State(v1::SUBJECT_KIND_DONOR, Id('d')).add_holds();
  EXPECT_THAT(bench_.Play(reinstate).codes, ElementsAre(v1::REASON_CODE_E_HOLD));
  bench_.view().State(v1::SUBJECT_KIND_DONOR, Id('d')).clear_holds();
  EXPECT_THAT(bench_.Play(reinstate).codes, IsEmpty());
  EXPECT_EQ(bench_.view().Batch(lot.lot_id).phase(), v1::BATCH_PHASE_RELEASED);
}

TEST_F(ReleaseRulesTest, ARecalledLotIsNotReinstated) {
  const LotScenario lot = bench_.MakeLot(true);
  bench_.view().Batch(lot.lot_id).set_phase(v1::BATCH_PHASE_RECALLED);
  v1::Event event;
  event.mutable_release_reinstated()->set_batch_id(lot.lot_id);
  event.mutable_release_reinstated()->mutable_investigation()->set_sha256(std::string(32, 'i'));
  EXPECT_FALSE(bench_.Play(event).recorded);
  EXPECT_EQ(bench_.view().Batch(lot.lot_id).phase(), v1::BATCH_PHASE_RECALLED);
}

}  // namespace
}  // namespace custody
