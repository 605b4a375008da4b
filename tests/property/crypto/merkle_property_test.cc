// Every proof up to a size, against the recursive definition of RFC 6962.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "tests/support/memory_trees.h"
#include "tests/support/reference_merkle.h"

namespace custody {
namespace {

constexpr std::size_t kSizeMax = 300;

std::vector<std::string> Strings(const std::vector<Digest>& digests) {
  std::vector<std::string> strings;
  for (const Digest& digest : digests) strings.emplace_back(digest.view());
  return strings;
}

// One bit of one hash of the proof, chosen by `seed`.
std::vector<Digest> WithOneBitChanged(const std::vector<Digest>& proof, std::size_t seed) {
  std::vector<Digest> changed = proof;
  Digest& target = changed[seed % changed.size()];
  std::string bytes(target.view());
  bytes[seed / 7 % 32] = static_cast<char>(bytes[seed / 7 % 32] ^ (1 << seed / 3 % 8));
  target = *Digest::FromBytes(bytes);
  return changed;
}

// A tree of kSizeMax leaves, kept as the daemon keeps it: full tiles and an edge.
class MerklePropertyTest : public testing::Test {
 protected:
  MerklePropertyTest() {
    std::vector<FullTile> completed;
    TileTree tree;
    for (std::size_t i = 0; i < kSizeMax; ++i) {
      const std::string entry = "entry " + std::to_string(i);
      leaves_.push_back(ReferenceLeafHash(entry));
      tree.Append(LeafHash(entry), &completed);
      roots_.push_back(tree.Root());
    }
    reference_ = std::make_unique<ReferenceTree>(leaves_);
    tiles_.Put(completed);
    edge_ = tree.Snapshot();
  }
  Digest Leaf(std::size_t index) const { return *Digest::FromBytes(leaves_[index]); }

  std::vector<std::string> leaves_;
  std::unique_ptr<ReferenceTree> reference_;
  std::vector<Digest> roots_;  // roots_[n - 1] is the root of n leaves.
  MemoryTileSource tiles_;
  std::shared_ptr<const TileEdge> edge_;
};

TEST_F(MerklePropertyTest, RootsEqualTheDefinition) {
  const TileNodeReader nodes(tiles_, edge_);
  for (std::size_t size = 1; size <= kSizeMax; ++size) {
    const std::string want = reference_->Root(size);
    ASSERT_EQ(roots_[size - 1].view(), want) << size;
    const absl::StatusOr<Digest> root = TreeRoot(size, nodes);
    ASSERT_TRUE(root.ok());
    ASSERT_EQ(root->view(), want) << size;
  }
}

TEST_F(MerklePropertyTest, InclusionProofsEqualTheDefinitionAndNoOtherIsAccepted) {
  const TileNodeReader nodes(tiles_, edge_);
  for (std::size_t size = 1; size <= kSizeMax; ++size) {
    for (std::size_t index = 0; index < size; ++index) {
      const absl::StatusOr<std::vector<Digest>> proof = InclusionProof(index, size, nodes);
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_EQ(Strings(*proof), reference_->InclusionProof(index, size));
      const Digest root = roots_[size - 1];
      ASSERT_TRUE(VerifyInclusion(index, size, Leaf(index), *proof, root).ok());
      ASSERT_FALSE(VerifyInclusion(index + 1, size, Leaf(index), *proof, root).ok());
      ASSERT_FALSE(VerifyInclusion(index, size, Leaf((index + 1) % kSizeMax), *proof, root).ok());
      if (proof->empty()) continue;
      const std::vector<Digest> changed = WithOneBitChanged(*proof, index * 31 + size);
      ASSERT_FALSE(VerifyInclusion(index, size, Leaf(index), changed, root).ok());
    }
  }
}

TEST_F(MerklePropertyTest, ConsistencyProofsEqualTheDefinitionAndNoOtherIsAccepted) {
  const TileNodeReader nodes(tiles_, edge_);
  for (std::size_t size2 = 1; size2 <= kSizeMax; ++size2) {
    for (std::size_t size1 = 1; size1 <= size2; ++size1) {
      const absl::StatusOr<std::vector<Digest>> proof = ConsistencyProof(size1, size2, nodes);
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_EQ(Strings(*proof), reference_->ConsistencyProof(size1, size2));
      const Digest root1 = roots_[size1 - 1];
      const Digest root2 = roots_[size2 - 1];
      ASSERT_TRUE(VerifyConsistency(size1, size2, *proof, root1, root2).ok());
      const Digest other = Sha256("another history");
      ASSERT_FALSE(VerifyConsistency(size1, size2, *proof, other, root2).ok());
      ASSERT_FALSE(VerifyConsistency(size1, size2, *proof, root1, other).ok());
      if (proof->empty()) continue;
      const std::vector<Digest> changed = WithOneBitChanged(*proof, size1 * 31 + size2);
      ASSERT_FALSE(VerifyConsistency(size1, size2, changed, root1, root2).ok());
    }
  }
}

// The shape is a promise about lengths; the definition says what they are.
RC_GTEST_PROP(InclusionShapeProperty, IsAtMostTheDepthAndCountsTheBorder, ()) {
  const auto size = *rc::gen::inRange<std::uint64_t>(1, kTreeSizeMax);
  const auto index = *rc::gen::inRange<std::uint64_t>(0, size);
  const InclusionProofShape shape = ShapeOfInclusionProof(index, size);
  RC_ASSERT(shape.size() <= 63U);
  std::size_t steps = 0;
  std::uint64_t at = index;
  std::uint64_t last = size - 1;
  while (last > 0) {  // RFC 9162, section 2.1.3.2.
    if ((at & 1) == 1 || at != last) ++steps;
    at >>= 1;
    last >>= 1;
  }
  RC_ASSERT(steps == shape.size());
}

RC_GTEST_PROP(TilePathProperty, EveryCoordinateHasOnePath, (std::uint64_t index)) {
  const TileCoordinate tile{.level = *rc::gen::inRange<std::uint32_t>(0, kTileLevels),
                            .index = index,
                            .width = *rc::gen::inRange<std::uint32_t>(1, kTileWidth + 1)};
  const absl::StatusOr<TileCoordinate> back = ParseTilePath(TilePath(tile));
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == tile);
}

}  // namespace
}  // namespace custody
