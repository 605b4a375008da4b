// The ledger's clock: a wall clock that is watched by a monotonic one.
//
// Threads: Clock is safe from any thread; ClockWatch belongs to one thread.

#ifndef CUSTODY_DAEMON_LEDGER_CLOCK_H_
#define CUSTODY_DAEMON_LEDGER_CLOCK_H_

#include <cstdint>

namespace custody {

class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds since 1970-01-01T00:00:00Z; may jump.
  virtual std::int64_t WallMs() const = 0;
  // Milliseconds since some moment; never goes back, goes on during suspend.
  virtual std::int64_t MonotonicMs() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t WallMs() const override;
  std::int64_t MonotonicMs() const override;
};

// What the two clocks may differ by before the wall clock is no longer believed.
inline constexpr std::int64_t kClockJumpMsMax = 1'000;
// A wall clock that has gone in step with the monotonic one for so long is believed again.
inline constexpr std::int64_t kClockRecoveryMs = 60'000;

// A moment, and whether it can be believed.
struct ClockReading {
  std::int64_t now_ms = 0;
  bool healthy = true;
};

// Turns readings of a clock into times of recording, which never decrease.
//
// After a jump of more than a second against the monotonic clock, or behind the last entry,
// readings are unhealthy: decisions are refused (E_CLOCK), and observations are stamped with the
// last good time. Once the wall clock has gone in step for a minute and is not behind the last
// entry, it is believed again.
class ClockWatch {
 public:
  // `last_recorded_ms` is the time of the newest entry, 0 for an empty log.
  ClockWatch(const Clock& clock, std::int64_t last_recorded_ms);

  ClockReading Read();

 private:
  const Clock& clock_;
  std::int64_t last_ms_;
  std::int64_t wall_ms_;
  std::int64_t monotonic_ms_;
  std::int64_t unhealthy_since_ms_ = -1;  // Monotonic; -1: healthy.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_CLOCK_H_
