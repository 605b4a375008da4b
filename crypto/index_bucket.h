// The leaves of one bucket of the subject index in memory, with the hashes below its root: a leaf
// that changes costs the hashes on its own way up, not those of the whole bucket.
//
// Threads: none of its own; use from one at a time.

#ifndef CUSTODY_CRYPTO_INDEX_BUCKET_H_
#define CUSTODY_CRYPTO_INDEX_BUCKET_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/digest.h"
#include "crypto/index_leaf.h"

namespace custody {

class IndexBucket {
 public:
  IndexBucket() = default;
  // Keys ascending, all of one bucket, none twice.
  explicit IndexBucket(std::vector<IndexLeaf> leaves);

  // Sets the value of a key of this bucket, which may be new.
  void Set(const IndexLeaf& leaf);

  std::size_t leaf_count() const { return leaves_.size(); }
  // Equal to IndexSubtreeRoot() of the leaves; computes what the calls of Set() have made unknown.
  Digest Root();

 private:
  // The leaves with these numbers, first to end - 1; at least one.
  struct Range {
    std::size_t first = 0;
    std::size_t end = 0;
  };

  // The depth at which the keys of a range, two or more, part, and where those begin that go right.
  std::uint32_t PartingDepth(const Range& range) const;
  std::size_t Split(const Range& range, std::uint32_t depth) const;
  // Whatever is above this leaf has to be computed again.
  void Forget(std::size_t leaf);
  // Of the subtree at `depth` that holds the leaves of the range and no others.
  Digest SubtreeHash(const Range& range, std::uint32_t depth);

  std::vector<IndexLeaf> leaves_;
  // Zero bytes: not known. A node with leaves on both sides is named by the last leaf of its left
  // side: there is one such node between any two neighbours.
  std::vector<Digest> leaf_hashes_;
  std::vector<Digest> node_hashes_;
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_INDEX_BUCKET_H_
