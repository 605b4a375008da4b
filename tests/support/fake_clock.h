// A clock that goes only when a test says so.
//
// Threads: any.

#ifndef CUSTODY_TESTS_SUPPORT_FAKE_CLOCK_H_
#define CUSTODY_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "daemon/ledger/clock.h"

namespace custody {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t wall_ms = 1'790'000'000'000) : wall_ms_(wall_ms) {}

  std::int64_t WallMs() const override { return wall_ms_.load(); }
  std::int64_t MonotonicMs() const override { return monotonic_ms_.load(); }

  // Time passes.
  void Advance(std::int64_t ms) { wall_ms_ += ms, monotonic_ms_ += ms; }
  // Somebody sets the wall clock.
  void JumpWall(std::int64_t ms) { wall_ms_ += ms; }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> monotonic_ms_{1'000'000};
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAKE_CLOCK_H_
