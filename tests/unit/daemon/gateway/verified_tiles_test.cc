// What a lying daemon can have the gateway hand on: nothing.

#include "daemon/gateway/verified_tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

std::string EntryOf(std::uint64_t index) { return "entry " + std::to_string(index); }

// A daemon with a log of `size` entries; paths in `lies` are answered with a changed last byte.
class FakeDaemon {
 public:
  explicit FakeDaemon(std::uint64_t size) {
    std::vector<FullTile> full;
    for (std::uint64_t i = 0; i < size; ++i) tree_.Append(LeafHash(EntryOf(i)), &full);
    for (const FullTile& tile : full) {
      tiles_[TilePath({.level = tile.level, .index = tile.index})] = tile.hashes;
    }
    const auto edge = tree_.Snapshot();
    for (std::uint32_t level = 0; level < kTileLevels; ++level) {
      const std::uint32_t width = PartialTileWidth(level, size);
      if (width == 0) continue;
      tiles_[TilePath({level, FullTileCount(level, size), width})] = edge->partial[level];
    }
  }

  Checkpoint checkpoint() const { return {"a/b", tree_.size(), tree_.Root()}; }

  TileFetcher fetcher() {
    return [this](const std::vector<std::string>& paths,
                  std::uint64_t) -> absl::StatusOr<std::vector<std::string>> {
      std::vector<std::string> answers;
      for (const std::string& path : paths) {
        ++asked[path];
        std::string bytes = path.starts_with("tile/entries/") ? Bundle(path) : tiles_.at(path);
        if (path == lie) bytes.back() = static_cast<char>(bytes.back() ^ 1);
        if (path == cut) bytes.pop_back();
        answers.push_back(bytes);
      }
      return answers;
    };
  }

  std::map<std::string, int> asked;
  std::string lie;
  std::string cut;

 private:
  static std::string Bundle(const std::string& path) {
    const TileCoordinate bundle = *ParseEntryBundlePath(path);
    std::string bytes;
    for (std::uint32_t i = 0; i < bundle.width; ++i) {
      const std::string entry = EntryOf(bundle.index * kTileWidth + i);
      bytes += {'\0', static_cast<char>(entry.size())};
      bytes += entry;
    }
    return bytes;
  }

  TileTree tree_;
  std::map<std::string, std::string> tiles_;
};

// Two levels of full tiles: 256 * 256 + 300 leaves.
constexpr std::uint64_t kSize = 65'536 + 300;

class VerifiedTilesTest : public testing::Test {
 protected:
  VerifiedTiles Tiles() {
    const auto edge = FetchEdge(daemon_.checkpoint(), daemon_.fetcher());
    EXPECT_OK(edge);
    return VerifiedTiles(*edge, cache_, daemon_.fetcher());
  }

  FakeDaemon daemon_{kSize};
  TileCache cache_{1U << 20};
};

TEST_F(VerifiedTilesTest, HandsOnEveryTileOfTheLog) {
  const VerifiedTiles tiles = Tiles();
  for (const TileCoordinate& tile :
       {TileCoordinate{0, 0}, TileCoordinate{0, 256}, TileCoordinate{1, 0},
        TileCoordinate{0, 257, 44}, TileCoordinate{1, 1, 1}, TileCoordinate{2, 0, 1},
        TileCoordinate{0, 3, 9}}) {
    const auto hashes = tiles.ReadTile(tile);
    ASSERT_OK(hashes) << TilePath(tile);
    EXPECT_EQ(hashes->size(), tile.width * Digest::kSizeBytes);
  }
  EXPECT_OK(tiles.ReadBundle({0, 5}));
  EXPECT_OK(tiles.ReadBundle({0, 257, 44}));
}

