// The part of the subject index that is held in memory: nodes from the root (depth 0) down to the
// buckets (depth 16). Private to crypto/.
//
// Nodes are immutable and shared between snapshots: an update copies the paths that it changes.

#ifndef CUSTODY_CRYPTO_INDEX_UPPER_H_
#define CUSTODY_CRYPTO_INDEX_UPPER_H_

#include <cstdint>
#include <memory>

#include "crypto/index_tree.h"

namespace custody {

// A subtree with at least one leaf; an empty one is a null pointer.
struct IndexUpper {
  std::uint64_t leaf_count = 0;
  Digest hash;
  std::shared_ptr<const IndexUpper> left;  // Both null at depth 16.
  std::shared_ptr<const IndexUpper> right;

  static const std::shared_ptr<const IndexUpper>& Top(const IndexSnapshot& snapshot) {
    return snapshot.top_;
  }
};

// Zero bytes for an empty subtree.
inline Digest HashOf(const std::shared_ptr<const IndexUpper>& node) {
  return node == nullptr ? Digest() : node->hash;
}

}  // namespace custody

#endif  // CUSTODY_CRYPTO_INDEX_UPPER_H_
