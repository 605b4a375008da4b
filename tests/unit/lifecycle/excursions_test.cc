#include "lifecycle/excursions.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

namespace custody {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

TemperatureLimits Limits() {
  return {.alert_above_millicelsius = -150'000,
          .alert_after_ms = 10 * kMinuteMs,
          .action_above_millicelsius = -135'000,
          .critical_above_millicelsius = -120'000,
          .above_action_max_ms = 5 * kMinuteMs,
          .interval_max_ms = 5 * kMinuteMs,
          .gap_max_ms = 30 * kMinuteMs,
          .jump_max_millicelsius_per_minute = 50'000};
}

// One hour of readings, one a minute; (minute, milli-degrees) above the alert limit.
Readings Hour(const std::vector<std::pair<int, int>>& above) {
  Readings readings{.started_at_ms = 0,
                    .ended_at_ms = 60 * kMinuteMs,
                    .interval_ms = kMinuteMs,
                    .maximum_millicelsius = -160'000,
                    .samples = 60};
  for (const auto& [minute, temperature] : above) {
    v1::TemperatureReading& reading = readings.above.emplace_back();
    reading.set_at_ms(minute * kMinuteMs);
    reading.set_millicelsius(temperature);
    readings.maximum_millicelsius = std::max(readings.maximum_millicelsius, temperature);
  }
  return readings;
}

TEST(ExcursionsTest, GoodSeriesHasNone) {
  EXPECT_TRUE(JudgeSeries(Hour({}), Limits()).excursions.empty());
}

TEST(ExcursionsTest, ShortStayAboveActionIsMinor) {
  const SeriesJudgement judged =
      JudgeSeries(Hour({{10, -134'000}, {11, -133'000}, {12, -134'000}}), Limits());
  ASSERT_EQ(judged.excursions.size(), 1U);
  EXPECT_EQ(judged.excursions[0].excursion_class, v1::EXCURSION_CLASS_MINOR);
  EXPECT_EQ(judged.excursions[0].started_at_ms, 10 * kMinuteMs);
  EXPECT_EQ(judged.excursions[0].ended_at_ms, 13 * kMinuteMs);
  EXPECT_EQ(judged.excursions[0].peak_millicelsius, -133'000);
}

TEST(ExcursionsTest, LongerThanTheLimitIsCritical) {
  std::vector<std::pair<int, int>> above;
  for (int minute = 10; minute < 15; ++minute) above.emplace_back(minute, -134'000);
  EXPECT_EQ(JudgeSeries(Hour(above), Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_MINOR);
  above.emplace_back(15, -134'000);
  EXPECT_EQ(JudgeSeries(Hour(above), Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_CRITICAL);
}

TEST(ExcursionsTest, HotterThanCriticalIsCriticalAtOnce) {
  EXPECT_EQ(JudgeSeries(Hour({{10, -119'999}}), Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_CRITICAL);
  EXPECT_EQ(JudgeSeries(Hour({{10, -120'000}}), Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_MINOR);
}

TEST(ExcursionsTest, AlertNeedsItsTime) {
  std::vector<std::pair<int, int>> above;
  for (int minute = 10; minute < 20; ++minute) above.emplace_back(minute, -149'000);
  EXPECT_TRUE(JudgeSeries(Hour(above), Limits()).excursions.empty());
  above.emplace_back(20, -149'000);
  EXPECT_EQ(JudgeSeries(Hour(above), Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_ALERT);
}

TEST(ExcursionsTest, HoleIsUnknownAndNotGood) {
  Readings readings = Hour({});
  v1::SeriesGap& gap = readings.gaps.emplace_back();
  gap.set_started_at_ms(10 * kMinuteMs);
  gap.set_ended_at_ms(13 * kMinuteMs);
  EXPECT_TRUE(JudgeSeries(readings, Limits()).excursions.empty());
  gap.set_ended_at_ms(13 * kMinuteMs + 1);
  EXPECT_EQ(JudgeSeries(readings, Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_GAP_UNCOVERED);
  readings.gaps[0].set_covered(true);
  EXPECT_EQ(JudgeSeries(readings, Limits()).excursions.at(0).excursion_class,
            v1::EXCURSION_CLASS_GAP_COVERED);
}

TEST(ExcursionsTest, SilenceBetweenTwoSeriesIsAHole) {
  Readings readings = Hour({});
  readings.previous_ended_at_ms = -10 * kMinuteMs;
  EXPECT_TRUE(JudgeSeries(readings, Limits()).excursions.empty());
  readings.started_at_ms += 100 * kMinuteMs;
  readings.ended_at_ms += 100 * kMinuteMs;
  readings.previous_ended_at_ms = 60 * kMinuteMs;
  ASSERT_EQ(JudgeSeries(readings, Limits()).excursions.size(), 1U);
}

TEST(ExcursionsTest, MissingReadingsMakeTheWholeSeriesUnknown) {
  Readings readings = Hour({});
  readings.samples = 50;
  const SeriesJudgement judged = JudgeSeries(readings, Limits());
  EXPECT_TRUE(judged.inconsistent);
  EXPECT_EQ(judged.excursions.at(0).excursion_class, v1::EXCURSION_CLASS_GAP_UNCOVERED);
}

TEST(ExcursionsTest, MaximumThatNoReadingShowsIsCritical) {
  Readings readings = Hour({});
  readings.maximum_millicelsius = -130'000;
  const SeriesJudgement judged = JudgeSeries(readings, Limits());
  EXPECT_TRUE(judged.inconsistent);
  EXPECT_EQ(judged.excursions.at(0).excursion_class, v1::EXCURSION_CLASS_CRITICAL);
}

TEST(ExcursionsTest, ImpossibleJumpMakesTheSensorSuspect) {
  EXPECT_FALSE(JudgeSeries(Hour({{10, -149'000}, {11, -100'000}}), Limits()).sensor_suspect);
  EXPECT_TRUE(JudgeSeries(Hour({{10, -149'000}, {11, -98'999}}), Limits()).sensor_suspect);
}

// Readings that cannot have been taken say nothing about the time between them.
TEST(ExcursionsTest, WithoutUsableReadingsTheWholeIntervalIsUnknown) {
  for (void (*const spoil)(Readings&) :
       {+[](Readings& readings) { readings.interval_ms = 0; },
        +[](Readings& readings) { readings.interval_ms = -kMinuteMs; },
        +[](Readings& readings) { readings.interval_ms = 30 * kMinuteMs + 1; },
        +[](Readings& readings) {
          readings.interval_ms = std::numeric_limits<std::int64_t>::max();
        },
        +[](Readings& readings) { readings.samples = 0; }}) {
    Readings readings = Hour({});
    spoil(readings);
    const SeriesJudgement judged = JudgeSeries(readings, Limits());
    ASSERT_EQ(judged.excursions.size(), 1U);
    EXPECT_EQ(judged.excursions[0].excursion_class, v1::EXCURSION_CLASS_GAP_UNCOVERED);
    EXPECT_EQ(judged.excursions[0].started_at_ms, 0);
    EXPECT_EQ(judged.excursions[0].ended_at_ms, 60 * kMinuteMs);
    EXPECT_TRUE(judged.inconsistent);
  }
}

TEST(ExcursionsTest, AnIntervalOfTheLongestHoleIsTooLongButNoGap) {
  Readings readings = Hour({});
  readings.interval_ms = 30 * kMinuteMs;
  readings.samples = 3;
  const SeriesJudgement judged = JudgeSeries(readings, Limits());
  EXPECT_TRUE(judged.excursions.empty());
  EXPECT_TRUE(judged.interval_too_long);
}

}  // namespace
}  // namespace custody
