#include "crypto/index_tree.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/index_proof.h"
#include "tests/support/memory_trees.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

// A key that begins with these hexadecimal digits.
Digest Key(std::string hex) {
  hex.resize(64, '0');
  return *Digest::FromHex(hex);
}

IndexLeaf Leaf(const std::string& hex, std::uint64_t count = 1) {
  return {Key(hex), {.event_count = count, .head = Sha256(hex + std::to_string(count))}};
}

Digest LeafOf(const IndexLeaf& leaf) {
  return Sha256(std::string(1, '\x02') + std::string(leaf.key.view()) + leaf.value.ToBytes());
}
Digest NodeOf(const Digest& left, const Digest& right) {
  return Sha256(std::string(1, '\x03') + std::string(left.view()) + std::string(right.view()));
}

class IndexTreeTest : public testing::Test {
 protected:
  IndexUpdate Update(const std::vector<IndexLeaf>& leaves) {
    absl::StatusOr<IndexUpdate> update = tree_.Update(leaves, store_);
    EXPECT_OK(update);
    return *update;
  }
  IndexTree tree_;
  MemoryIndexStore store_;
};

TEST(IndexKeyTest, SeparatesKindAndId) {
  EXPECT_EQ(IndexKey("container", "id"), Sha256(std::string("container\0id", 12)));
  EXPECT_NE(IndexKey("a", "bc"), IndexKey("ab", "c"));
}

