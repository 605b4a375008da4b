// Proofs over the subject index: "this is the head of the subject's chain" or "there is no such
// subject", as of a root of the index.
//
// Threads: pure functions.
// Limits:  256 sibling hashes a proof.

#ifndef CUSTODY_CRYPTO_INDEX_PROOF_H_
#define CUSTODY_CRYPTO_INDEX_PROOF_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/index_tree.h"

namespace custody {

// The path of a key, as far as the tree goes.
struct IndexProof {
  // siblings[d] is the other child of the node at depth d on the path; root's child first.
  std::vector<Digest> siblings;
  // The leaf where the path ends; none if it ends in an empty slot. A leaf of another key proves
  // that the key is absent.
  std::optional<IndexLeaf> leaf;
};

// Requires `store` to hold the leaves as of `snapshot`.
// Errors: the store's; kDataLoss if the store contradicts the snapshot.
absl::StatusOr<IndexProof> ProveIndexKey(const IndexSnapshot& snapshot, const Digest& key,
                                         const IndexLeafStore& store);

// The value of `key` in the index with this root, or nullopt: the index does not hold it.
// Errors: kInvalidArgument if the proof has an impossible form (too long, a leaf off the path, a
// path that should have ended earlier); kUnauthenticated if it leads to another root.
absl::StatusOr<std::optional<IndexValue>> VerifyIndexProof(const Digest& root, const Digest& key,
                                                           const IndexProof& proof);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_INDEX_PROOF_H_
