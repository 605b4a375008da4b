#include "crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <climits>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr std::size_t kUuidSizeBytes = 16;
constexpr std::size_t kUuidTextSize = 36;
constexpr std::array<std::size_t, 4> kUuidDashes = {8, 13, 18, 23};

// The newest identifier given out: 48 bits of time, then 74 bits that count up within it.
struct UuidState {
  Mutex mutex;
  std::uint64_t time_ms ABSL_GUARDED_BY(mutex) = 0;
  std::uint64_t high ABSL_GUARDED_BY(mutex) = 0;  // 12 bits.
  std::uint64_t low ABSL_GUARDED_BY(mutex) = 0;   // 62 bits.
};

constexpr std::uint64_t kHighMax = (std::uint64_t{1} << 12) - 1;
constexpr std::uint64_t kLowMax = (std::uint64_t{1} << 62) - 1;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 48) - 1;

// RFC 9562 section 6.2, method 2: within a millisecond the random part grows by a random step, so
// that identifiers stay unpredictable and in order.
void Advance(std::uint64_t now_ms, UuidState* state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state->mutex) {
  const std::string random = RandomBytes(16);
  if (now_ms > state->time_ms) {
    state->time_ms = now_ms;
    // The top bit stays clear to leave room for the steps.
    state->high = ReadBigEndian64(random) & (kHighMax >> 1);
    state->low = ReadBigEndian64(std::string_view(random).substr(8)) & kLowMax;
    return;
  }
  state->low += 1 + (ReadBigEndian64(random) & 0xFFFFFFFFU);
  if (state->low <= kLowMax) {
    return;
  }
  state->low &= kLowMax;
  if (++state->high > kHighMax) {
    state->high = 0;
    ++state->time_ms;
  }
}

}  // namespace

std::string RandomBytes(std::size_t count) {
  CUSTODY_CHECK(count <= INT_MAX);
  std::string bytes(count, '\0');
  CUSTODY_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

std::string NewUuidV7(std::int64_t unix_ms) {
  static UuidState state;
  const auto now_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0)) & kTimeMask;
  const MutexLock lock(state.mutex);
  Advance(now_ms, &state);
  std::string uuid;
  AppendBigEndian64(state.time_ms << 16 | 0x7000U | state.high, &uuid);
  AppendBigEndian64(std::uint64_t{1} << 63 | state.low, &uuid);
  return uuid;
}

std::string FormatUuid(std::string_view uuid) {
  CUSTODY_CHECK(uuid.size() == kUuidSizeBytes);
  std::string text = ToHex(uuid);
  for (const std::size_t dash : kUuidDashes) {
    text.insert(dash, 1, '-');
  }
  return text;
}

absl::StatusOr<std::string> ParseUuid(std::string_view text) {
  const auto malformed = [] {
    return absl::InvalidArgumentError("uuid is not of the form 8-4-4-4-12 lower-case digits");
  };
  if (text.size() != kUuidTextSize) {
    return malformed();
  }
  std::string digits(text);
  for (std::size_t i = kUuidDashes.size(); i-- > 0;) {
    digits.erase(kUuidDashes[i], 1);
  }
  const absl::StatusOr<std::string> bytes = FromHex(digits);
  // The round trip refuses capitals and dashes in other places.
  if (!bytes.ok() || FormatUuid(*bytes) != text) {
    return malformed();
  }
  return bytes;
}

}  // namespace custody
