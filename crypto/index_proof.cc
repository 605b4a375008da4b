#include "crypto/index_proof.h"

#include <cstdint>
#include <span>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/index_upper.h"

namespace custody {
namespace {

absl::StatusOr<std::vector<IndexLeaf>> LeavesOf(const IndexSnapshot& snapshot, std::uint16_t bucket,
                                                const IndexLeafStore& store) {
  std::vector<IndexLeaf> leaves;
  bool in_order = true;
  CUSTODY_RETURN_IF_ERROR(store.ScanBucket(bucket, [&](const Digest& key, const IndexValue& value) {
    in_order =
        in_order && IndexBucketOf(key) == bucket && (leaves.empty() || leaves.back().key < key);
    leaves.push_back({key, value});
  }));
  // A proof that would not verify must not leave the house.
  if (!in_order || IndexSubtreeRoot(leaves, kIndexBucketBits) != snapshot.Bucket(bucket).root) {
    return absl::DataLossError(
        absl::StrFormat("leaves of index bucket %d do not give its root", bucket));
  }
  return leaves;
}

// The bucket of the only leaf below `node`, which stands at `depth` with the path `prefix`.
std::uint16_t OnlyBucket(const IndexUpper* node, std::uint32_t depth, std::uint16_t prefix) {
  for (; depth < kIndexBucketBits; ++depth) {
    const bool right = node->left == nullptr;
    prefix = static_cast<std::uint16_t>(prefix << 1 | (right ? 1 : 0));
    node = (right ? node->right : node->left).get();
  }
  return prefix;
}

// The rest of the path inside a bucket.
void DescendBucket(std::span<const IndexLeaf> leaves, const Digest& key, IndexProof* proof) {
  for (std::uint32_t depth = kIndexBucketBits; leaves.size() > 1; ++depth) {
    const std::size_t split = IndexSplit(leaves, depth);
    const bool right = IndexKeyBit(key, depth);
    proof->siblings.push_back(
        IndexSubtreeRoot(right ? leaves.first(split) : leaves.subspan(split), depth + 1));
    leaves = right ? leaves.subspan(split) : leaves.first(split);
  }
  if (!leaves.empty()) {
    proof->leaf = leaves.front();
  }
}

// Whether both keys go the same way down to `depth`.
bool SamePath(const Digest& a, const Digest& b, std::size_t depth) {
  for (std::uint32_t i = 0; i < depth; ++i) {
    if (IndexKeyBit(a, i) != IndexKeyBit(b, i)) {
      return false;
    }
  }
  return true;
}

absl::Status CheckForm(const Digest& key, const IndexProof& proof) {
  if (proof.siblings.size() > kIndexDepthMax) {
    return absl::InvalidArgumentError(absl::StrFormat("index proof has %d hashes, want at most %d",
                                                      proof.siblings.size(), kIndexDepthMax));
  }
  // A node with one leaf below it is that leaf: the path would have ended one step earlier.
  if (!proof.siblings.empty() && proof.leaf.has_value() && proof.siblings.back() == Digest()) {
    return absl::InvalidArgumentError("index proof goes on below a lone leaf");
  }
  if (!proof.siblings.empty() && !proof.leaf.has_value() && proof.siblings.back() == Digest()) {
    return absl::InvalidArgumentError("index proof goes on below an empty subtree");
  }
  if (proof.leaf.has_value() && !SamePath(proof.leaf->key, key, proof.siblings.size())) {
    return absl::InvalidArgumentError("leaf of the index proof is not on the path of the key");
  }
  if (proof.leaf.has_value() && proof.leaf->value.event_count == 0) {
    return absl::InvalidArgumentError("leaf of the index proof counts no event");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IndexProof> ProveIndexKey(const IndexSnapshot& snapshot, const Digest& key,
                                         const IndexLeafStore& store) {
  IndexProof proof;
  const IndexUpper* node = IndexUpper::Top(snapshot).get();
  std::uint32_t depth = 0;
  std::uint16_t prefix = 0;
  while (node != nullptr && node->leaf_count > 1 && depth < kIndexBucketBits) {
    const bool right = IndexKeyBit(key, depth);
    proof.siblings.push_back(HashOf(right ? node->left : node->right));
    node = (right ? node->right : node->left).get();
    prefix = static_cast<std::uint16_t>(prefix << 1 | (right ? 1 : 0));
    ++depth;
  }
  if (node == nullptr) {
    return proof;
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<IndexLeaf> leaves,
                           LeavesOf(snapshot, OnlyBucket(node, depth, prefix), store));
  DescendBucket(leaves, key, &proof);
  return proof;
}

absl::StatusOr<std::optional<IndexValue>> VerifyIndexProof(const Digest& root, const Digest& key,
                                                           const IndexProof& proof) {
  CUSTODY_RETURN_IF_ERROR(CheckForm(key, proof));
  Digest hash = proof.leaf.has_value() ? IndexLeafHash(*proof.leaf) : Digest();
  for (std::size_t depth = proof.siblings.size(); depth-- > 0;) {
    const Digest& sibling = proof.siblings[depth];
    hash = IndexKeyBit(key, static_cast<std::uint32_t>(depth)) ? IndexNodeHash(sibling, hash)
                                                               : IndexNodeHash(hash, sibling);
  }
  if (hash != root) {
    return absl::UnauthenticatedError(
        absl::StrFormat("index proof leads to root %s, want %s", hash.ToHex(), root.ToHex()));
  }
  if (proof.leaf.has_value() && proof.leaf->key == key) {
    return std::optional<IndexValue>(proof.leaf->value);
  }
  return std::optional<IndexValue>();
}

}  // namespace custody
