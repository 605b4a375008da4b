// Construction of proofs: the recursions of RFC 6962 section 2.1, walked from the root down as
// loops. Every subtree that they name splits into complete subtrees, which the reader provides.

#include <algorithm>
#include <bit>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

// The largest power of two strictly below count. Requires count > 1.
std::uint64_t Split(std::uint64_t count) { return std::bit_floor(count - 1); }

// The root of the leaves [begin, end). Requires that `begin` is a multiple of the power of two that
// is not below end - begin, as every subtree of a tree is.
absl::StatusOr<Digest> RangeRoot(std::uint64_t begin, std::uint64_t end, const NodeReader& nodes) {
  std::vector<Digest> parts;
  while (begin < end) {
    const auto level = static_cast<std::uint32_t>(std::bit_width(end - begin) - 1);
    CUSTODY_ASSIGN_OR_RETURN(const Digest part, nodes.Node(level, begin >> level));
    parts.push_back(part);
    begin += std::uint64_t{1} << level;
  }
  CUSTODY_CHECK(!parts.empty());
  Digest root = parts.back();
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    root = NodeHash(parts[i], root);
  }
  return root;
}

// Complete subtrees over leaf hashes in memory.
class SpanNodeReader : public NodeReader {
 public:
  explicit SpanNodeReader(std::span<const Digest> leaf_hashes) : leaf_hashes_(leaf_hashes) {}

  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override {
    const std::uint64_t width = std::uint64_t{1} << level;
    CUSTODY_CHECK((index + 1) * width <= leaf_hashes_.size());
    return MerkleRoot(leaf_hashes_.subspan(index * width, width));
  }

 private:
  std::span<const Digest> leaf_hashes_;
};

// The root over the leaves; each path grows by the sibling of its subtree, leaf side first.
Digest AddPaths(std::span<const Digest> leaf_hashes, std::span<std::vector<Digest>> paths) {
  if (leaf_hashes.size() == 1) return leaf_hashes.front();
  const std::size_t middle = std::bit_floor(leaf_hashes.size() - 1);
  const Digest left = AddPaths(leaf_hashes.first(middle), paths.first(middle));
  const Digest right = AddPaths(leaf_hashes.subspan(middle), paths.subspan(middle));
  for (std::vector<Digest>& path : paths.first(middle)) path.push_back(right);
  for (std::vector<Digest>& path : paths.subspan(middle)) path.push_back(left);
  return NodeHash(left, right);
}

}  // namespace

absl::StatusOr<std::vector<Digest>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                                   const NodeReader& nodes) {
  if (index >= size || size > kTreeSizeMax) {
    return absl::OutOfRangeError(
        absl::StrFormat("index %d is not in a tree of size %d", index, size));
  }
  std::vector<Digest> proof;
  proof.reserve(ShapeOfInclusionProof(index, size).size());
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + Split(end - begin);
    const bool left = index < middle;
    CUSTODY_ASSIGN_OR_RETURN(const Digest sibling, left ? RangeRoot(middle, end, nodes)
                                                        : RangeRoot(begin, middle, nodes));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

absl::StatusOr<std::vector<Digest>> ConsistencyProof(std::uint64_t size1, std::uint64_t size2,
                                                     const NodeReader& nodes) {
  if (size1 == 0 || size1 > size2 || size2 > kTreeSizeMax) {
    return absl::OutOfRangeError(
        absl::StrFormat("no consistency proof from size %d to size %d", size1, size2));
  }
  std::vector<Digest> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size2;
  // Until the subtree ends where the smaller tree ends.
  while (end != size1) {
    const std::uint64_t middle = begin + Split(end - begin);
    const bool left = size1 <= middle;
    CUSTODY_ASSIGN_OR_RETURN(const Digest sibling, left ? RangeRoot(middle, end, nodes)
                                                        : RangeRoot(begin, middle, nodes));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  // The verifier knows this subtree already when it is the whole smaller tree.
  if (begin != 0) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest seed, RangeRoot(begin, end, nodes));
    proof.push_back(seed);
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

absl::StatusOr<Digest> TreeRoot(std::uint64_t size, const NodeReader& nodes) {
  if (size == 0) {
    return EmptyRoot();
  }
  return RangeRoot(0, size, nodes);
}

InclusionProofs AllInclusionProofs(std::span<const Digest> leaf_hashes) {
  InclusionProofs proofs;
  proofs.paths.resize(leaf_hashes.size());
  proofs.root = leaf_hashes.empty() ? EmptyRoot() : AddPaths(leaf_hashes, proofs.paths);
  return proofs;
}

absl::StatusOr<std::vector<Digest>> InclusionProofFromLeaves(std::uint64_t index,
                                                             std::span<const Digest> leaf_hashes) {
  return InclusionProof(index, leaf_hashes.size(), SpanNodeReader(leaf_hashes));
}

}  // namespace custody
