#include "crypto/index_tree.h"

#include <algorithm>
#include <array>
#include <future>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/index_upper.h"

namespace custody {
namespace {

using UpperPtr = std::shared_ptr<const IndexUpper>;

bool KeyLess(const IndexLeaf& a, const IndexLeaf& b) { return a.key < b.key; }

bool BucketBit(std::uint16_t bucket, std::uint32_t depth) {
  return (bucket >> (kIndexBucketBits - 1 - depth) & 1) == 1;
}

UpperPtr BucketNode(const IndexBucketRecord& record) {
  if (record.leaf_count == 0) {
    return nullptr;
  }
  return std::make_shared<const IndexUpper>(IndexUpper{
      .leaf_count = record.leaf_count, .hash = record.root, .left = nullptr, .right = nullptr});
}

UpperPtr InnerNode(UpperPtr left, UpperPtr right) {
  const std::uint64_t count =
      (left == nullptr ? 0 : left->leaf_count) + (right == nullptr ? 0 : right->leaf_count);
  if (count == 0) {
    return nullptr;
  }
  // A subtree with one leaf is that leaf, at whatever depth.
  const Digest hash = count == 1 ? HashOf(left == nullptr ? right : left)
                                 : IndexNodeHash(HashOf(left), HashOf(right));
  return std::make_shared<const IndexUpper>(IndexUpper{
      .leaf_count = count, .hash = hash, .left = std::move(left), .right = std::move(right)});
}

// The subtree at `depth` with `records` (ascending, all below it) in place of the old buckets. Each
// node on the way is hashed once, however many buckets change below it.
UpperPtr Replace(const UpperPtr& old, std::uint32_t depth,
                 std::span<const IndexBucketRecord> records) {
  if (records.empty()) {
    return old;
  }
  if (depth == kIndexBucketBits) {
    CUSTODY_CHECK(records.size() == 1);
    return BucketNode(records.front());
  }
  const auto middle = std::partition_point(
      records.begin(), records.end(),
      [depth](const IndexBucketRecord& record) { return !BucketBit(record.bucket, depth); });
  const auto left_count = static_cast<std::size_t>(middle - records.begin());
  static const UpperPtr none;
  return InnerNode(
      Replace(old == nullptr ? none : old->left, depth + 1, records.first(left_count)),
      Replace(old == nullptr ? none : old->right, depth + 1, records.subspan(left_count)));
}

// Below it a second thread costs more than it saves.
constexpr std::size_t kLoadedAtOnceMax = 4'096;

// The tree of all records: its halves at the same time, since their hashing is most of a start.
UpperPtr LoadHalves(std::span<const IndexBucketRecord> records) {
  const auto middle = std::partition_point(
      records.begin(), records.end(),
      [](const IndexBucketRecord& record) { return !BucketBit(record.bucket, 0); });
  const auto left_count = static_cast<std::size_t>(middle - records.begin());
  std::future<UpperPtr> left = std::async(std::launch::async, [records, left_count] {
    return Replace(nullptr, 1, records.first(left_count));
  });
  const UpperPtr right = Replace(nullptr, 1, records.subspan(left_count));
  return InnerNode(left.get(), right);
}

// The buckets below a node; `prefix` has the bits that lead to it.
void AddBuckets(const UpperPtr& node, std::uint32_t depth, std::uint32_t prefix,
                std::vector<IndexBucketRecord>* buckets) {
  if (node == nullptr) return;
  if (depth == kIndexBucketBits) {
    buckets->push_back({static_cast<std::uint16_t>(prefix), node->leaf_count, node->hash});
    return;
  }
  AddBuckets(node->left, depth + 1, prefix << 1, buckets);
  AddBuckets(node->right, depth + 1, prefix << 1 | 1, buckets);
}

Digest FirstKeyOf(std::uint16_t bucket) {
  std::array<std::uint8_t, Digest::kSizeBytes> bytes{};
  bytes[0] = static_cast<std::uint8_t>(bucket >> 8);
  bytes[1] = static_cast<std::uint8_t>(bucket & 0xFF);
  return Digest(bytes);
}

// The union by key, both ascending; `newer` wins.
std::vector<IndexLeaf> Merge(std::span<const IndexLeaf> older, std::span<const IndexLeaf> newer) {
  std::vector<IndexLeaf> merged;
  merged.reserve(older.size() + newer.size());
  std::set_union(newer.begin(), newer.end(), older.begin(), older.end(), std::back_inserter(merged),
                 KeyLess);
  return merged;
}

absl::StatusOr<std::vector<IndexLeaf>> ScanLeaves(std::uint16_t bucket,
                                                  const IndexLeafStore& store) {
  std::vector<IndexLeaf> leaves;
  bool in_order = true;
  CUSTODY_RETURN_IF_ERROR(store.ScanBucket(bucket, [&](const Digest& key, const IndexValue& value) {
    in_order =
        in_order && IndexBucketOf(key) == bucket && (leaves.empty() || leaves.back().key < key);
    leaves.push_back({key, value});
  }));
  if (!in_order) {
    return absl::DataLossError(
        absl::StrFormat("index bucket %d holds a leaf out of place or order", bucket));
  }
  return leaves;
}

// Ascending keys, the last value given for each.
std::vector<IndexLeaf> SortedLast(std::span<const IndexLeaf> leaves) {
  std::vector<IndexLeaf> sorted(leaves.rbegin(), leaves.rend());
  std::stable_sort(sorted.begin(), sorted.end(), KeyLess);
  const auto same_key = [](const IndexLeaf& a, const IndexLeaf& b) { return a.key == b.key; };
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same_key), sorted.end());
  return sorted;
}

}  // namespace

