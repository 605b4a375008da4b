// A dose on its way with one thing spoiled: rows of tables that go through the rules of the clinic.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_SPOILED_STEP_H_
#define CUSTODY_TESTS_SUPPORT_SPOILED_STEP_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {

// One event of the way of a dose. `spoil` may change the event and the states before it.
struct SpoiledStep {
  const char* name;
  DoseStep step;
  void (*spoil)(DoseWorld& world, v1::Event& event);
  // All reasons of the refusal, or all findings, sorted.
  std::vector<std::string> codes;
};

inline std::ostream& operator<<(std::ostream& out, const SpoiledStep& spoiled) {
  return out << spoiled.name;
}

inline std::string NameOfStep(const testing::TestParamInfo<SpoiledStep>& info) {
  return info.param.name;
}

inline std::map<SubjectKey, std::string> BytesOfStates(DoseWorld& world) {
  std::map<SubjectKey, std::string> bytes;
  for (const auto& [key, state] : world.ledger().mutable_view().states()) {
    bytes[key] = state.SerializeAsString();
  }
  return bytes;
}

// The event of the row, after everything that comes before it.
inline v1::Event PlayUpTo(const SpoiledStep& spoiled, DoseWorld* world) {
  if (spoiled.step != DoseStep::kEnrolled) {
    world->PlayUntil(static_cast<DoseStep>(static_cast<int>(spoiled.step) - 1));
  }
  world->ledger().Advance(DoseWorld::kMinuteMs);
  v1::Event event = world->Make(spoiled.step);
  spoiled.spoil(*world, event);
  return event;
}

// Refused with exactly these reasons; nothing changed.
inline void ExpectRefused(const SpoiledStep& spoiled) {
  DoseWorld world(DefaultPolicy(""));
  const v1::Event event = PlayUpTo(spoiled, &world);
  const std::map<SubjectKey, std::string> before = BytesOfStates(world);
  const PlayedEvent played = world.Play(event);
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, testing::ElementsAreArray(spoiled.codes)) << played.status;
  EXPECT_EQ(BytesOfStates(world), before);
}

// Recorded with exactly these findings.
inline void ExpectRecorded(const SpoiledStep& spoiled) {
  DoseWorld world(DefaultPolicy(""));
  const PlayedEvent played = world.Play(PlayUpTo(spoiled, &world));
  EXPECT_TRUE(played.recorded) << played.status;
  EXPECT_THAT(played.codes, testing::ElementsAreArray(spoiled.codes));
}

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_SPOILED_STEP_H_
