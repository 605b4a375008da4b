#include "crypto/index_bucket.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace custody {
namespace {

// A key of bucket 0 that goes on with these bytes.
Digest Key(std::string bytes) {
  bytes.insert(0, 2, '\0');
  bytes.resize(Digest::kSizeBytes, '\0');
  return *Digest::FromBytes(bytes);
}

IndexLeaf Leaf(const std::string& bytes, std::uint64_t count = 1) {
  return {Key(bytes), {.event_count = count, .head = Sha256(std::to_string(count))}};
}

std::vector<IndexLeaf> Sorted(const std::map<Digest, IndexValue>& values) {
  std::vector<IndexLeaf> leaves;
  leaves.reserve(values.size());
  for (const auto& [key, value] : values) leaves.push_back({key, value});
  return leaves;
}

// The bucket and the slow way, which must agree after each change.
class IndexBucketTest : public testing::Test {
 protected:
  void Set(const IndexLeaf& leaf) {
    bucket_.Set(leaf);
    values_[leaf.key] = leaf.value;
  }
  void Check() {
    EXPECT_EQ(bucket_.leaf_count(), values_.size());
    EXPECT_EQ(bucket_.Root(), IndexSubtreeRoot(Sorted(values_), kIndexBucketBits));
  }

  IndexBucket bucket_;
  std::map<Digest, IndexValue> values_;
};

TEST_F(IndexBucketTest, AnEmptyBucketIsZeroBytesAndALoneLeafTheRoot) {
  EXPECT_EQ(bucket_.Root(), Digest());
  Set(Leaf("a"));
  Check();
  EXPECT_EQ(bucket_.Root(), IndexLeafHash(Leaf("a")));
}

TEST_F(IndexBucketTest, ALeafBetweenTwoOthersShortensTheirWay) {
  // They part at the last bit of their keys only: a chain of nodes with one side empty above them.
  Set(Leaf(std::string("\x10") + std::string(29, '\0')));
  Set(Leaf(std::string("\x10") + std::string(28, '\0') + "\x01"));
  Check();
  // It joins half way down, so that the chain ends below it, and goes on above.
  Set(Leaf(std::string("\x10\x00\x00\x40", 4)));
  Check();
  Set(Leaf("\x90"));  // At the first bit behind the bucket.
  Check();
  Set(Leaf(std::string("\x10\x00\x00\x40", 4), 2));
  Check();
}

TEST_F(IndexBucketTest, ALeafMayComeFirstLastAndInBetween) {
  for (const char* bytes : {"m", "a", "z", "n", "l", "b", "y"}) {
    Set(Leaf(bytes));
    Check();
  }
}

TEST_F(IndexBucketTest, SeveralChangesBeforeTheRootIsAsked) {
  for (const char* bytes : {"a", "b", "c", "d"}) Set(Leaf(bytes));
  Set(Leaf("b", 2));
  Set(Leaf("b", 3));
  Check();
  Check();  // Asked again, nothing has changed.
}

TEST_F(IndexBucketTest, LeavesThatWereReadAreLikeLeavesThatCame) {
  for (const char* bytes : {"a", "b", "c", "d", "e"}) values_[Key(bytes)] = Leaf(bytes).value;
  bucket_ = IndexBucket(Sorted(values_));
  Check();
  Set(Leaf("c", 7));
  Set(Leaf("cc"));
  Check();
}

TEST_F(IndexBucketTest, AgreesWithTheSlowWayInAnyOrder) {
  std::mt19937 random(20261128);  // NOLINT(cert-msc51-cpp): the same each time
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::string bytes(30, '\0');
    // Few bits of few bytes, so that keys part at any depth and come again.
    for (int bit = 0; bit < 3; ++bit) {
      char& byte = bytes[random() % 4 * 9];
      byte = static_cast<char>(static_cast<unsigned char>(byte) | 1U << random() % 8);
    }
    Set(Leaf(bytes, i + 1));
    if (random() % 3 == 0) Check();
    if (HasFailure()) break;
  }
  Check();
}

}  // namespace
}  // namespace custody
