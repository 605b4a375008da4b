#include "daemon/gateway/target.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/text_rules.h"

namespace custody {
namespace {

constexpr std::string_view kEntriesPrefix = "/tile/entries/";
constexpr std::string_view kTilePrefix = "/tile/";

struct Query {
  std::string_view first_name;
  std::string_view second_name;
};
constexpr Query kInclusionQuery = {"index", "size"};
constexpr Query kConsistencyQuery = {"from", "to"};

absl::Status WantQuery(const Query& query) {
  return absl::InvalidArgumentError(
      absl::StrFormat("the query must be %s=N&%s=N: decimal, without leading zeros, each once",
                      query.first_name, query.second_name));
}

// "name=number"; nullopt if it is not that.
std::optional<std::uint64_t> NumberOf(std::string_view pair, std::string_view name) {
  if (!pair.starts_with(name)) return std::nullopt;
  pair.remove_prefix(name.size());
  if (!pair.starts_with('=')) return std::nullopt;
  const absl::StatusOr<std::uint64_t> number = ParseDecimal(pair.substr(1));
  return number.ok() ? std::optional<std::uint64_t>(*number) : std::nullopt;
}

// Two numbers, in either order.
absl::StatusOr<Target> ParseNumbers(Route route, std::string_view text, const Query& query) {
  const std::size_t ampersand = text.find('&');
  if (ampersand == std::string_view::npos) return WantQuery(query);
  std::string_view left = text.substr(0, ampersand);
  std::string_view right = text.substr(ampersand + 1);
  if (left.starts_with(query.second_name)) std::swap(left, right);
  const std::optional<std::uint64_t> first = NumberOf(left, query.first_name);
  const std::optional<std::uint64_t> second = NumberOf(right, query.second_name);
  if (!first.has_value() || !second.has_value()) return WantQuery(query);
  return Target{.route = route, .first = *first, .second = *second};
}

absl::StatusOr<Target> ParseInclusion(std::string_view query) {
  CUSTODY_ASSIGN_OR_RETURN(const Target target,
                           ParseNumbers(Route::kInclusion, query, kInclusionQuery));
  if (target.first < target.second && target.second <= kTreeSizeMax) return target;
  return absl::InvalidArgumentError(absl::StrFormat(
      "index (%u) must be below size (%u), and size at most 2^63", target.first, target.second));
}

absl::StatusOr<Target> ParseConsistency(std::string_view query) {
  CUSTODY_ASSIGN_OR_RETURN(const Target target,
                           ParseNumbers(Route::kConsistency, query, kConsistencyQuery));
  if (0 < target.first && target.first <= target.second && target.second <= kTreeSizeMax) {
    return target;
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("from (%u) must be at least 1 and at most to (%u), and to at most 2^63",
                      target.first, target.second));
}

absl::StatusOr<Target> ParsePath(std::string_view path) {
  if (path == "/checkpoint") return Target{.route = Route::kCheckpoint};
  if (path == "/healthz") return Target{.route = Route::kHealth};
  if (path == "/metrics") return Target{.route = Route::kMetrics};
  const bool entries = path.starts_with(kEntriesPrefix);
  if (entries || path.starts_with(kTilePrefix)) {
    const absl::StatusOr<TileCoordinate> tile =
        entries ? ParseEntryBundlePath(path.substr(1)) : ParseTilePath(path.substr(1));
    if (tile.ok()) return Target{entries ? Route::kEntries : Route::kTile, *tile};
    return absl::NotFoundError(
        "not a path of a tile; want /tile/<L>/<N>[.p/<W>] or /tile/entries/<N>[.p/<W>] with L 0 to "
        "7, N in groups of three digits (x001/067) and W 1 to 255");
  }
  return absl::NotFoundError(
      "there are /checkpoint, /tile/<L>/<N>[.p/<W>], /tile/entries/<N>[.p/<W>], "
      "/v1/inclusion?index=&size=, /v1/consistency?from=&to=, /healthz and /metrics");
}

}  // namespace

std::string_view RouteName(Route route) {
  switch (route) {
    case Route::kCheckpoint:
      return "checkpoint";
    case Route::kTile:
      return "tile";
    case Route::kEntries:
      return "entries";
    case Route::kInclusion:
      return "inclusion";
    case Route::kConsistency:
      return "consistency";
    case Route::kHealth:
      return "healthz";
    case Route::kMetrics:
      return "metrics";
  }
  return "none";
}

absl::StatusOr<Target> ParseTarget(std::string_view target) {
  if (target.size() > kTargetBytesMax) {
    return absl::OutOfRangeError(absl::StrFormat("the target has %u bytes, want at most %u",
                                                 target.size(), kTargetBytesMax));
  }
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const bool has_query = mark != std::string_view::npos;
  const std::string_view query = has_query ? target.substr(mark + 1) : std::string_view();
  if (path == "/v1/inclusion") return ParseInclusion(query);
  if (path == "/v1/consistency") return ParseConsistency(query);
  CUSTODY_ASSIGN_OR_RETURN(const Target parsed, ParsePath(path));
  if (has_query) {
    return absl::InvalidArgumentError(absl::StrFormat("%s takes no query", path));
  }
  return parsed;
}

std::string FormatTarget(const Target& target) {
  switch (target.route) {
    case Route::kTile:
      return "/" + TilePath(target.tile);
    case Route::kEntries:
      return "/" + EntryBundlePath(target.tile);
    case Route::kInclusion:
      return absl::StrFormat("/v1/inclusion?index=%u&size=%u", target.first, target.second);
    case Route::kConsistency:
      return absl::StrFormat("/v1/consistency?from=%u&to=%u", target.first, target.second);
    case Route::kCheckpoint:
    case Route::kHealth:
    case Route::kMetrics:
      break;
  }
  return absl::StrFormat("/%s", RouteName(target.route));
}

}  // namespace custody
