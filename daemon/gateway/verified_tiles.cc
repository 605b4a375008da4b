#include "daemon/gateway/verified_tiles.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

std::vector<Digest> HashesOf(std::string_view tile) {
  std::vector<Digest> hashes;
  for (std::size_t at = 0; at + Digest::kSizeBytes <= tile.size(); at += Digest::kSizeBytes) {
    hashes.push_back(*Digest::FromBytes(tile.substr(at, Digest::kSizeBytes)));
  }
  return hashes;
}

absl::Status NotOfTheLog(std::string_view what) {
  return absl::DataLossError(absl::StrFormat(
      "the daemon sent a %s that is not part of the log under the believed checkpoint", what));
}

// Nothing to read: the edge alone has every node of a root.
class NoTiles final : public TileSource {
 public:
  absl::StatusOr<std::string> ReadFullTile(std::uint32_t, std::uint64_t) const override {
    return absl::NotFoundError("the edge has no full tile");
  }
};

// Whether a bundle is exactly the entries with these leaf hashes.
bool IsBundleOf(std::string_view bundle, std::string_view leaf_hashes) {
  for (const Digest& expected : HashesOf(leaf_hashes)) {
    if (bundle.size() < 2) return false;
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(bundle[0])) << 8U |
                             static_cast<unsigned char>(bundle[1]);
    bundle.remove_prefix(2);
    if (bundle.size() < size || LeafHash(bundle.substr(0, size)) != expected) return false;
    bundle.remove_prefix(size);
  }
  return bundle.empty();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TileEdge>> FetchEdge(const Checkpoint& checkpoint,
                                                          const TileFetcher& fetch) {
  auto edge = std::make_shared<TileEdge>();
  edge->size = checkpoint.size;
  edge->root = checkpoint.root;
  std::vector<std::uint32_t> levels;
  std::vector<std::string> paths;
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::uint32_t width = PartialTileWidth(level, checkpoint.size);
    if (width == 0) continue;
    levels.push_back(level);
    paths.push_back(TilePath({level, FullTileCount(level, checkpoint.size), width}));
  }
  if (!paths.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> tiles, fetch(paths, checkpoint.size));
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const std::size_t width = PartialTileWidth(levels[i], checkpoint.size);
      if (tiles[i].size() != width * Digest::kSizeBytes) return NotOfTheLog("partial tile");
      edge->partial[levels[i]] = tiles[i];
    }
  }
  const NoTiles none;
  const TileNodeReader nodes(none, edge);
  CUSTODY_ASSIGN_OR_RETURN(const Digest root, TreeRoot(checkpoint.size, nodes));
  if (root != checkpoint.root) return NotOfTheLog("partial tile");
  return std::shared_ptr<const TileEdge>(std::move(edge));
}

absl::StatusOr<std::string> VerifiedTiles::FetchOne(const std::string& path) const {
  if (fetch_ == nullptr) return absl::AbortedError("not in memory");
  CUSTODY_ASSIGN_OR_RETURN(std::vector<std::string> tiles, fetch_({path}, edge_->size));
  return std::move(tiles.front());
}

// Of a full tile: the node above it.
absl::StatusOr<Digest> VerifiedTiles::ParentHash(std::uint32_t level, std::uint64_t index) const {
  const std::uint64_t above = index / kTileWidth;
  std::string hashes;
  if (above < FullTileCount(level + 1, edge_->size)) {
    CUSTODY_ASSIGN_OR_RETURN(hashes, ReadFullTile(level + 1, above));
  } else {
    hashes = edge_->partial[level + 1];
  }
  return Digest::FromBytes(
      std::string_view(hashes).substr(index % kTileWidth * Digest::kSizeBytes, Digest::kSizeBytes));
}

absl::StatusOr<std::string> VerifiedTiles::ReadFullTile(std::uint32_t level,
                                                        std::uint64_t index) const {
  if (level + 1 >= kTileLevels || index >= FullTileCount(level, edge_->size)) {
    return absl::OutOfRangeError(
        absl::StrFormat("tile %d/%d is not full at size %d", level, index, edge_->size));
  }
  const std::string path = TilePath({.level = level, .index = index});
  if (const auto kept = cache_.Find(path)) return *kept;
  CUSTODY_ASSIGN_OR_RETURN(const Digest expected, ParentHash(level, index));
  CUSTODY_ASSIGN_OR_RETURN(std::string hashes, FetchOne(path));
  if (hashes.size() != kTileSizeBytes || MerkleRoot(HashesOf(hashes)) != expected) {
    return NotOfTheLog("tile");
  }
  cache_.Keep(path, std::make_shared<const std::string>(hashes));
  return hashes;
}

absl::StatusOr<std::string> VerifiedTiles::ReadTile(const TileCoordinate& tile) const {
  return TileNodeReader(*this, edge_).ReadTile(tile);
}

absl::StatusOr<std::string> VerifiedTiles::ReadBundle(const TileCoordinate& bundle) const {
  CUSTODY_ASSIGN_OR_RETURN(const std::string leaf_hashes, ReadTile(bundle));
  const std::string path = EntryBundlePath(bundle);
  const bool full = bundle.width == kTileWidth;
  if (full) {
    if (const auto kept = cache_.Find(path)) return *kept;
  }
  CUSTODY_ASSIGN_OR_RETURN(std::string entries, FetchOne(path));
  if (!IsBundleOf(entries, leaf_hashes)) return NotOfTheLog("bundle of entries");
  if (full) cache_.Keep(path, std::make_shared<const std::string>(entries));
  return entries;
}

}  // namespace custody
