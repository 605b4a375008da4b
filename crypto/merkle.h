// The Merkle tree of RFC 6962: hashes, an appendable root, proofs and their verification.
//
//   root(5)           leaf = SHA-256(0x00 || entry)
//    |      \         node = SHA-256(0x01 || left || right)
//   n02      l4       A tree of n > 1 leaves splits at the largest power of two below n.
//    | \              Level 0 are leaf hashes; node (level, index) covers the leaves
//   n10 n11           [index * 2^level, (index + 1) * 2^level).
//
// Verification compares the length of a proof with the only right one before it hashes anything.
//
// Threads: pure functions; CompactRange belongs to one thread at a time.
// Limits:  sizes up to 2^63; a proof has at most 63 (inclusion) or 64 (consistency) hashes.

#ifndef CUSTODY_CRYPTO_MERKLE_H_
#define CUSTODY_CRYPTO_MERKLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

inline constexpr std::uint64_t kTreeSizeMax = std::uint64_t{1} << 63;

// SHA-256 of nothing.
Digest EmptyRoot();
Digest LeafHash(std::string_view entry);
Digest NodeHash(const Digest& left, const Digest& right);

// The root of a growing tree in O(log n) state: the hashes of the complete subtrees, largest first.
class CompactRange {
 public:
  CompactRange() = default;

  // Goes on from a stored state: one hash per set bit of `size`, largest subtree first.
  // Errors: kInvalidArgument if the number of hashes is wrong or size > kTreeSizeMax.
  static absl::StatusOr<CompactRange> FromSizeAndHashes(std::uint64_t size,
                                                        std::span<const Digest> hashes);

  void Append(const Digest& leaf_hash);

  std::uint64_t size() const { return size_; }
  const std::vector<Digest>& hashes() const { return hashes_; }

  // EmptyRoot() for size 0. At most 63 hashes of work.
  Digest Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> hashes_;
};

// The root over leaf hashes that are all at hand. O(n).
Digest MerkleRoot(std::span<const Digest> leaf_hashes);

// The proof for leaf `index` over leaf hashes that are all at hand (batch statements). O(n).
// Errors: kOutOfRange if index >= leaf_hashes.size().
absl::StatusOr<std::vector<Digest>> InclusionProofFromLeaves(std::uint64_t index,
                                                             std::span<const Digest> leaf_hashes);

// The proofs of all leaves at once: n log n hashes to copy, n to compute.
struct InclusionProofs {
  Digest root;
  std::vector<std::vector<Digest>> paths;
};
InclusionProofs AllInclusionProofs(std::span<const Digest> leaf_hashes);

// The number of hashes of an inclusion proof.
//   inner    those below the point where the path joins the right border of the tree
//   border   those on the border, all left siblings
struct InclusionProofShape {
  std::size_t inner = 0;
  std::size_t border = 0;
  std::size_t size() const { return inner + border; }
};
// Requires index < size.
InclusionProofShape ShapeOfInclusionProof(std::uint64_t index, std::uint64_t size);

// The root that the proof leads to, leaf's sibling first in `proof`.
// Errors: kInvalidArgument if index >= size or the proof has the wrong length.
absl::StatusOr<Digest> RootFromInclusion(std::uint64_t index, std::uint64_t size,
                                         const Digest& leaf_hash, std::span<const Digest> proof);

// OK if `leaf_hash` is leaf `index` of the tree of `size` leaves with this root.
// Errors: kInvalidArgument as RootFromInclusion; kUnauthenticated if the root differs.
absl::Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf_hash,
                             std::span<const Digest> proof, const Digest& root);

// OK if the tree of `size2` leaves begins with the tree of `size1` leaves. Equal sizes want an
// empty proof and equal roots; size1 = 0 proves nothing and is an error (as in RFC 9162).
// Errors: kInvalidArgument if 0 < size1 <= size2 fails or the proof has the wrong length;
//         kUnauthenticated if either root differs.
absl::Status VerifyConsistency(std::uint64_t size1, std::uint64_t size2,
                               std::span<const Digest> proof, const Digest& root1,
                               const Digest& root2);

// Where proofs get their hashes from: complete subtrees only.
class NodeReader {
 public:
  virtual ~NodeReader() = default;

  // The root of the leaves [index * 2^level, (index + 1) * 2^level).
  // Errors: the reader's; kOutOfRange if the tree does not hold all these leaves.
  virtual absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const = 0;
};

// Errors: kOutOfRange if index >= size; else the reader's.
absl::StatusOr<std::vector<Digest>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                                   const NodeReader& nodes);
// Errors: kOutOfRange if size1 is 0 or beyond size2; else the reader's.
absl::StatusOr<std::vector<Digest>> ConsistencyProof(std::uint64_t size1, std::uint64_t size2,
                                                     const NodeReader& nodes);
// The root of the first `size` leaves. Errors: the reader's.
absl::StatusOr<Digest> TreeRoot(std::uint64_t size, const NodeReader& nodes);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_MERKLE_H_
