// The times of cosignatures: those of a real clock, never smaller than one that was used before.
//
// A clock that went back a little is waited out by using the last time again. One that went back
// further is not believed, nor is one that has not been set: a cosignature with a false time would
// make an old checkpoint look fresh, or a fresh one old.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_WITNESS_COSIGN_TIME_H_
#define CUSTODY_DAEMON_WITNESS_COSIGN_TIME_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace custody {

// POSIX seconds.
using WallSeconds = std::function<std::int64_t()>;
std::int64_t SystemWallSeconds();

// How far the clock may go back and still be believed.
inline constexpr std::uint64_t kClockBackSecondsMax = 60;
// 2024-01-01: no cosignature is older than this program.
inline constexpr std::int64_t kClockSecondsMin = 1'704'067'200;

class CosignTime {
 public:
  explicit CosignTime(WallSeconds wall) : wall_(std::move(wall)) {}

  // A time that was used before (read from a state file).
  void Remember(std::uint64_t seconds);
  // The time of the next cosignature.
  // Errors: kUnavailable if the clock is not believed, with both times.
  absl::StatusOr<std::uint64_t> Next();

 private:
  const WallSeconds wall_;
  Mutex mutex_;
  std::uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_COSIGN_TIME_H_
