#include "client/verify/range_roots.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {

absl::Status RangeRoots::ReadNodes() {
  constexpr std::uint32_t kLevelMax = 62;
  for (const v1::TreeNode& node : contents_.bundle.nodes()) {
    if (node.level() > kLevelMax) {
      return absl::InvalidArgumentError(absl::StrFormat("a node of level %d", node.level()));
    }
    CUSTODY_ASSIGN_OR_RETURN(const Digest hash, Digest::FromBytes(node.hash()));
    if (!nodes_.emplace(NodeName(node.level(), node.index()), hash).second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("node %d of level %d stands twice", node.index(), node.level()));
    }
  }
  return absl::OkStatus();
}

bool RangeRoots::HasEntry(std::uint64_t begin, std::uint64_t end) const {
  const auto first =
      std::lower_bound(contents_.leaves.begin(), contents_.leaves.end(), begin,
                       [](const BundleLeaf& leaf, std::uint64_t i) { return leaf.index < i; });
  return first != contents_.leaves.end() && first->index < end;
}

absl::StatusOr<Digest> RangeRoots::Root(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t count = end - begin;
  const bool has_entry = HasEntry(begin, end);
  if (count == 1 && has_entry) {
    return contents_.Find(begin)->leaf_hash;
  }
  if (std::has_single_bit(count) && !has_entry) {
    const auto level = static_cast<std::uint32_t>(std::countr_zero(count));
    const auto found = nodes_.find(NodeName(level, begin >> level));
    if (found == nodes_.end()) {
      return absl::NotFoundError(absl::StrFormat(
          "the bundle lacks node %d of level %d, which the root needs", begin >> level, level));
    }
    return found->second;
  }
  const std::uint64_t split = begin + std::bit_floor(count - 1);
  CUSTODY_ASSIGN_OR_RETURN(const Digest left, Root(begin, split));
  CUSTODY_ASSIGN_OR_RETURN(const Digest right, Root(split, end));
  return NodeHash(left, right);
}

}  // namespace custody
