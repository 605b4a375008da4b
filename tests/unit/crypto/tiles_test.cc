#include "crypto/tiles.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/memory_trees.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

Digest Leaf(std::uint64_t index) { return LeafHash(std::to_string(index)); }

TEST(TilePathTest, WritesNumbersInGroupsOfThree) {
  const struct {
    TileCoordinate tile;
    const char* path;
  } cases[] = {{{0, 0, 256}, "tile/0/000"},
               {{0, 999, 256}, "tile/0/999"},
               {{1, 1000, 256}, "tile/1/x001/000"},
               {{0, 1234067, 256}, "tile/0/x001/x234/067"},
               {{2, 0, 1}, "tile/2/000.p/1"},
               {{7, 1234067, 255}, "tile/7/x001/x234/067.p/255"},
               {{0, std::numeric_limits<std::uint64_t>::max(), 256},
                "tile/0/x018/x446/x744/x073/x709/x551/615"}};
  for (const auto& c : cases) {
    EXPECT_EQ(TilePath(c.tile), c.path);
    ASSERT_OK_AND_ASSIGN(const TileCoordinate tile, ParseTilePath(c.path));
    EXPECT_EQ(tile, c.tile);
  }
  EXPECT_EQ(EntryBundlePath({0, 1, 44}), "tile/entries/001.p/44");
  ASSERT_OK_AND_ASSIGN(const TileCoordinate bundle, ParseEntryBundlePath("tile/entries/x001/000"));
  EXPECT_EQ(bundle, (TileCoordinate{0, 1000, 256}));
}

TEST(TilePathTest, RefusesEveryOtherSpelling) {
  for (const char* path :
       {"",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1000",
        "tile/00/000",
        "tile/8/000",
        "tile/63/000",
        "tile/64/000",
        "tile/18446744073709551616/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/x001/00",
        "tile/0/x001//000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/ 00",
        "tile/0/x00/0000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/entries/000",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999"}) {
    EXPECT_THAT(ParseTilePath(path), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")))
        << path;
  }
  EXPECT_THAT(ParseEntryBundlePath("tile/0/000"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("path")));
}

// The worked example of the specification.
TEST(TileGeometryTest, CutsSeventyThousandLeavesAsTheSpecificationSays) {
  EXPECT_EQ(FullTileCount(0, 70000), 273U);
  EXPECT_EQ(PartialTileWidth(0, 70000), 112U);
  EXPECT_EQ(FullTileCount(1, 70000), 1U);
  EXPECT_EQ(PartialTileWidth(1, 70000), 17U);
  EXPECT_EQ(FullTileCount(2, 70000), 0U);
  EXPECT_EQ(PartialTileWidth(2, 70000), 1U);
  EXPECT_EQ(TilesForSize(70000).size(), 273U + 1 + 1 + 1 + 1);
  EXPECT_EQ(TilesForSize(256), (std::vector<TileCoordinate>{{0, 0, 256}, {1, 0, 1}}));
  EXPECT_TRUE(TilesForSize(0).empty());
  EXPECT_EQ(FullTileCount(7, std::numeric_limits<std::uint64_t>::max()), 0U);
  EXPECT_EQ(FullTileCount(64, std::numeric_limits<std::uint64_t>::max()), 0U);
}

// One tree of 70,000 leaves, built once.
class TileTreeTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSize = 70000;
  static void SetUpTestSuite() {
    tiles = new MemoryTileSource;
    tree = new TileTree;
    std::vector<FullTile> completed;
    for (std::uint64_t i = 0; i < kSize; ++i) tree->Append(Leaf(i), &completed);
    tiles->Put(completed);
  }
  static void TearDownTestSuite() {
    delete tree;
    delete tiles;
  }
  static MemoryTileSource* tiles;
  static TileTree* tree;
};
MemoryTileSource* TileTreeTest::tiles = nullptr;
TileTree* TileTreeTest::tree = nullptr;

TEST_F(TileTreeTest, GivesOutEachFullTileOnce) {
  EXPECT_EQ(tiles->tiles.size(), 274U);
  for (const auto& [key, hashes] : tiles->tiles) EXPECT_EQ(hashes.size(), kTileSizeBytes);
  // A hash of level 1 is the root of 256 leaves.
  CompactRange range;
  for (std::uint64_t i = 256 * 5; i < 256 * 6; ++i) range.Append(Leaf(i));
  EXPECT_EQ(tiles->tiles.at({1, 0}).substr(5 * 32, 32), range.Root().view());
}

TEST_F(TileTreeTest, ProvesLeavesAndOlderSizes) {
  const TileNodeReader nodes(*tiles, tree->Snapshot());
  for (const std::uint64_t size : {1U, 255U, 256U, 257U, 65536U, 65537U, 69999U, 70000U}) {
    ASSERT_OK_AND_ASSIGN(const Digest root, TreeRoot(size, nodes));
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      ASSERT_OK_AND_ASSIGN(const std::vector<Digest> proof, InclusionProof(index, size, nodes));
      EXPECT_OK(VerifyInclusion(index, size, Leaf(index), proof, root));
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<Digest> proof, ConsistencyProof(size, kSize, nodes));
    EXPECT_OK(VerifyConsistency(size, kSize, proof, root, tree->Root()));
  }
  EXPECT_THAT(InclusionProof(0, kSize + 1, nodes),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("70000")));
  EXPECT_THAT(nodes.Node(64, 0), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("")));
}

