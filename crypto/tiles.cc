#include "crypto/tiles.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace custody {
namespace {

Digest HashAt(std::string_view hashes, std::size_t position) {
  std::array<std::uint8_t, Digest::kSizeBytes> bytes;
  const ByteView source = AsBytes(hashes.substr(position * Digest::kSizeBytes, Digest::kSizeBytes));
  CUSTODY_CHECK(source.size() == bytes.size());
  std::copy(source.begin(), source.end(), bytes.begin());
  return Digest(bytes);
}

// The root of 2^height hashes that stand side by side in a tile.
Digest SubtreeOfTile(std::string_view hashes, std::size_t first, std::uint32_t height) {
  CompactRange range;
  for (std::size_t i = 0; i < std::size_t{1} << height; ++i) {
    range.Append(HashAt(hashes, first + i));
  }
  return range.Root();
}

absl::StatusOr<std::string> ReadWholeTile(const TileSource& tiles, std::uint32_t level,
                                          std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(std::string hashes, tiles.ReadFullTile(level, index));
  if (hashes.size() != kTileSizeBytes) {
    return absl::DataLossError(absl::StrFormat("tile %d/%d has %d bytes, want %d", level, index,
                                               hashes.size(), kTileSizeBytes));
  }
  return hashes;
}

// The hashes of the partial tile at `level`: leaf hashes, or the roots of full tiles below.
absl::StatusOr<std::string> RestorePartial(std::uint32_t level, std::uint64_t size,
                                           const TileSource& tiles,
                                           const TileTree::LeafHashReader& leaf_hash) {
  const std::uint64_t first = FullTileCount(level, size) * kTileWidth;
  std::string partial;
  for (std::uint64_t i = first; i < first + PartialTileWidth(level, size); ++i) {
    if (level == 0) {
      CUSTODY_ASSIGN_OR_RETURN(const Digest hash, leaf_hash(i));
      partial.append(hash.view());
      continue;
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::string below, ReadWholeTile(tiles, level - 1, i));
    partial.append(SubtreeOfTile(below, 0, kTileHeight).view());
  }
  return partial;
}

// The complete subtrees of the tree, largest first: one for each set bit of each partial width.
std::vector<Digest> CompleteSubtrees(const std::array<std::string, kTileLevels>& partial) {
  std::vector<Digest> subtrees;
  for (std::uint32_t level = kTileLevels; level-- > 0;) {
    const std::size_t width = partial[level].size() / Digest::kSizeBytes;
    std::size_t first = 0;
    for (std::uint32_t height = kTileHeight; height-- > 0;) {
      if ((width >> height & 1) == 1) {
        subtrees.push_back(SubtreeOfTile(partial[level], first, height));
        first += std::size_t{1} << height;
      }
    }
  }
  return subtrees;
}

}  // namespace

absl::StatusOr<TileTree> TileTree::Restore(std::uint64_t size, const TileSource& tiles,
                                           const LeafHashReader& leaf_hash) {
  std::array<std::string, kTileLevels> partial;
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    CUSTODY_ASSIGN_OR_RETURN(partial[level], RestorePartial(level, size, tiles, leaf_hash));
  }
  return FromPartialTiles(size, std::move(partial));
}

absl::StatusOr<TileTree> TileTree::FromPartialTiles(std::uint64_t size,
                                                    std::array<std::string, kTileLevels> partial) {
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    if (partial[level].size() == PartialTileWidth(level, size) * Digest::kSizeBytes) continue;
    return absl::DataLossError(
        absl::StrFormat("the partial tile of level %d has %d bytes", level, partial[level].size()));
  }
  TileTree tree;
  tree.partial_ = std::move(partial);
  CUSTODY_ASSIGN_OR_RETURN(tree.range_,
                           CompactRange::FromSizeAndHashes(size, CompleteSubtrees(tree.partial_)));
  return tree;
}

void TileTree::Append(const Digest& leaf_hash, std::vector<FullTile>* completed) {
  snapshot_.reset();
  range_.Append(leaf_hash);
  partial_[0].append(leaf_hash.view());
  for (std::uint32_t level = 0; partial_[level].size() == kTileSizeBytes; ++level) {
    CUSTODY_CHECK(level + 1 < kTileLevels);
    partial_[level + 1].append(SubtreeOfTile(partial_[level], 0, kTileHeight).view());
    completed->push_back({.level = level,
                          .index = FullTileCount(level, range_.size()) - 1,
                          .hashes = std::exchange(partial_[level], std::string())});
  }
}

std::shared_ptr<const TileEdge> TileTree::Snapshot() const {
  if (snapshot_ == nullptr) {
    snapshot_ = std::make_shared<const TileEdge>(
        TileEdge{.size = size(), .root = Root(), .partial = partial_});
  }
  return snapshot_;
}

absl::StatusOr<std::string_view> TileNodeReader::TileBytes(std::uint32_t level,
                                                           std::uint64_t index) const {
  if (index >= FullTileCount(level, edge_->size)) {
    return std::string_view(edge_->partial[level]);
  }
  if (cached_.hashes.empty() || cached_.level != level || cached_.index != index) {
    CUSTODY_ASSIGN_OR_RETURN(std::string hashes, ReadWholeTile(tiles_, level, index));
    cached_ = {.level = level, .index = index, .hashes = std::move(hashes)};
  }
  return std::string_view(cached_.hashes);
}

absl::StatusOr<Digest> TileNodeReader::Node(std::uint32_t level, std::uint64_t index) const {
  if (level >= kTileLevels * kTileHeight || index >= edge_->size >> level) {
    return absl::OutOfRangeError(
        absl::StrFormat("node %d/%d is not in a tree of size %d", level, index, edge_->size));
  }
  const std::uint32_t tile_level = level / kTileHeight;
  const std::uint32_t height = level % kTileHeight;
  const std::uint64_t first = index << height;
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view hashes,
                           TileBytes(tile_level, first / kTileWidth));
  return SubtreeOfTile(hashes, first % kTileWidth, height);
}

absl::StatusOr<std::string> TileNodeReader::ReadTile(const TileCoordinate& tile) const {
  const std::uint64_t full = FullTileCount(tile.level, edge_->size);
  const std::uint32_t available = tile.index < full    ? kTileWidth
                                  : tile.index == full ? PartialTileWidth(tile.level, edge_->size)
                                                       : 0;
  if (tile.width == 0 || tile.width > available) {
    return absl::OutOfRangeError(absl::StrFormat("tile %d/%d has %d hashes at size %d, want %d",
                                                 tile.level, tile.index, available, edge_->size,
                                                 tile.width));
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view hashes, TileBytes(tile.level, tile.index));
  return std::string(hashes.substr(0, tile.width * Digest::kSizeBytes));
}

}  // namespace custody
