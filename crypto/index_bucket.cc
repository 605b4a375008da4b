#include "crypto/index_bucket.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace custody {
namespace {

// How many bits the keys share from the first on; they differ.
std::uint32_t CommonBits(const Digest& a, const Digest& b) {
  std::uint32_t bytes = 0;
  while (a.bytes()[bytes] == b.bytes()[bytes]) ++bytes;
  const auto differ = static_cast<std::uint8_t>(a.bytes()[bytes] ^ b.bytes()[bytes]);
  return bytes * 8 + static_cast<std::uint32_t>(std::countl_zero(differ));
}

}  // namespace

IndexBucket::IndexBucket(std::vector<IndexLeaf> leaves)
    : leaves_(std::move(leaves)),
      leaf_hashes_(leaves_.size()),
      node_hashes_(leaves_.empty() ? 0 : leaves_.size() - 1) {}

void IndexBucket::Set(const IndexLeaf& leaf) {
  const auto place =
      std::lower_bound(leaves_.begin(), leaves_.end(), leaf,
                       [](const IndexLeaf& a, const IndexLeaf& b) { return a.key < b.key; });
  const auto number = static_cast<std::size_t>(place - leaves_.begin());
  if (place != leaves_.end() && place->key == leaf.key) {
    place->value = leaf.value;
    leaf_hashes_[number] = Digest();
  } else {
    leaves_.insert(place, leaf);
    leaf_hashes_.insert(leaf_hashes_.begin() + static_cast<std::ptrdiff_t>(number), Digest());
    // The nodes left and right of the new leaf are both above it, so both are forgotten below.
    if (leaves_.size() > 1) {
      const std::size_t node = std::min(number, node_hashes_.size());
      node_hashes_.insert(node_hashes_.begin() + static_cast<std::ptrdiff_t>(node), Digest());
    }
  }
  Forget(number);
}

Digest IndexBucket::Root() {
  return leaves_.empty() ? Digest() : SubtreeHash({0, leaves_.size()}, kIndexBucketBits);
}

std::uint32_t IndexBucket::PartingDepth(const Range& range) const {
  return CommonBits(leaves_[range.first].key, leaves_[range.end - 1].key);
}

std::size_t IndexBucket::Split(const Range& range, std::uint32_t depth) const {
  const std::span<const IndexLeaf> leaves(leaves_);
  return range.first + IndexSplit(leaves.subspan(range.first, range.end - range.first), depth);
}

void IndexBucket::Forget(std::size_t leaf) {
  Range range{0, leaves_.size()};
  while (range.end - range.first > 1) {
    const std::size_t split = Split(range, PartingDepth(range));
    node_hashes_[split - 1] = Digest();
    range = leaf < split ? Range{range.first, split} : Range{split, range.end};
  }
}

Digest IndexBucket::SubtreeHash(const Range& range, std::uint32_t depth) {
  if (range.end - range.first == 1) {
    Digest& known = leaf_hashes_[range.first];
    if (known == Digest()) known = IndexLeafHash(leaves_[range.first]);
    return known;
  }
  const std::uint32_t parting = PartingDepth(range);
  const std::size_t split = Split(range, parting);
  if (node_hashes_[split - 1] == Digest()) {
    const Digest left = SubtreeHash({range.first, split}, parting + 1);
    const Digest right = SubtreeHash({split, range.end}, parting + 1);
    node_hashes_[split - 1] = IndexNodeHash(left, right);
  }
  Digest hash = node_hashes_[split - 1];
  // Above the parting all leaves are on one side, down from `depth`.
  for (std::uint32_t above = parting; above > depth; --above) {
    hash = IndexKeyBit(leaves_[range.first].key, above - 1) ? IndexNodeHash(Digest(), hash)
                                                            : IndexNodeHash(hash, Digest());
  }
  return hash;
}

}  // namespace custody
