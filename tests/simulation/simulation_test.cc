// The write path under a seeded scheduler: nothing is lost in hundreds of runs, and each of the
// planted bugs is found in a few.

#include "tests/simulation/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace custody {
namespace {

using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kSeeds = 80;
// In how many runs each planted bug must be found.
constexpr std::uint64_t kSeedsToFind = 20;

const SimulationEvents& Events() {
  static const auto* const events = new SimulationEvents(MakeSimulationEvents());
  return *events;
}

TEST(SimulationTest, NothingIsLostTwiceOrInvented) {
  std::size_t receipts = 0;
  std::size_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationResult result = Simulate(seed, Plant::kNone, Events());
    EXPECT_THAT(result.problems, IsEmpty()) << "seed " << seed;
    receipts += result.receipts;
    restarts += result.restarts;
  }
  // It would prove nothing if nothing happened.
  EXPECT_GT(receipts, kSeeds * 30);
  EXPECT_GT(restarts, kSeeds * 5);
}

TEST(SimulationTest, OneSeedIsOneRun) {
  const SimulationResult first = Simulate(7, Plant::kNone, Events());
  const SimulationResult second = Simulate(7, Plant::kNone, Events());
  EXPECT_EQ(first.steps, second.steps);
  EXPECT_EQ(first.entries, second.entries);
  EXPECT_EQ(first.receipts, second.receipts);
}

class PlantedBugTest : public testing::TestWithParam<Plant> {};

TEST_P(PlantedBugTest, IsFound) {
  for (std::uint64_t seed = 1; seed <= kSeedsToFind; ++seed) {
    if (!Simulate(seed, GetParam(), Events()).problems.empty()) return;
  }
  FAIL() << "not found in " << kSeedsToFind << " runs";
}

INSTANTIATE_TEST_SUITE_P(Bugs, PlantedBugTest,
                         testing::Values(Plant::kSkipSync, Plant::kAnswerEarly, Plant::kLoseIndex,
                                         Plant::kReuseIndex));

}  // namespace
}  // namespace custody
