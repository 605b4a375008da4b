// Temperature excursions: found in readings, and which containers they concern.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_EXCURSIONS_H_
#define CUSTODY_LIFECYCLE_EXCURSIONS_H_

#include <cstdint>
#include <vector>

#include "custody/v1/policy.pb.h"
#include "custody/v1/state.pb.h"
#include "custody/v1/storage_events.pb.h"

namespace custody {

// Limits that decide; from the storage policy, the transport policy replaces what it states.
struct TemperatureLimits {
  std::int32_t alert_above_millicelsius = 0;
  std::int64_t alert_after_ms = 0;
  std::int32_t action_above_millicelsius = 0;
  std::int32_t critical_above_millicelsius = 0;
  std::int64_t above_action_max_ms = 0;
  std::int64_t interval_max_ms = 0;
  std::int64_t gap_max_ms = 0;
  std::int32_t jump_max_millicelsius_per_minute = 0;
};

TemperatureLimits StorageLimits(const v1::StoragePolicy& policy);
// A shipment that may be warmer than storage has no stage of alert: it alerts at the action limit.
TemperatureLimits TransportLimits(const v1::Policy& policy);
// The stricter one of each.
TemperatureLimits Strictest(const TemperatureLimits& a, const TemperatureLimits& b);

// A series of readings, from a storage device or a logger.
struct Readings {
  std::int64_t started_at_ms = 0;
  std::int64_t ended_at_ms = 0;
  std::int64_t interval_ms = 0;
  std::int32_t maximum_millicelsius = 0;
  std::uint32_t samples = 0;
  // End of the series before this one; 0: there is none.
  std::int64_t previous_ended_at_ms = 0;
  std::vector<v1::TemperatureReading> above = {};
  std::vector<v1::SeriesGap> gaps = {};
};

struct DetectedExcursion {
  v1::ExcursionClass excursion_class = v1::EXCURSION_CLASS_UNSPECIFIED;
  std::int32_t limit_millicelsius = 0;
  std::int64_t started_at_ms = 0;
  std::int64_t ended_at_ms = 0;
  std::int32_t peak_millicelsius = 0;
};

struct SeriesJudgement {
  std::vector<DetectedExcursion> excursions;
  // A change between neighbouring readings that no tank makes.
  bool sensor_suspect = false;
  // The summary contradicts the readings (maximum above all of them, too few samples, not in
  // order).
  bool inconsistent = false;
  // Readings are further apart than the policy allows.
  bool interval_too_long = false;
};

// The longest hole between readings that is no gap. An interval that makes no sense excuses none.
std::int64_t LongestGapMs(std::int64_t interval_ms, const TemperatureLimits& limits);

// A reading stands until the next one is due; a hole is unknown, never good.
SeriesJudgement JudgeSeries(const Readings& readings, const TemperatureLimits& limits);

// Whether an excursion blocks as long as nobody assessed it: all but alerts.
bool BlocksUnassessed(const v1::ExcursionState& excursion);

// The container was in the device during the excursion.
bool Intersects(const v1::StayState& stay, const v1::ExcursionState& excursion);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_EXCURSIONS_H_