TEST(IndexValueTest, HasOneForm) {
  const IndexValue value{.event_count = 258, .head = Sha256("x")};
  EXPECT_EQ(ToHex(value.ToBytes()).substr(0, 16), "0000000000000102");
  ASSERT_OK_AND_ASSIGN(const IndexValue back, IndexValue::FromBytes(value.ToBytes()));
  EXPECT_EQ(back, value);
  EXPECT_THAT(IndexValue::FromBytes(std::string(40, '\0')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no event")));
  EXPECT_THAT(IndexValue::FromBytes(std::string(41, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 40")));
}

TEST_F(IndexTreeTest, EmptyIndexIsZeroBytes) {
  EXPECT_EQ(tree_.Root(), Digest());
  EXPECT_EQ(tree_.leaf_count(), 0U);
  EXPECT_EQ(Update({}).root, Digest());
}

TEST_F(IndexTreeTest, LoneLeafIsTheRoot) {
  const IndexUpdate update = Update({Leaf("8001")});
  EXPECT_EQ(update.root, LeafOf(Leaf("8001")));
  EXPECT_EQ(update.buckets, (std::vector<IndexBucketRecord>{{0x8001, 1, LeafOf(Leaf("8001"))}}));
}

// Written out by hand: the two keys part at depth 1, so depth 0 has an empty right side.
TEST_F(IndexTreeTest, HashesInnerNodesDownToWhereKeysPart) {
  const IndexUpdate update = Update({Leaf("00"), Leaf("40")});
  EXPECT_EQ(update.root, NodeOf(NodeOf(LeafOf(Leaf("00")), LeafOf(Leaf("40"))), Digest()));
}

TEST_F(IndexTreeTest, KeysMayPartAtTheLastBit) {
  const std::string left(64, '0');
  const std::string right = std::string(63, '0') + "1";
  Digest want = NodeOf(LeafOf(Leaf(left)), LeafOf(Leaf(right)));
  for (int depth = 255; depth > 0; --depth) want = NodeOf(want, Digest());
  EXPECT_EQ(Update({Leaf(right), Leaf(left)}).root, want);
}

TEST_F(IndexTreeTest, LastValueOfAKeyCounts) {
  Update({Leaf("12", 1), Leaf("12", 2)});
  EXPECT_EQ(tree_.Root(), LeafOf(Leaf("12", 2)));
  EXPECT_EQ(tree_.leaf_count(), 1U);
}

// Batches are planned while earlier ones are not yet in the store.
TEST_F(IndexTreeTest, PlansOnPendingLeaves) {
  const IndexUpdate first = Update({Leaf("1234aa"), Leaf("1234bb")});
  const IndexUpdate second = Update({Leaf("1234cc"), Leaf("1234aa", 2)});
  const std::vector<IndexLeaf> all = {Leaf("1234aa", 2), Leaf("1234bb"), Leaf("1234cc")};
  EXPECT_EQ(second.buckets[0].root, IndexSubtreeRoot(all, 16));
  EXPECT_EQ(store_.scans, 0) << "nothing is in the store yet";

  // The first batch becomes durable; the second still wins over what the store says.
  store_.Put({Leaf("1234aa"), Leaf("1234bb")});
  tree_.MarkDurable(first.sequence);
  const IndexUpdate third = Update({Leaf("1234dd")});
  const std::vector<IndexLeaf> more = {Leaf("1234aa", 2), Leaf("1234bb"), Leaf("1234cc"),
                                       Leaf("1234dd")};
  EXPECT_EQ(third.buckets[0].root, IndexSubtreeRoot(more, 16));
  EXPECT_EQ(third.leaf_count, 4U);
}

TEST_F(IndexTreeTest, AFailedUpdateChangesNothing) {
  tree_.LimitCache(0);  // So that the store is asked.
  const IndexUpdate first = Update({Leaf("1234aa")});
  store_.Put({Leaf("1234aa")});
  tree_.MarkDurable(first.sequence);
  store_.fail_next = absl::UnavailableError("disk");
  EXPECT_THAT(tree_.Update(std::vector<IndexLeaf>{Leaf("0000"), Leaf("1234bb")}, store_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk")));
  EXPECT_EQ(tree_.Root(), first.root);
  store_.fail_next = absl::OkStatus();
  EXPECT_EQ(Update({}).root, first.root);
  EXPECT_EQ(Update({Leaf("1234bb")}).leaf_count, 2U);
}

// A subject that is touched again costs no read while its bucket is remembered.
TEST_F(IndexTreeTest, RemembersTheLeavesOfTouchedBuckets) {
  const IndexUpdate first = Update({Leaf("1234aa")});
  store_.Put({Leaf("1234aa")});
  tree_.MarkDurable(first.sequence);
  store_.fail_next = absl::UnavailableError("disk");
  EXPECT_EQ(Update({Leaf("1234bb")}).leaf_count, 2U);
}

TEST_F(IndexTreeTest, NoticesLeavesThatTheStoreLost) {
  tree_.LimitCache(0);  // So that the store is asked.
  const IndexUpdate first = Update({Leaf("1234aa"), Leaf("1234bb")});
  store_.Put({Leaf("1234aa")});
  tree_.MarkDurable(first.sequence);
  EXPECT_THAT(tree_.Update(std::vector<IndexLeaf>{Leaf("1234cc")}, store_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record says 2")));
}

TEST_F(IndexTreeTest, LoadsAFullIndexAsItGrewOneBucketAtATime) {
  std::vector<IndexBucketRecord> records;
  IndexSnapshot grown;
  for (std::uint32_t bucket = 0; bucket < 0x10000; bucket += 3) {
    records.push_back(
        {static_cast<std::uint16_t>(bucket), 1 + bucket % 2, Sha256(std::to_string(bucket))});
    grown = grown.With(std::span(records).last(1));
  }
  ASSERT_OK_AND_ASSIGN(const IndexTree loaded, IndexTree::Load(records));
  EXPECT_EQ(loaded.Root(), grown.Root());
  EXPECT_EQ(loaded.leaf_count(), grown.leaf_count());
}

TEST_F(IndexTreeTest, LoadsWhatItGaveOut) {
  const IndexUpdate update = Update({Leaf("00"), Leaf("40"), Leaf("400001"), Leaf("ffff")});
  ASSERT_OK_AND_ASSIGN(const IndexTree loaded, IndexTree::Load(update.buckets));
  EXPECT_EQ(loaded.Root(), update.root);
  EXPECT_EQ(loaded.leaf_count(), 4U);
  std::vector<IndexBucketRecord> twice = update.buckets;
  twice.push_back(twice.front());
  EXPECT_THAT(IndexTree::Load(twice), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("twice")));
  EXPECT_THAT(IndexTree::Load(std::vector<IndexBucketRecord>{{1, 0, Sha256("x")}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0 leaves")));
  EXPECT_THAT(IndexTree::Load(std::vector<IndexBucketRecord>{{1, 3, Digest()}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("3 leaves")));
}

TEST_F(IndexTreeTest, SnapshotsDoNotChange) {
  Update({Leaf("00")});
  const IndexSnapshot before = tree_.Snapshot();
  Update({Leaf("00", 2), Leaf("40")});
  EXPECT_EQ(before.Root(), LeafOf(Leaf("00")));
  EXPECT_EQ(before.leaf_count(), 1U);
  EXPECT_EQ(before.Bucket(0x4000).leaf_count, 0U);
  EXPECT_EQ(tree_.Snapshot().Bucket(0x4000).leaf_count, 1U);
}

class IndexProofTest : public IndexTreeTest {
 protected:
  IndexProofTest() {
    const std::vector<IndexLeaf> leaves = {Leaf("00"), Leaf("1234aa"), Leaf("1234ab"),
                                           Leaf("1234ff"), Leaf("ff")};
    Update(leaves);
    store_.Put(leaves);
  }
  IndexProof Prove(const std::string& hex) {
    return *ProveIndexKey(tree_.Snapshot(), Key(hex), store_);
  }
};

TEST_F(IndexProofTest, ProvesPresence) {
  for (const char* hex : {"00", "1234aa", "1234ab", "1234ff", "ff"}) {
    ASSERT_OK_AND_ASSIGN(const std::optional<IndexValue> value,
                         VerifyIndexProof(tree_.Root(), Key(hex), Prove(hex)));
    EXPECT_EQ(value, Leaf(hex).value);
  }
}

TEST_F(IndexProofTest, ProvesAbsenceByAnEmptySlotOrAnotherLeaf) {
  EXPECT_FALSE(Prove("40").leaf.has_value());
  EXPECT_TRUE(Prove("fe").leaf.has_value());
  for (const char* hex : {"40", "fe", "1234ac", "1235", "01", "1234"}) {
    ASSERT_OK_AND_ASSIGN(const std::optional<IndexValue> value,
                         VerifyIndexProof(tree_.Root(), Key(hex), Prove(hex)));
    EXPECT_EQ(value, std::nullopt) << hex;
  }
}

// Hiding a subject: every way to pass off a present key as absent must fail.
TEST_F(IndexProofTest, APresentKeyCannotBeHidden) {
  for (const char* other : {"00", "1234ab", "40", "fe", "ff"}) {
    EXPECT_FALSE(VerifyIndexProof(tree_.Root(), Key("1234aa"), Prove(other)).ok()) << other;
  }
  IndexProof proof = Prove("1234aa");
  proof.leaf.reset();
  EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("root")));
}

TEST_F(IndexProofTest, RefusesChangedProofs) {
  const IndexProof good = Prove("1234aa");
  const auto refused = StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("root"));
  for (std::size_t i = 0; i < good.siblings.size(); ++i) {
    IndexProof proof = good;
    proof.siblings[i] = Sha256("other");
    EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof), refused);
  }
  IndexProof proof = good;
  proof.leaf->value.event_count = 7;
  EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof), refused);
  EXPECT_THAT(VerifyIndexProof(Sha256("x"), Key("1234aa"), good), refused);
  const auto impossible = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(""));
  proof = good;
  proof.siblings.resize(257, Sha256("x"));
  EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof), impossible);
  proof = good;
  proof.siblings.push_back(Digest());
  EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof), impossible);
  proof = good;
  proof.leaf = Leaf("ff");
  EXPECT_THAT(VerifyIndexProof(tree_.Root(), Key("1234aa"), proof), impossible);
}

TEST_F(IndexProofTest, AnEmptyIndexHoldsNothing) {
  ASSERT_OK_AND_ASSIGN(const IndexProof proof,
                       ProveIndexKey(IndexTree().Snapshot(), Key("12"), MemoryIndexStore()));
  ASSERT_OK_AND_ASSIGN(const std::optional<IndexValue> value,
                       VerifyIndexProof(Digest(), Key("12"), proof));
  EXPECT_EQ(value, std::nullopt);
}

TEST_F(IndexProofTest, AStoreThatLostALeafGivesNoProof) {
  store_.leaves.erase(Key("1234ff"));
  EXPECT_THAT(ProveIndexKey(tree_.Snapshot(), Key("1234aa"), store_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bucket")));
}

}  // namespace
}  // namespace custody
