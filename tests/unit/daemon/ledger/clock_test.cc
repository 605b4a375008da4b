#include "daemon/ledger/clock.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace custody {
namespace {

TEST(ClockWatchTest, FollowsAClockThatGoesInStep) {
  FakeClock clock;
  ClockWatch watch(clock, 0);
  for (int i = 0; i < 100; ++i) {
    clock.Advance(700);
    const ClockReading reading = watch.Read();
    EXPECT_TRUE(reading.healthy);
    EXPECT_EQ(reading.now_ms, clock.WallMs());
  }
}

TEST(ClockWatchTest, KeepsTheLastGoodTimeAfterAJump) {
  for (const std::int64_t jump : {std::int64_t{-5'000}, std::int64_t{5'000}}) {
    FakeClock clock;
    ClockWatch watch(clock, 0);
    const std::int64_t good = watch.Read().now_ms;
    clock.JumpWall(jump);
    const ClockReading reading = watch.Read();
    EXPECT_FALSE(reading.healthy);
    EXPECT_EQ(reading.now_ms, good);
  }
}

TEST(ClockWatchTest, BelievesTheClockAgainAfterAMinuteInStep) {
  FakeClock clock;
  ClockWatch watch(clock, 0);
  watch.Read();
  clock.JumpWall(5'000);
  EXPECT_FALSE(watch.Read().healthy);
  clock.Advance(kClockRecoveryMs - 1);
  EXPECT_FALSE(watch.Read().healthy);
  clock.Advance(1);
  EXPECT_TRUE(watch.Read().healthy);
}

TEST(ClockWatchTest, DoesNotBelieveAClockBehindTheNewestEntry) {
  FakeClock clock;
  ClockWatch watch(clock, clock.WallMs() + 3'600'000);
  const ClockReading reading = watch.Read();
  EXPECT_FALSE(reading.healthy);
  EXPECT_EQ(reading.now_ms, clock.WallMs() + 3'600'000);
  clock.Advance(3'600'000 + kClockRecoveryMs);
  watch.Read();
  clock.Advance(kClockRecoveryMs);
  EXPECT_TRUE(watch.Read().healthy);
}

TEST(ClockWatchTest, ToleratesSmallSteps) {
  FakeClock clock;
  ClockWatch watch(clock, 0);
  clock.JumpWall(-900);
  EXPECT_TRUE(watch.Read().healthy);
}

}  // namespace
}  // namespace custody
