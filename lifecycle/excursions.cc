#include "lifecycle/excursions.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace custody {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kGapIntervals = 3;

using ReadingList = std::vector<v1::TemperatureReading>;

// Runs of readings above `limit` without a good one between them: neighbours are at most
// one interval and a half apart.
std::vector<ReadingList> RunsAbove(const ReadingList& readings, std::int32_t limit,
                                   std::int64_t interval_ms) {
  std::vector<ReadingList> runs;
  for (const v1::TemperatureReading& reading : readings) {
    if (reading.millicelsius() <= limit) continue;
    const bool joins = !runs.empty() && reading.at_ms() - runs.back().back().at_ms() <=
                                            interval_ms + interval_ms / 2;
    if (!joins) runs.emplace_back();
    runs.back().push_back(reading);
  }
  return runs;
}

DetectedExcursion Describe(const ReadingList& run, std::int32_t limit, const Readings& readings) {
  DetectedExcursion found;
  found.limit_millicelsius = limit;
  found.started_at_ms = run.front().at_ms();
  found.ended_at_ms = run.back().at_ms() + std::max<std::int64_t>(readings.interval_ms, 1);
  found.peak_millicelsius = std::numeric_limits<std::int32_t>::min();
  for (const v1::TemperatureReading& reading : run) {
    found.peak_millicelsius = std::max(found.peak_millicelsius, reading.millicelsius());
  }
  return found;
}

bool Overlap(const DetectedExcursion& a, const DetectedExcursion& b) {
  return a.started_at_ms < b.ended_at_ms && b.started_at_ms < a.ended_at_ms;
}

void FindHot(const Readings& readings, const TemperatureLimits& limits,
             std::vector<DetectedExcursion>* out) {
  std::int64_t above_action_ms = 0;
  for (const ReadingList& run :
       RunsAbove(readings.above, limits.action_above_millicelsius, readings.interval_ms)) {
    DetectedExcursion found = Describe(run, limits.action_above_millicelsius, readings);
    above_action_ms += found.ended_at_ms - found.started_at_ms;
    const bool critical = found.peak_millicelsius > limits.critical_above_millicelsius ||
                          above_action_ms > limits.above_action_max_ms;
    found.excursion_class = critical ? v1::EXCURSION_CLASS_CRITICAL : v1::EXCURSION_CLASS_MINOR;
    out->push_back(found);
  }
  const std::size_t hot_count = out->size();
  for (const ReadingList& run :
       RunsAbove(readings.above, limits.alert_above_millicelsius, readings.interval_ms)) {
    DetectedExcursion found = Describe(run, limits.alert_above_millicelsius, readings);
    found.excursion_class = v1::EXCURSION_CLASS_ALERT;
    if (found.ended_at_ms - found.started_at_ms <= limits.alert_after_ms) continue;
    const bool part_of_worse =
        std::any_of(out->begin(), out->begin() + static_cast<std::ptrdiff_t>(hot_count),
                    [&](const DetectedExcursion& hot) { return Overlap(hot, found); });
    if (!part_of_worse) out->push_back(found);
  }
}

DetectedExcursion Gap(std::int64_t started_at_ms, std::int64_t ended_at_ms, bool covered) {
  return {.excursion_class =
              covered ? v1::EXCURSION_CLASS_GAP_COVERED : v1::EXCURSION_CLASS_GAP_UNCOVERED,
          .started_at_ms = started_at_ms,
          .ended_at_ms = ended_at_ms};
}

// Readings that are further apart than the longest hole are holes.
bool HasUsableReadings(const Readings& readings, const TemperatureLimits& limits) {
  return readings.interval_ms > 0 && readings.interval_ms <= limits.gap_max_ms &&
         readings.samples > 0;
}

void FindGaps(const Readings& readings, const TemperatureLimits& limits, SeriesJudgement* out) {
  const std::int64_t longest = LongestGapMs(readings.interval_ms, limits);
  std::int64_t missing_ms = 0;
  for (const v1::SeriesGap& gap : readings.gaps) {
    const std::int64_t length = gap.ended_at_ms() - gap.started_at_ms();
    if (length < 0) out->inconsistent = true;
    missing_ms += std::max<std::int64_t>(length, 0);
    if (length > longest) {
      out->excursions.push_back(Gap(gap.started_at_ms(), gap.ended_at_ms(), gap.covered()));
    }
  }
  if (readings.previous_ended_at_ms > 0 &&
      readings.started_at_ms - readings.previous_ended_at_ms > longest) {
    out->excursions.push_back(Gap(readings.previous_ended_at_ms, readings.started_at_ms, false));
  }
  if (!HasUsableReadings(readings, limits)) {
    out->inconsistent = true;
    out->excursions.push_back(Gap(readings.started_at_ms, readings.ended_at_ms, false));
    return;
  }
  const std::int64_t expected =
      (readings.ended_at_ms - readings.started_at_ms - missing_ms) / readings.interval_ms;
  if (static_cast<std::int64_t>(readings.samples) + kGapIntervals < expected) {
    // Readings are missing and nobody says where: the whole interval is unknown.
    out->inconsistent = true;
    out->excursions.push_back(Gap(readings.started_at_ms, readings.ended_at_ms, false));
  }
}

