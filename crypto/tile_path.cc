// Paths of tiles and bundles, and the arithmetic of which tiles a tree has.
//
//   path   = "tile/" level "/" number [".p/" width]     level 0..7, width 1..255
//          | "tile/entries/" number [".p/" width]
//   number = *("x" 3DIGIT "/") 3DIGIT                    no leading "x000"

#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/text_rules.h"
#include "crypto/tiles.h"

namespace custody {
namespace {

constexpr std::string_view kTilePrefix = "tile/";
constexpr std::string_view kBundlePrefix = "tile/entries/";
constexpr std::string_view kPartialMark = ".p/";
constexpr std::size_t kTilePathBytesMax = 64;

std::string NumberPath(std::uint64_t number) {
  std::string path = absl::StrFormat("%03d", number % 1000);
  for (number /= 1000; number > 0; number /= 1000) {
    path = absl::StrFormat("x%03d/%s", number % 1000, path);
  }
  return path;
}

std::string WithWidth(const std::string& path, std::uint32_t width) {
  CUSTODY_CHECK(width >= 1 && width <= kTileWidth);
  return width == kTileWidth ? path : absl::StrFormat("%s.p/%d", path, width);
}

absl::Status Malformed() { return absl::InvalidArgumentError("not a path of a tile"); }

// The digits of "x001/x234/067"; the caller compares spellings, so only the value matters here.
absl::StatusOr<std::uint64_t> ParseNumber(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
    } else if (c != 'x' && c != '/') {
      return Malformed();
    }
  }
  const std::size_t first = digits.find_first_not_of('0');
  return ParseDecimal(first == std::string::npos ? std::string_view("0")
                                                 : std::string_view(digits).substr(first));
}

// "<number>[.p/<width>]". The width is first taken off, then the number is read.
absl::StatusOr<TileCoordinate> ParseNumberAndWidth(std::uint32_t level, std::string_view text) {
  TileCoordinate tile{.level = level};
  if (const std::size_t mark = text.find(kPartialMark); mark != std::string_view::npos) {
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t width,
                             ParseDecimal(text.substr(mark + kPartialMark.size())));
    if (width < 1 || width >= kTileWidth) {
      return Malformed();
    }
    tile.width = static_cast<std::uint32_t>(width);
    text = text.substr(0, mark);
  }
  CUSTODY_ASSIGN_OR_RETURN(tile.index, ParseNumber(text));
  return tile;
}

}  // namespace

std::string TilePath(const TileCoordinate& tile) {
  CUSTODY_CHECK(tile.level < kTileLevels);
  return WithWidth(absl::StrFormat("tile/%d/%s", tile.level, NumberPath(tile.index)), tile.width);
}

std::string EntryBundlePath(const TileCoordinate& bundle) {
  CUSTODY_CHECK(bundle.level == 0);
  return WithWidth(absl::StrFormat("tile/entries/%s", NumberPath(bundle.index)), bundle.width);
}

absl::StatusOr<TileCoordinate> ParseTilePath(std::string_view path) {
  std::string_view rest = path;
  if (path.size() > kTilePathBytesMax || !TakePrefix(kTilePrefix, &rest)) {
    return Malformed();
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) {
    return Malformed();
  }
  const absl::StatusOr<std::uint64_t> level = ParseDecimal(rest.substr(0, slash));
  if (!level.ok() || *level >= kTileLevels) {
    return Malformed();
  }
  CUSTODY_ASSIGN_OR_RETURN(
      const TileCoordinate tile,
      ParseNumberAndWidth(static_cast<std::uint32_t>(*level), rest.substr(slash + 1)));
  // One coordinate has one spelling.
  return TilePath(tile) == path ? absl::StatusOr<TileCoordinate>(tile) : Malformed();
}

absl::StatusOr<TileCoordinate> ParseEntryBundlePath(std::string_view path) {
  std::string_view rest = path;
  if (path.size() > kTilePathBytesMax || !TakePrefix(kBundlePrefix, &rest)) {
    return Malformed();
  }
  CUSTODY_ASSIGN_OR_RETURN(const TileCoordinate bundle, ParseNumberAndWidth(0, rest));
  return EntryBundlePath(bundle) == path ? absl::StatusOr<TileCoordinate>(bundle) : Malformed();
}

std::uint64_t FullTileCount(std::uint32_t level, std::uint64_t size) {
  // The shift for the hashes of level 7 is 56; the one for its full tiles would be 64.
  return level >= kTileLevels ? 0 : (size >> (kTileHeight * level)) / kTileWidth;
}

std::uint32_t PartialTileWidth(std::uint32_t level, std::uint64_t size) {
  return level >= kTileLevels
             ? 0
             : static_cast<std::uint32_t>((size >> (kTileHeight * level)) % kTileWidth);
}

std::vector<TileCoordinate> TilesForSize(std::uint64_t size) {
  std::vector<TileCoordinate> tiles;
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::uint64_t full = FullTileCount(level, size);
    for (std::uint64_t index = 0; index < full; ++index) {
      tiles.push_back({.level = level, .index = index, .width = kTileWidth});
    }
    if (const std::uint32_t width = PartialTileWidth(level, size); width > 0) {
      tiles.push_back({.level = level, .index = full, .width = width});
    }
  }
  return tiles;
}

}  // namespace custody