Digest IndexSnapshot::Root() const { return HashOf(top_); }

std::uint64_t IndexSnapshot::leaf_count() const { return top_ == nullptr ? 0 : top_->leaf_count; }

IndexBucketRecord IndexSnapshot::Bucket(std::uint16_t bucket) const {
  const IndexUpper* node = top_.get();
  for (std::uint32_t depth = 0; node != nullptr && depth < kIndexBucketBits; ++depth) {
    node = (BucketBit(bucket, depth) ? node->right : node->left).get();
  }
  if (node == nullptr) {
    return {.bucket = bucket, .leaf_count = 0, .root = Digest()};
  }
  return {.bucket = bucket, .leaf_count = node->leaf_count, .root = node->hash};
}

std::vector<IndexBucketRecord> IndexSnapshot::Buckets() const {
  std::vector<IndexBucketRecord> buckets;
  AddBuckets(top_, 0, 0, &buckets);
  return buckets;
}

IndexSnapshot IndexSnapshot::With(std::span<const IndexBucketRecord> records) const {
  IndexSnapshot changed;
  changed.top_ = Replace(top_, 0, records);
  return changed;
}

absl::StatusOr<IndexTree> IndexTree::Load(std::span<const IndexBucketRecord> records) {
  std::vector<IndexBucketRecord> sorted(records.begin(), records.end());
  std::sort(
      sorted.begin(), sorted.end(),
      [](const IndexBucketRecord& a, const IndexBucketRecord& b) { return a.bucket < b.bucket; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i].bucket == sorted[i - 1].bucket) {
      return absl::DataLossError(
          absl::StrFormat("index bucket %d is recorded twice", sorted[i].bucket));
    }
    if ((sorted[i].leaf_count == 0) != (sorted[i].root == Digest())) {
      return absl::DataLossError(absl::StrFormat("index bucket %d has %d leaves and root %s",
                                                 sorted[i].bucket, sorted[i].leaf_count,
                                                 sorted[i].root.ToHex()));
    }
  }
  IndexTree tree;
  tree.top_.top_ =
      sorted.size() < kLoadedAtOnceMax ? Replace(nullptr, 0, sorted) : LoadHalves(sorted);
  return tree;
}