// The summary says hotter than any reading that is listed: it happened at an unknown time.
void FindUnlisted(const Readings& readings, const TemperatureLimits& limits, SeriesJudgement* out) {
  std::int32_t listed = std::numeric_limits<std::int32_t>::min();
  for (const v1::TemperatureReading& reading : readings.above) {
    listed = std::max(listed, reading.millicelsius());
  }
  if (readings.maximum_millicelsius <= limits.alert_above_millicelsius) return;
  if (readings.maximum_millicelsius <= listed) return;
  out->inconsistent = true;
  const bool hot = readings.maximum_millicelsius > limits.action_above_millicelsius;
  out->excursions.push_back(
      {.excursion_class = hot ? v1::EXCURSION_CLASS_CRITICAL : v1::EXCURSION_CLASS_ALERT,
       .limit_millicelsius =
           hot ? limits.action_above_millicelsius : limits.alert_above_millicelsius,
       .started_at_ms = readings.started_at_ms,
       .ended_at_ms = readings.ended_at_ms,
       .peak_millicelsius = readings.maximum_millicelsius});
}

void CheckJumps(const Readings& readings, const TemperatureLimits& limits, SeriesJudgement* out) {
  for (std::size_t i = 1; i < readings.above.size(); ++i) {
    const std::int64_t elapsed = readings.above[i].at_ms() - readings.above[i - 1].at_ms();
    if (elapsed <= 0) {
      out->inconsistent = true;
      continue;
    }
    const std::int64_t change =
        std::abs(static_cast<std::int64_t>(readings.above[i].millicelsius()) -
                 readings.above[i - 1].millicelsius());
    if (limits.jump_max_millicelsius_per_minute > 0 && elapsed <= 2 * readings.interval_ms &&
        change * kMinuteMs > limits.jump_max_millicelsius_per_minute * elapsed) {
      out->sensor_suspect = true;
    }
  }
}

}  // namespace

TemperatureLimits StorageLimits(const v1::StoragePolicy& policy) {
  return {.alert_above_millicelsius = policy.alert_above_millicelsius(),
          .alert_after_ms = policy.alert_after_ms(),
          .action_above_millicelsius = policy.action_above_millicelsius(),
          .critical_above_millicelsius = policy.critical_above_millicelsius(),
          .above_action_max_ms = policy.cumulated_above_action_max_ms(),
          .interval_max_ms = policy.interval_max_ms(),
          .gap_max_ms = policy.gap_max_ms(),
          .jump_max_millicelsius_per_minute = policy.jump_max_millicelsius_per_minute()};
}

TemperatureLimits TransportLimits(const v1::Policy& policy) {
  TemperatureLimits limits = StorageLimits(policy.storage());
  if (policy.transport().interval_max_ms() > 0) {
    limits.interval_max_ms = policy.transport().interval_max_ms();
  }
  const std::int32_t action = policy.transport().action_above_millicelsius();
  if (action != 0) {
    limits.action_above_millicelsius = action;
    limits.alert_above_millicelsius = std::min(limits.alert_above_millicelsius, action);
    limits.critical_above_millicelsius = std::max(limits.critical_above_millicelsius, action);
    if (action > policy.storage().action_above_millicelsius()) {
      limits.alert_above_millicelsius = action;
    }
  }
  return limits;
}

TemperatureLimits Strictest(const TemperatureLimits& a, const TemperatureLimits& b) {
  return {
      .alert_above_millicelsius = std::min(a.alert_above_millicelsius, b.alert_above_millicelsius),
      .alert_after_ms = std::min(a.alert_after_ms, b.alert_after_ms),
      .action_above_millicelsius =
          std::min(a.action_above_millicelsius, b.action_above_millicelsius),
      .critical_above_millicelsius =
          std::min(a.critical_above_millicelsius, b.critical_above_millicelsius),
      .above_action_max_ms = std::min(a.above_action_max_ms, b.above_action_max_ms),
      .interval_max_ms = std::min(a.interval_max_ms, b.interval_max_ms),
      .gap_max_ms = std::min(a.gap_max_ms, b.gap_max_ms),
      .jump_max_millicelsius_per_minute =
          std::min(a.jump_max_millicelsius_per_minute, b.jump_max_millicelsius_per_minute)};
}

std::int64_t LongestGapMs(std::int64_t interval_ms, const TemperatureLimits& limits) {
  if (interval_ms <= 0) return 0;
  const bool bounded = interval_ms <= limits.gap_max_ms / kGapIntervals;
  return bounded ? kGapIntervals * interval_ms : limits.gap_max_ms;
}

SeriesJudgement JudgeSeries(const Readings& readings, const TemperatureLimits& limits) {
  SeriesJudgement judgement;
  judgement.inconsistent = readings.ended_at_ms < readings.started_at_ms;
  judgement.interval_too_long = readings.interval_ms > limits.interval_max_ms;
  Readings bounded = readings;
  // No reading stands for longer than a hole may last.
  bounded.interval_ms = std::min(readings.interval_ms, LongestGapMs(readings.interval_ms, limits));
  FindHot(bounded, limits, &judgement.excursions);
  FindUnlisted(bounded, limits, &judgement);
  FindGaps(readings, limits, &judgement);
  CheckJumps(bounded, limits, &judgement);
  return judgement;
}

bool BlocksUnassessed(const v1::ExcursionState& excursion) {
  return !excursion.assessed() && excursion.excursion_class() != v1::EXCURSION_CLASS_ALERT;
}

bool Intersects(const v1::StayState& stay, const v1::ExcursionState& excursion) {
  const bool began_before_end = stay.from_ms() < excursion.ended_at_ms();
  const bool ended_after_start = stay.to_ms() == 0 || stay.to_ms() > excursion.started_at_ms();
  return began_before_end && ended_after_start;
}

}  // namespace custody
