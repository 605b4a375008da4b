// What a stranger asks for, in its only spelling.
//
//   /checkpoint                      /tile/<L>/<N>[.p/<W>]      /tile/entries/<N>[.p/<W>]
//   /v1/inclusion?index=I&size=S     /v1/consistency?from=A&to=B
//   /healthz                         /metrics
//
// Nothing is decoded: no path of these has a character that wants an escape, so one resource has
// one spelling and a cache in front sees it once.
//
// Threads: a pure function.
// Limits:  kTargetBytesMax.

#ifndef CUSTODY_DAEMON_GATEWAY_TARGET_H_
#define CUSTODY_DAEMON_GATEWAY_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/tiles.h"

namespace custody {

inline constexpr std::size_t kTargetBytesMax = 512;

enum class Route { kCheckpoint, kTile, kEntries, kInclusion, kConsistency, kHealth, kMetrics };

// "tile" for Route::kTile; for metrics.
std::string_view RouteName(Route route);

struct Target {
  Route route = Route::kCheckpoint;
  // kTile, kEntries.
  TileCoordinate tile = {};
  // kInclusion: index < second. kConsistency: 0 < first <= second. `second` is a size.
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// Errors, all with what would be right: kNotFound (no such resource, or a tile that no log can
// have), kInvalidArgument (a query that is wrong or that the resource does not take), kOutOfRange
// beyond kTargetBytesMax.
absl::StatusOr<Target> ParseTarget(std::string_view target);

// The only spelling of a target.
std::string FormatTarget(const Target& target);

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_TARGET_H_