TEST_F(TileTreeTest, RestoresFromFullTilesAndTheLastLeaves) {
  std::uint64_t leaves_read = 0;
  const auto leaf_hash = [&](std::uint64_t index) -> absl::StatusOr<Digest> {
    ++leaves_read;
    return Leaf(index);
  };
  ASSERT_OK_AND_ASSIGN(TileTree restored, TileTree::Restore(kSize, *tiles, leaf_hash));
  EXPECT_EQ(leaves_read, 112U);
  EXPECT_EQ(restored.size(), kSize);
  EXPECT_EQ(restored.Root(), tree->Root());
  EXPECT_EQ(restored.Snapshot()->partial, tree->Snapshot()->partial);
  // It goes on as if it had never stopped.
  TileTree original = *tree;
  std::vector<FullTile> a;
  std::vector<FullTile> b;
  for (std::uint64_t i = kSize; i < kSize + 300; ++i) {
    original.Append(Leaf(i), &a);
    restored.Append(Leaf(i), &b);
  }
  EXPECT_EQ(original.Root(), restored.Root());
  ASSERT_EQ(a.size(), 1U);
  ASSERT_EQ(b.size(), 1U);
  EXPECT_EQ(a[0].index, 273U);
  EXPECT_EQ(a[0].hashes, b[0].hashes);
}

TEST_F(TileTreeTest, GoesOnFromItsPartialTiles) {
  const std::shared_ptr<const TileEdge> edge = tree->Snapshot();
  ASSERT_OK_AND_ASSIGN(TileTree restored, TileTree::FromPartialTiles(kSize, edge->partial));
  EXPECT_EQ(restored.size(), kSize);
  EXPECT_EQ(restored.Root(), tree->Root());
  TileTree original = *tree;
  std::vector<FullTile> completed;
  for (std::uint64_t i = kSize; i < kSize + 300; ++i) {
    original.Append(Leaf(i), &completed);
    restored.Append(Leaf(i), &completed);
  }
  EXPECT_EQ(original.Root(), restored.Root());
}

// Every hash of them is below the root, and none may be missing or too many.
TEST_F(TileTreeTest, FalsePartialTilesGiveAnotherRootOrNone) {
  const std::shared_ptr<const TileEdge> edge = tree->Snapshot();
  for (std::size_t level = 0; level < kTileLevels; ++level) {
    for (std::size_t place = 0; place < edge->partial[level].size(); place += 16) {
      auto changed = edge->partial;
      changed[level][place] = static_cast<char>(changed[level][place] ^ 1);
      ASSERT_OK_AND_ASSIGN(const TileTree other, TileTree::FromPartialTiles(kSize, changed));
      EXPECT_NE(other.Root(), tree->Root()) << level << " " << place;
    }
    auto longer = edge->partial;
    longer[level].append(Digest::kSizeBytes, 'x');
    EXPECT_THAT(TileTree::FromPartialTiles(kSize, longer),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("partial tile of level")));
  }
}

TEST_F(TileTreeTest, SnapshotsDoNotChange) {
  TileTree copy = *tree;
  const std::shared_ptr<const TileEdge> before = copy.Snapshot();
  EXPECT_EQ(before, copy.Snapshot());
  std::vector<FullTile> completed;
  copy.Append(Leaf(kSize), &completed);
  EXPECT_EQ(before->size, kSize);
  EXPECT_EQ(before->root, tree->Root());
  EXPECT_EQ(copy.Snapshot()->size, kSize + 1);
}

TEST_F(TileTreeTest, ServesTilesOfEveryWidthThatItHas) {
  const TileNodeReader nodes(*tiles, tree->Snapshot());
  ASSERT_OK_AND_ASSIGN(const std::string partial, nodes.ReadTile({0, 273, 112}));
  EXPECT_EQ(partial.size(), 112U * 32);
  ASSERT_OK_AND_ASSIGN(const std::string prefix, nodes.ReadTile({0, 273, 5}));
  EXPECT_EQ(prefix, partial.substr(0, 5 * 32));
  ASSERT_OK_AND_ASSIGN(const std::string of_full, nodes.ReadTile({0, 0, 7}));
  EXPECT_EQ(of_full.substr(0, 32), Leaf(0).view());
  for (const TileCoordinate& tile :
       {TileCoordinate{0, 273, 113}, TileCoordinate{0, 273, 256}, TileCoordinate{0, 274, 1},
        TileCoordinate{3, 0, 1}, TileCoordinate{9, 0, 1}, TileCoordinate{0, 0, 0}}) {
    EXPECT_THAT(nodes.ReadTile(tile), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("tile")));
  }
}

TEST_F(TileTreeTest, ReportsMissingAndDamagedTiles) {
  const auto leaf_hash = [](std::uint64_t index) -> absl::StatusOr<Digest> { return Leaf(index); };
  MemoryTileSource damaged = *tiles;
  damaged.tiles[{0, 256}].pop_back();
  EXPECT_THAT(TileTree::Restore(kSize, damaged, leaf_hash),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("8191")));
  damaged.tiles.erase({0, 256});
  EXPECT_THAT(TileTree::Restore(kSize, damaged, leaf_hash),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("tile")));
  // A changed hash is seen in the root.
  damaged = *tiles;
  damaged.tiles[{0, 256}][100] = static_cast<char>(damaged.tiles[{0, 256}][100] ^ 1);
  ASSERT_OK_AND_ASSIGN(const TileTree other, TileTree::Restore(kSize, damaged, leaf_hash));
  EXPECT_NE(other.Root(), tree->Root());
}

}  // namespace
}  // namespace custody
