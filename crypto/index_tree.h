// The subject index: a compact sparse Merkle tree from a subject to the head of its chain.
//
// The root depends on the set of (key, value) pairs and on nothing else: neither the order in which
// they came nor how they are cut into buckets.
//
// index_leaf.h says what is hashed.
//
// Only leaves and the roots of 65,536 buckets (top 16 bits of the key) are stored by the caller;
// the tree above the buckets is in memory, and so are the buckets that were touched lately.
//
// Threads: IndexTree belongs to one thread; an IndexSnapshot is immutable and may be read by all.

#ifndef CUSTODY_CRYPTO_INDEX_TREE_H_
#define CUSTODY_CRYPTO_INDEX_TREE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/index_bucket.h"
#include "crypto/index_leaf.h"

namespace custody {

// What a caller persists for a bucket.
struct IndexBucketRecord {
  std::uint16_t bucket = 0;
  std::uint64_t leaf_count = 0;
  Digest root;

  friend bool operator==(const IndexBucketRecord&, const IndexBucketRecord&) = default;
};

// The leaves as they are stored (a store view, a test's map).
class IndexLeafStore {
 public:
  virtual ~IndexLeafStore() = default;

  // Calls `visit` for every leaf of the bucket, keys ascending, newest value of each.
  // Errors: the store's.
  using Visitor = std::function<void(const Digest& key, const IndexValue& value)>;
  virtual absl::Status ScanBucket(std::uint16_t bucket, const Visitor& visit) const = 0;
};

struct IndexUpper;  // A node from the root down to a bucket; private to crypto/.

// The tree above the buckets at one moment. Copying it costs nothing.
class IndexSnapshot {
 public:
  // 32 zero bytes for the empty index.
  Digest Root() const;
  std::uint64_t leaf_count() const;
  // Count 0 and zero bytes for an empty bucket.
  IndexBucketRecord Bucket(std::uint16_t bucket) const;
  // All that are not empty, ascending.
  std::vector<IndexBucketRecord> Buckets() const;
  // The same with other records of some buckets (ascending, none twice): what an update made, taken
  // back. Requires records as Bucket() returns them.
  IndexSnapshot With(std::span<const IndexBucketRecord> records) const;

 private:
  friend class IndexTree;
  friend struct IndexUpper;
  std::shared_ptr<const IndexUpper> top_;  // Null: no leaves.
};

// What one Update() changed.
struct IndexUpdate {
  std::uint64_t sequence = 0;              // For MarkDurable(); 1, 2, 3 ...
  std::vector<IndexBucketRecord> buckets;  // The touched ones, ascending.
  Digest root;                             // After the update.
  std::uint64_t leaf_count = 0;            // After the update.
};

class IndexTree {
 public:
  // Leaves of buckets that were rebuilt lately are kept, up to this many (about 140 bytes each,
  // with their hashes), so that a subject that is touched again costs no read.
  static constexpr std::size_t kCachedLeavesMax = 1'000'000;

  IndexTree() = default;

  // The tree of stored bucket records, in any order. Uses a second thread while it runs if there
  // are many of them. Errors: kDataLoss if a bucket comes twice or a record contradicts itself.
  static absl::StatusOr<IndexTree> Load(std::span<const IndexBucketRecord> records);

  // Sets the values of the given keys (a key given twice takes the last), rebuilds the touched
  // buckets from the store plus all pending leaves, and returns what to persist with the leaves.
  // The leaves stay pending, and win over the store, until MarkDurable(): so a batch can be planned
  // while earlier ones are not yet in the store that `store` reads.
  //
  // Errors: the store's, kDataLoss if it holds a leaf in the wrong bucket or order, or
  // another number of leaves than the bucket's record says. After an error nothing has changed.
  absl::StatusOr<IndexUpdate> Update(std::span<const IndexLeaf> leaves,
                                     const IndexLeafStore& store);

  // Keeps at most this many leaves from now on; 0: none.
  void LimitCache(std::size_t leaves_max);

  // Everything up to this update is in the store that later Update() calls will read.
  void MarkDurable(std::uint64_t sequence);

  Digest Root() const { return top_.Root(); }
  std::uint64_t leaf_count() const { return top_.leaf_count(); }
  IndexSnapshot Snapshot() const { return top_; }

 private:
  struct Pending {
    IndexValue value;
    std::uint64_t sequence = 0;
  };
  // The leaves of a bucket as they are now, keys ascending: the store's under the pending ones.
  absl::StatusOr<std::vector<IndexLeaf>> BucketLeaves(std::uint16_t bucket,
                                                      const IndexLeafStore& store) const;
  // Has the leaves of the bucket in the cache, for as long as LimitCache() is not called.
  absl::Status Cache(std::uint16_t bucket, const IndexLeafStore& store);
  // Puts `touched` into a bucket that is in the cache.
  IndexBucketRecord ChangeBucket(std::span<const IndexLeaf> touched);

  IndexSnapshot top_;
  std::uint64_t sequence_ = 0;
  std::map<Digest, Pending> pending_;
  // As of the last update, pending leaves included.
  absl::flat_hash_map<std::uint16_t, IndexBucket> cached_;
  std::size_t cached_leaves_ = 0;
  std::size_t cached_leaves_max_ = kCachedLeavesMax;
  std::deque<std::pair<std::uint64_t, std::vector<Digest>>> pending_keys_;  // By update.
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_INDEX_TREE_H_
