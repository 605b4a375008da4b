// The write path under a seeded scheduler: nothing is lost in hundreds of runs, and each of the
// planted bugs is found in a few.

#include "tests/simulation/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace custody {
namespace {

using testing::IsEmpty;

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

struct PlantedBug {
  Plant plant;
  const char* said;  // By which it is known, not by anything else that may go wrong.
  // Few runs come to what the last of them needs: a failed sync, a kill, the same event again
  // before any other, a power cut.
  std::uint64_t first_seed = 1;
};

class PlantedBugTest : public testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedBugTest, IsFound) {
  const std::uint64_t first = GetParam().first_seed;
  for (std::uint64_t seed = first; seed < first + kSeedsToFind; ++seed) {
    for (const std::string& problem : Simulate(seed, GetParam().plant, Events()).problems) {
      if (problem.find(GetParam().said) != std::string::npos) return;
    }
  }
  FAIL() << "not found in " << kSeedsToFind << " runs";
}

INSTANTIATE_TEST_SUITE_P(
    Bugs, PlantedBugTest,
    testing::Values(PlantedBug{Plant::kSkipSync, "is not in the log: lost"},
                    PlantedBug{Plant::kAnswerEarly, "is not in the log: lost"},
                    PlantedBug{Plant::kLoseIndex, "is not proven to be in the index"},
                    PlantedBug{Plant::kReuseIndex, "which has other bytes"},
                    PlantedBug{Plant::kTrustCache, "is not in the log: lost", 350}));

}  // namespace
}  // namespace custody
