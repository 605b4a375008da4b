#include "daemon/witness/cosign_time.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_format.h"

namespace custody {

std::int64_t SystemWallSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void CosignTime::Remember(std::uint64_t seconds) {
  const MutexLock lock(mutex_);
  last_ = std::max(last_, seconds);
}

absl::StatusOr<std::uint64_t> CosignTime::Next() {
  const std::int64_t wall = wall_();
  if (wall < kClockSecondsMin) {
    return absl::UnavailableError(absl::StrFormat(
        "the clock of this witness shows %d seconds since 1970, which is before this program was "
        "written; set the clock",
        wall));
  }
  const auto now = static_cast<std::uint64_t>(wall);
  const MutexLock lock(mutex_);
  if (now + kClockBackSecondsMax < last_) {
    return absl::UnavailableError(absl::StrFormat(
        "the clock of this witness shows %d, its last cosignature %d: it went back by more than %d "
        "s; set the clock",
        now, last_, kClockBackSecondsMax));
  }
  last_ = std::max(last_, now);
  return last_;
}

}  // namespace custody
