// Index leaves and tiles in maps, for tests.

#ifndef CUSTODY_TESTS_SUPPORT_MEMORY_TREES_H_
#define CUSTODY_TESTS_SUPPORT_MEMORY_TREES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/index_tree.h"
#include "crypto/tiles.h"

namespace custody {

class MemoryIndexStore : public IndexLeafStore {
 public:
  absl::Status ScanBucket(std::uint16_t bucket, const Visitor& visit) const override {
    ++scans;
    for (const auto& [key, value] : leaves) {
      if (IndexBucketOf(key) == bucket) visit(key, value);
    }
    return fail_next;
  }
  void Put(const std::vector<IndexLeaf>& updates) {
    for (const IndexLeaf& leaf : updates) leaves[leaf.key] = leaf.value;
  }

  std::map<Digest, IndexValue> leaves;
  absl::Status fail_next;
  mutable int scans = 0;
};

class MemoryTileSource : public TileSource {
 public:
  absl::StatusOr<std::string> ReadFullTile(std::uint32_t level,
                                           std::uint64_t index) const override {
    const auto it = tiles.find({level, index});
    if (it == tiles.end()) return absl::NotFoundError("no such tile");
    return it->second;
  }
  void Put(const std::vector<FullTile>& completed) {
    for (const FullTile& tile : completed) tiles[{tile.level, tile.index}] = tile.hashes;
  }

  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> tiles;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_MEMORY_TREES_H_
