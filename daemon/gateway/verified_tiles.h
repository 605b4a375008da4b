// Tiles and bundles of the log under one checkpoint that is believed, each shown to belong to it.
//
// The edge of the tree is verified against the root when it is fetched; a full tile against its
// parent's hash, up to the edge; the entries of a bundle against the tile of their leaf hashes. So
// a daemon cannot have the gateway hand on anything that the checkpoint does not cover.
//
// Threads: one thread; make one for each answer.
// Owns:    a share of the edge; cache and fetcher must outlive it.

#ifndef CUSTODY_DAEMON_GATEWAY_VERIFIED_TILES_H_
#define CUSTODY_DAEMON_GATEWAY_VERIFIED_TILES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/tiles.h"
#include "daemon/gateway/tile_cache.h"

namespace custody {

// Asks the daemon for tiles of the tree of this size; as many answers as paths, in their order.
using TileFetcher = std::function<absl::StatusOr<std::vector<std::string>>(
    const std::vector<std::string>& paths, std::uint64_t tree_size)>;

// The right edge of the tree of a checkpoint, verified against its root.
// Errors: kDataLoss if it is not that; the fetcher's.
absl::StatusOr<std::shared_ptr<const TileEdge>> FetchEdge(const Checkpoint& checkpoint,
                                                          const TileFetcher& fetch);

class VerifiedTiles final : public TileSource {
 public:
  // Without a fetcher it answers from memory, and says kAborted where it would have to ask.
  VerifiedTiles(std::shared_ptr<const TileEdge> edge, TileCache& cache, TileFetcher fetch)
      : edge_(std::move(edge)), cache_(cache), fetch_(std::move(fetch)) {}

  const TileEdge& edge() const { return *edge_; }

  // The hashes of a full or partial tile.
  // Errors: kOutOfRange if the tree does not have it; kDataLoss if what the daemon sent is not part
  // of the log; kAborted; the fetcher's.
  absl::StatusOr<std::string> ReadTile(const TileCoordinate& tile) const;
  // The same for a bundle of entries.
  absl::StatusOr<std::string> ReadBundle(const TileCoordinate& bundle) const;

  absl::StatusOr<std::string> ReadFullTile(std::uint32_t level, std::uint64_t index) const override;

 private:
  absl::StatusOr<Digest> ParentHash(std::uint32_t level, std::uint64_t index) const;
  absl::StatusOr<std::string> FetchOne(const std::string& path) const;

  const std::shared_ptr<const TileEdge> edge_;
  TileCache& cache_;
  const TileFetcher fetch_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_VERIFIED_TILES_H_
