// A whole lot through all rules: this is where the rules of all areas meet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "lifecycle/refusal.h"
#include "tests/support/default_policy.h"
#include "tests/support/lot_player.h"

namespace custody {
namespace {

using ::testing::IsEmpty;

class WholeLotTest : public ::testing::Test {
 protected:
  // What is wrong with a step: the refusal, or findings that are more than a remark.
  std::vector<std::string> Complaints(const ScenarioStep& step) {
    std::vector<std::string> complaints;
    const absl::StatusOr<RecordedEntry> entry = player_.Play(step);
    const std::string code(FindCatalogueEntry(step.event)->row.code());
    if (!entry.ok()) {
      complaints.push_back(code + " refused: " + entry.status().ToString());
      return complaints;
    }
    for (const v1::Finding& finding : entry->findings) {
      if (finding.severity() <= v1::SEVERITY_INFO) continue;
      complaints.push_back(absl::StrFormat("%s: %s %s", code, v1::ReasonCode_Name(finding.code()),
                                           finding.detail()));
    }
    return complaints;
  }
  std::vector<std::string> PlayAll(const std::vector<ScenarioStep>& steps) {
    std::vector<std::string> all;
    for (const ScenarioStep& step : steps) {
      const std::vector<std::string> complaints = Complaints(step);
      all.insert(all.end(), complaints.begin(), complaints.end());
    }
    return all;
  }

  TestLedger ledger_;
  LotPlayer player_{&ledger_, DefaultPolicy("")};
};

TEST_F(WholeLotTest, EveryStepFromMaterialToReleaseIsRecordedWithoutComplaint) {
  const LotScenario lot = MakeLotScenario(player_.Options());
  EXPECT_THAT(PlayAll(lot.All()), IsEmpty());

  ASSERT_NE(ledger_.Batch(lot.lot_id), nullptr);
  const v1::BatchState& batch = *ledger_.Batch(lot.lot_id);
  EXPECT_EQ(batch.phase(), v1::BATCH_PHASE_RELEASED);
  EXPECT_EQ(batch.release_regimes_size(), 2);
  EXPECT_EQ(batch.containers_filled(), 6U);
  for (const std::string& id : lot.container_ids) {
    ASSERT_NE(ledger_.Container(id), nullptr);
    EXPECT_EQ(ledger_.Container(id)->life(), v1::CONTAINER_LIFE_STORED);
    EXPECT_EQ(ledger_.Container(id)->batch_id(), lot.lot_id);
    EXPECT_TRUE(ledger_.Container(id)->labelled());
  }
}

TEST_F(WholeLotTest, ReplayingTheEntriesGivesTheSameBytes) {
  const LotScenario lot = MakeLotScenario(player_.Options());
  PlayAll(lot.All());
  const auto replayed = ledger_.Replay();
  int compared = 0;
  for (const auto& [key, state] : ledger_.mutable_view().states()) {
    if (state.event_count() == 0) continue;  // Written by hand.
    if (key.kind == v1::SUBJECT_KIND_DONATION) continue;
    ASSERT_TRUE(replayed.contains(key)) << Describe(key);
    EXPECT_EQ(replayed.at(key).SerializeAsString(), state.SerializeAsString()) << Describe(key);
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

TEST_F(WholeLotTest, ALotWithAMissingPartOfItsFillIsNotReviewed) {
  LotScenario lot = MakeLotScenario(player_.Options());
  for (ScenarioStep& step : lot.manufacture) {
    if (!step.event.has_formulated_and_filled()) continue;
    step.event.mutable_group()->set_id(std::string(16, 'g'));
    step.event.mutable_group()->set_part(1);
    step.event.mutable_group()->set_parts(2);
  }
  EXPECT_THAT(PlayAll(lot.manufacture), IsEmpty());
  const v1::SubjectState* const state = ledger_.State(v1::SUBJECT_KIND_BATCH, lot.lot_id);
  ASSERT_EQ(state->open_groups_size(), 1);
  EXPECT_EQ(state->open_groups(0).parts(), 2U);
  for (const std::string& id : lot.container_ids) {
    EXPECT_EQ(ledger_.State(v1::SUBJECT_KIND_CONTAINER, id)->open_groups_size(), 0);
  }
  EXPECT_THAT(PlayAll(lot.storage), IsEmpty());
  EXPECT_THAT(PlayAll(lot.testing), IsEmpty());
  const absl::StatusOr<RecordedEntry> review = player_.Play(lot.release[0]);
  ASSERT_FALSE(review.ok());
  const auto refusal = RefusalOf(review.status());
  ASSERT_TRUE(refusal.has_value());
  ASSERT_EQ(refusal->reasons_size(), 1);
  EXPECT_EQ(refusal->reasons(0).code(), v1::REASON_CODE_E_GROUP_INCOMPLETE);
  // Neither is it released without the review.
  EXPECT_FALSE(player_.Play(lot.release[2]).ok());
}

TEST_F(WholeLotTest, WhoFilledALotDoesNotReleaseIt) {
  LotScenario lot = MakeLotScenario(player_.Options());
  EXPECT_THAT(PlayAll(lot.manufacture), IsEmpty());
  EXPECT_THAT(PlayAll(lot.storage), IsEmpty());
  EXPECT_THAT(PlayAll(lot.testing), IsEmpty());
  EXPECT_THAT(PlayAll({lot.release[0], lot.release[1]}), IsEmpty());
  lot.release[2].signers[0].actor = Actor::kOperatorA;
  const auto refusal = RefusalOf(player_.Play(lot.release[2]).status());
  ASSERT_TRUE(refusal.has_value());
  ASSERT_EQ(refusal->reasons_size(), 1);
  EXPECT_EQ(refusal->reasons(0).code(), v1::REASON_CODE_E_CONFLICT_OF_INTEREST);
  EXPECT_NE(ledger_.Batch(lot.lot_id)->phase(), v1::BATCH_PHASE_RELEASED);
  lot.release[2].signers[0].actor = Actor::kRelease;
  EXPECT_THAT(Complaints(lot.release[2]), IsEmpty());
  EXPECT_EQ(ledger_.Batch(lot.lot_id)->phase(), v1::BATCH_PHASE_RELEASED);
}

}  // namespace
}  // namespace custody
