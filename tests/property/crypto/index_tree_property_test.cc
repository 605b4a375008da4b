// The subject index, in whatever order and batches it grows, against a rebuilt map.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

#include "crypto/index_proof.h"
#include "crypto/index_tree.h"
#include "tests/support/memory_trees.h"
#include "tests/support/reference_merkle.h"

namespace custody {
namespace {

// Keys that crowd into few buckets and share long prefixes, as random ones hardly ever do.
Digest CrowdedKey() {
  std::array<std::uint8_t, 32> bytes{};
  bytes[0] = static_cast<std::uint8_t>(*rc::gen::element(0x00, 0x01, 0x80, 0xFF));
  bytes[1] = static_cast<std::uint8_t>(*rc::gen::element(0x00, 0x01, 0xFF));
  bytes[2] = *rc::gen::arbitrary<std::uint8_t>();
  bytes[31] = static_cast<std::uint8_t>(*rc::gen::element(0, 1, 128));
  return Digest(bytes);
}

IndexLeaf RandomLeaf() {
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 1000);
  return {CrowdedKey(), {.event_count = count, .head = Sha256(std::to_string(count))}};
}

std::vector<IndexLeaf> RandomLeaves() {
  std::vector<IndexLeaf> leaves;
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) leaves.push_back(RandomLeaf());
  return leaves;
}

using Reference = std::map<std::string, std::string>;

void Apply(const std::vector<IndexLeaf>& leaves, Reference* reference) {
  for (const IndexLeaf& leaf : leaves) {
    (*reference)[std::string(leaf.key.view())] = leaf.value.ToBytes();
  }
}

RC_GTEST_PROP(IndexTreeProperty, RootEqualsARebuiltMapHoweverLateTheStoreIs, ()) {
  IndexTree tree;
  MemoryIndexStore store;
  Reference reference;
  std::map<std::uint16_t, IndexBucketRecord> records;
  std::deque<std::pair<std::uint64_t, std::vector<IndexLeaf>>> not_yet_durable;
  const int batches = *rc::gen::inRange(1, 12);
  for (int i = 0; i < batches; ++i) {
    const std::vector<IndexLeaf> leaves = RandomLeaves();
    tree.LimitCache(*rc::gen::element<std::size_t>(0, 3, 1'000));
    const absl::StatusOr<IndexUpdate> update = tree.Update(leaves, store);
    RC_ASSERT(update.ok());
    Apply(leaves, &reference);
    RC_ASSERT(update->root.view() == ReferenceIndexRoot(reference));
    RC_ASSERT(update->leaf_count == reference.size());
    for (const IndexBucketRecord& record : update->buckets) records[record.bucket] = record;
    not_yet_durable.emplace_back(update->sequence, leaves);
    // The committer lags by up to three batches, and may tell us late.
    while (not_yet_durable.size() > 3 ||
           (!not_yet_durable.empty() && *rc::gen::arbitrary<bool>())) {
      store.Put(not_yet_durable.front().second);
      if (*rc::gen::arbitrary<bool>()) tree.MarkDurable(not_yet_durable.front().first);
      not_yet_durable.pop_front();
    }
  }
  std::vector<IndexBucketRecord> stored;
  for (const auto& [bucket, record] : records) stored.push_back(record);
  const absl::StatusOr<IndexTree> loaded = IndexTree::Load(stored);
  RC_ASSERT(loaded.ok());
  RC_ASSERT(loaded->Root() == tree.Root());
}

RC_GTEST_PROP(IndexProofProperty, EveryKeyIsProvedPresentOrAbsent, ()) {
  IndexTree tree;
  MemoryIndexStore store;
  Reference reference;
  for (int i = 0; i < 4; ++i) {
    const std::vector<IndexLeaf> leaves = RandomLeaves();
    RC_ASSERT(tree.Update(leaves, store).ok());
    store.Put(leaves);
    Apply(leaves, &reference);
  }
  std::vector<Digest> keys = {CrowdedKey(), CrowdedKey(), Sha256("elsewhere")};
  for (const auto& [key, value] : store.leaves) keys.push_back(key);
  for (const Digest& key : keys) {
    const absl::StatusOr<IndexProof> proof = ProveIndexKey(tree.Snapshot(), key, store);
    RC_ASSERT(proof.ok());
    const auto value = VerifyIndexProof(tree.Root(), key, *proof);
    RC_ASSERT(value.ok());
    const auto want = reference.find(std::string(key.view()));
    RC_ASSERT(value->has_value() == (want != reference.end()));
    if (value->has_value()) RC_ASSERT((*value)->ToBytes() == want->second);
    RC_ASSERT(!VerifyIndexProof(Sha256("another root"), key, *proof).ok());
  }
}

}  // namespace
}  // namespace custody
