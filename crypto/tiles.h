// C2SP tlog-tiles: the Merkle tree cut into tiles of 256 hashes, and the writer's tree.
//
// Hash i of tile (level, n) is the root of the leaves [(256n+i) * 256^level, (256n+i+1) *
// 256^level). A full tile never changes and is written once; a partial tile is a prefix of the full
// one and is only ever at the right edge, so it lives in memory and is served from there.
//
// Threads: TileTree and TileNodeReader belong to one thread; a TileEdge is immutable and may be
// read by all. Format:  "tile/<L>/<N>[.p/<W>]" and "tile/entries/<N>[.p/<W>]", README.md. Limits:
// levels 0..7 (2^64 leaves); 256 hashes = 8,192 bytes a tile.

#ifndef CUSTODY_CRYPTO_TILES_H_
#define CUSTODY_CRYPTO_TILES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace custody {

inline constexpr std::uint32_t kTileHeight = 8;
inline constexpr std::uint32_t kTileWidth = 256;
inline constexpr std::uint32_t kTileLevels = 8;
inline constexpr std::size_t kTileSizeBytes = kTileWidth * Digest::kSizeBytes;

struct TileCoordinate {
  std::uint32_t level = 0;           // 0..7
  std::uint64_t index = 0;           // From the left, 0-based.
  std::uint32_t width = kTileWidth;  // Hashes, 1..256; 256 is a full tile.

  friend bool operator==(const TileCoordinate&, const TileCoordinate&) = default;
};

// A tile that has become full: 8,192 bytes, never to change.
struct FullTile {
  std::uint32_t level = 0;
  std::uint64_t index = 0;
  std::string hashes;
};

// "tile/0/x001/x234/067" or "tile/1/000.p/17".
std::string TilePath(const TileCoordinate& tile);
// The same for bundles of entries: "tile/entries/000.p/17"; level must be 0.
std::string EntryBundlePath(const TileCoordinate& bundle);

// The only spelling of a coordinate, or an error; never shifts by 64 or more.
// Errors: kInvalidArgument.
absl::StatusOr<TileCoordinate> ParseTilePath(std::string_view path);
absl::StatusOr<TileCoordinate> ParseEntryBundlePath(std::string_view path);

// Complete tiles at `level` of a tree of `size` leaves, and the width (0..255) of the partial one
// after them (0: there is none).
std::uint64_t FullTileCount(std::uint32_t level, std::uint64_t size);
std::uint32_t PartialTileWidth(std::uint32_t level, std::uint64_t size);

// Every tile of a tree of `size` leaves, level by level; O(size / 255) of them.
std::vector<TileCoordinate> TilesForSize(std::uint64_t size);

// Where full tiles are read from (the store, a directory, a bundle).
class TileSource {
 public:
  virtual ~TileSource() = default;

  // The 8,192 bytes. Errors: kNotFound if it is not there; the source's.
  virtual absl::StatusOr<std::string> ReadFullTile(std::uint32_t level,
                                                   std::uint64_t index) const = 0;
};

// The right edge of a tree of a given size: its partial tiles and its root.
struct TileEdge {
  std::uint64_t size = 0;
  Digest root;
  // partial[level] holds PartialTileWidth(level, size) hashes, 32 bytes each.
  std::array<std::string, kTileLevels> partial;
};

// The writer's tree.
class TileTree {
 public:
  TileTree() = default;

  // Rebuilds the edge of a tree of `size` leaves: level 0 from at most 255 leaf hashes, each level
  // above from at most 255 full tiles of the level below. The caller compares Root() with the
  // checkpoint.
  // Errors: kDataLoss if a tile has a wrong length; else those of the two sources.
  using LeafHashReader = std::function<absl::StatusOr<Digest>(std::uint64_t index)>;
  static absl::StatusOr<TileTree> Restore(std::uint64_t size, const TileSource& tiles,
                                          const LeafHashReader& leaf_hash);

  // The tree of `size` leaves with these partial tiles, as in TileEdge. Every hash of them is below
  // Root(), which the caller compares with the checkpoint.
  // Errors: kDataLoss if one has another width than that of the size.
  static absl::StatusOr<TileTree> FromPartialTiles(std::uint64_t size,
                                                   std::array<std::string, kTileLevels> partial);

  // Appends a leaf; the tiles that it completes (seldom more than one) go to the end of
  // `completed`.
  void Append(const Digest& leaf_hash, std::vector<FullTile>* completed);

  std::uint64_t size() const { return range_.size(); }
  Digest Root() const { return range_.Root(); }

  // The edge as it is now, for readers; at most 64 KiB are copied, once per size.
  std::shared_ptr<const TileEdge> Snapshot() const;

 private:
  CompactRange range_;
  std::array<std::string, kTileLevels> partial_;
  mutable std::shared_ptr<const TileEdge> snapshot_;
};

// Nodes of the tree of `edge->size` leaves, read from full tiles and its edge. It serves every
// smaller size too. Keeps the last full tile that it read: the nodes of a proof lie together. Each
// Node() hashes at most 127 pairs.
//
// Threads: one thread; make one for each answer.
// Owns:    nothing; `tiles` must outlive it.
class TileNodeReader : public NodeReader {
 public:
  TileNodeReader(const TileSource& tiles, std::shared_ptr<const TileEdge> edge)
      : tiles_(tiles), edge_(std::move(edge)) {}

  // Errors: kOutOfRange if the edge's size does not cover the node; kDataLoss if a tile has a wrong
  // length; the source's.
  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override;

  // The first `width` hashes of a tile, whether full or on the edge; for serving tiles.
  // Errors: kOutOfRange if the tree does not have them; as Node().
  absl::StatusOr<std::string> ReadTile(const TileCoordinate& tile) const;

 private:
  // What the tree has of a tile; lives until the next call.
  absl::StatusOr<std::string_view> TileBytes(std::uint32_t level, std::uint64_t index) const;

  const TileSource& tiles_;
  std::shared_ptr<const TileEdge> edge_;
  mutable FullTile cached_;
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_TILES_H_
