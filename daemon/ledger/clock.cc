#include "daemon/ledger/clock.h"

#include <time.h>

#include <algorithm>

namespace custody {
namespace {

std::int64_t ReadMs(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 +
         static_cast<std::int64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

std::int64_t SystemClock::WallMs() const { return ReadMs(CLOCK_REALTIME); }
// CLOCK_BOOTTIME goes on while the machine sleeps, so that waking up is not a jump.
std::int64_t SystemClock::MonotonicMs() const { return ReadMs(CLOCK_BOOTTIME); }

ClockWatch::ClockWatch(const Clock& clock, std::int64_t last_recorded_ms)
    : clock_(clock),
      last_ms_(last_recorded_ms),
      wall_ms_(clock.WallMs()),
      monotonic_ms_(clock.MonotonicMs()) {
  if (wall_ms_ < last_ms_ - kClockJumpMsMax) unhealthy_since_ms_ = monotonic_ms_;
}

ClockReading ClockWatch::Read() {
  const std::int64_t wall = clock_.WallMs();
  const std::int64_t monotonic = clock_.MonotonicMs();
  const std::int64_t drift = (wall - wall_ms_) - (monotonic - monotonic_ms_);
  const bool jumped = drift > kClockJumpMsMax || drift < -kClockJumpMsMax;
  // Small differences are the daily work of NTP: the base follows them only while healthy, slowly
  // drifting clocks are compared over at most a minute.
  if (jumped || monotonic - monotonic_ms_ >= kClockRecoveryMs) {
    wall_ms_ = wall;
    monotonic_ms_ = monotonic;
  }
  const bool behind = wall < last_ms_ - kClockJumpMsMax;
  if (jumped || behind) {
    unhealthy_since_ms_ = monotonic;
  } else if (unhealthy_since_ms_ >= 0 && monotonic - unhealthy_since_ms_ >= kClockRecoveryMs) {
    unhealthy_since_ms_ = -1;
  }
  if (unhealthy_since_ms_ >= 0) return {last_ms_, false};
  last_ms_ = std::max(last_ms_, wall);
  return {last_ms_, true};
}

}  // namespace custody