absl::StatusOr<std::vector<IndexLeaf>> IndexTree::BucketLeaves(std::uint16_t bucket,
                                                               const IndexLeafStore& store) const {
  const std::uint64_t want = top_.Bucket(bucket).leaf_count;
  std::vector<IndexLeaf> leaves;
  for (auto it = pending_.lower_bound(FirstKeyOf(bucket));
       it != pending_.end() && IndexBucketOf(it->first) == bucket; ++it) {
    leaves.push_back({it->first, it->second.value});
  }
  // Nothing to read when every leaf of the bucket is still pending, or there is none.
  if (leaves.size() < want) {
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<IndexLeaf> stored, ScanLeaves(bucket, store));
    leaves = Merge(stored, leaves);
  }
  if (leaves.size() != want) {
    return absl::DataLossError(absl::StrFormat("index bucket %d has %d leaves, its record says %d",
                                               bucket, leaves.size(), want));
  }
  return leaves;
}

absl::Status IndexTree::Cache(std::uint16_t bucket, const IndexLeafStore& store) {
  if (cached_.contains(bucket)) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(std::vector<IndexLeaf> leaves, BucketLeaves(bucket, store));
  cached_leaves_ += leaves.size();
  cached_.emplace(bucket, IndexBucket(std::move(leaves)));
  return absl::OkStatus();
}

IndexBucketRecord IndexTree::ChangeBucket(std::span<const IndexLeaf> touched) {
  const std::uint16_t bucket = IndexBucketOf(touched.front().key);
  IndexBucket& leaves = cached_.find(bucket)->second;
  cached_leaves_ -= leaves.leaf_count();
  for (const IndexLeaf& leaf : touched) leaves.Set(leaf);
  cached_leaves_ += leaves.leaf_count();
  return {.bucket = bucket, .leaf_count = leaves.leaf_count(), .root = leaves.Root()};
}

void IndexTree::LimitCache(std::size_t leaves_max) {
  cached_leaves_max_ = leaves_max;
  // The hash map's order is as good as any: subjects that are touched come back by themselves.
  while (cached_leaves_ > cached_leaves_max_) {
    const auto victim = cached_.begin();
    cached_leaves_ -= victim->second.leaf_count();
    cached_.erase(victim);
  }
}

absl::StatusOr<IndexUpdate> IndexTree::Update(std::span<const IndexLeaf> leaves,
                                              const IndexLeafStore& store) {
  const std::vector<IndexLeaf> sorted = SortedLast(leaves);
  std::vector<std::span<const IndexLeaf>> touched;  // By bucket.
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const std::uint16_t bucket = IndexBucketOf(begin->key);
    const auto end = std::find_if(begin, sorted.end(), [bucket](const IndexLeaf& leaf) {
      return IndexBucketOf(leaf.key) != bucket;
    });
    CUSTODY_RETURN_IF_ERROR(Cache(bucket, store));
    touched.emplace_back(begin, end);
    begin = end;
  }
  // From here on nothing can fail.
  IndexUpdate update;
  update.buckets.reserve(touched.size());
  for (const auto& bucket : touched) update.buckets.push_back(ChangeBucket(bucket));
  LimitCache(cached_leaves_max_);
  top_.top_ = Replace(top_.top_, 0, update.buckets);
  update.sequence = ++sequence_;
  std::vector<Digest> keys;
  for (const IndexLeaf& leaf : sorted) {
    pending_[leaf.key] = {.value = leaf.value, .sequence = sequence_};
    keys.push_back(leaf.key);
  }
  pending_keys_.emplace_back(sequence_, std::move(keys));
  update.root = Root();
  update.leaf_count = leaf_count();
  return update;
}

void IndexTree::MarkDurable(std::uint64_t sequence) {
  while (!pending_keys_.empty() && pending_keys_.front().first <= sequence) {
    for (const Digest& key : pending_keys_.front().second) {
      const auto it = pending_.find(key);
      // A later update of the same key keeps it pending.
      if (it != pending_.end() && it->second.sequence <= sequence) {
        pending_.erase(it);
      }
    }
    pending_keys_.pop_front();
  }
}

}  // namespace custody
