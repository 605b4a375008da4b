// The limits that hold for every event of a ledger, with their defaults.

#ifndef CUSTODY_LIFECYCLE_RECORDING_LIMITS_H_
#define CUSTODY_LIFECYCLE_RECORDING_LIMITS_H_

#include <cstdint>

#include "custody/v1/policy.pb.h"
#include "custody/v1/state.pb.h"

namespace custody {

inline constexpr std::int64_t kMillisecondsPerMinute = 60'000;
inline constexpr std::int64_t kMillisecondsPerDay = 86'400'000;

// What entry 0 states; a field that it leaves out has the default of policy.proto.
inline v1::RecordingLimits LimitsOf(const v1::LedgerState& ledger) {
  v1::RecordingLimits limits = ledger.limits();
  if (limits.late_entry_after_ms() == 0) limits.set_late_entry_after_ms(kMillisecondsPerDay);
  if (limits.future_tolerance_ms() == 0) limits.set_future_tolerance_ms(120'000);
  if (limits.signature_window_ms() == 0) limits.set_signature_window_ms(kMillisecondsPerDay);
  return limits;
}

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_RECORDING_LIMITS_H_