TEST_F(VerifiedTilesTest, RefusesWhatTheTreeDoesNotHave) {
  const VerifiedTiles tiles = Tiles();
  for (const TileCoordinate& tile : {TileCoordinate{0, 257}, TileCoordinate{0, 257, 45},
                                     TileCoordinate{0, 258, 1}, TileCoordinate{3, 0, 1}}) {
    EXPECT_EQ(tiles.ReadTile(tile).status().code(), StatusCode::kOutOfRange) << TilePath(tile);
  }
  EXPECT_EQ(tiles.ReadBundle({0, 258, 1}).status().code(), StatusCode::kOutOfRange);
}

TEST_F(VerifiedTilesTest, AChangedTileIsNotHandedOn) {
  const auto edge = FetchEdge(daemon_.checkpoint(), daemon_.fetcher());
  ASSERT_OK(edge);
  const auto read = [&](TileCache* cache) {
    return VerifiedTiles(*edge, *cache, daemon_.fetcher()).ReadTile({0, 7});
  };
  for (const char* lie : {"tile/0/007", "tile/1/000"}) {
    TileCache cache{1U << 20};
    daemon_.lie = lie;
    EXPECT_THAT(read(&cache), StatusIs(StatusCode::kDataLoss, HasSubstr("not part of the log")))
        << lie;
    // Nothing of it was kept.
    daemon_.lie.clear();
    EXPECT_OK(read(&cache));
  }
  TileCache cache{1U << 20};
  daemon_.cut = "tile/0/007";
  EXPECT_EQ(read(&cache).status().code(), StatusCode::kDataLoss);
  daemon_.cut.clear();
  EXPECT_OK(read(&cache));
}

TEST_F(VerifiedTilesTest, AChangedBundleIsNotHandedOn) {
  for (const char* path : {"tile/entries/005", "tile/entries/257.p/44"}) {
    const TileCoordinate bundle = *ParseEntryBundlePath(path);
    daemon_.lie = path;
    EXPECT_EQ(Tiles().ReadBundle(bundle).status().code(), StatusCode::kDataLoss);
    daemon_.lie.clear();
    daemon_.cut = path;
    EXPECT_EQ(Tiles().ReadBundle(bundle).status().code(), StatusCode::kDataLoss);
    daemon_.cut.clear();
    EXPECT_OK(Tiles().ReadBundle(bundle));
  }
}

TEST_F(VerifiedTilesTest, AChangedEdgeIsNotBelieved) {
  for (const char* path : {"tile/0/257.p/44", "tile/1/001.p/1", "tile/2/000.p/1"}) {
    daemon_.lie = path;
    EXPECT_EQ(FetchEdge(daemon_.checkpoint(), daemon_.fetcher()).status().code(),
              StatusCode::kDataLoss)
        << path;
  }
}

TEST_F(VerifiedTilesTest, FullTilesAreAskedForOnceAndThenServedWithoutTheDaemon) {
  ASSERT_OK(Tiles().ReadTile({0, 7}));
  ASSERT_OK(Tiles().ReadTile({0, 7, 3}));
  EXPECT_EQ(daemon_.asked["tile/0/007"], 1);
  EXPECT_EQ(daemon_.asked["tile/1/000"], 1);
  const auto edge = FetchEdge(daemon_.checkpoint(), daemon_.fetcher());
  ASSERT_OK(edge);
  const VerifiedTiles alone(*edge, cache_, nullptr);
  EXPECT_OK(alone.ReadTile({0, 7}));
  EXPECT_EQ(alone.ReadTile({0, 8}).status().code(), StatusCode::kAborted);
}

TEST(TileCacheTest, TheLeastRecentlyAskedForGoesFirst) {
  TileCache cache(30);
  const auto ten = std::make_shared<const std::string>(10, 'x');
  for (const char* path : {"a", "b", "c"}) cache.Keep(path, ten);
  EXPECT_NE(cache.Find("a"), nullptr);
  cache.Keep("d", ten);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.numbers().bytes, 30U);
  cache.Keep("large", std::make_shared<const std::string>(31, 'x'));
  EXPECT_EQ(cache.Find("large"), nullptr);
  EXPECT_EQ(cache.numbers().pieces, 3U);
}

}  // namespace
}  // namespace custody
