#include "daemon/ledger/stopped_index.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/bytes.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

class StoppedIndexTest : public testing::Test {
 protected:
  StoppedIndexTest() { EXPECT_TRUE(kit_.Initialize(store_).ok()); }

  // Opens the ledger, records a site and stops.
  void Run(int site) {
    const absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    EXPECT_TRUE(kit_.Record(**ledger, kit_.Site(site)).ok());
    (*ledger)->Shutdown();
  }
  LedgerMode Start() {
    const absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return ledger.ok() ? (*ledger)->Status().mode : LedgerMode::kStopped;
  }
  std::string Left() {
    return store_.OpenView().value()->Get(KeyOfMeta(MetaKey::kStoppedIndex)).value().value_or("");
  }
  void Leave(std::string_view value) {
    WriteBatch writes;
    writes.Put(KeyOfMeta(MetaKey::kStoppedIndex), value);
    EXPECT_TRUE(store_.Apply(writes, Durability::kSynced).ok());
  }
  void DeleteBuckets() {
    WriteBatch writes;
    const std::string prefix = PrefixOfTable(Table::kIndexBucket);
    EXPECT_TRUE(store_.OpenView()
                    .value()
                    ->Scan(prefix, PrefixEnd(prefix),
                           [&](std::string_view key, std::string_view) {
                             writes.Delete(key);
                             return true;
                           })
                    .ok());
    EXPECT_TRUE(store_.Apply(writes, Durability::kSynced).ok());
  }

  LedgerKit kit_;
  MemoryStore store_;
};

TEST_F(StoppedIndexTest, AStartAfterACleanStopReadsOneValue) {
  Run(1);
  // So the table of buckets is not what the start reads.
  DeleteBuckets();
  EXPECT_EQ(Start(), LedgerMode::kServing);
}

TEST_F(StoppedIndexTest, WithoutItTheTableOfBucketsIsRead) {
  Run(1);
  Leave("");
  EXPECT_EQ(Start(), LedgerMode::kServing);
  Leave("");
  DeleteBuckets();
  EXPECT_FALSE(kit_.Open(store_).ok());
}

TEST_F(StoppedIndexTest, OneOfAShorterLogIsNotUsed) {
  Run(1);
  const std::string older = Left();
  Run(2);
  ASSERT_NE(Left(), older);
  Leave(older);
  EXPECT_EQ(Start(), LedgerMode::kServing);
  Leave(older);
  DeleteBuckets();
  EXPECT_FALSE(kit_.Open(store_).ok());
}

// The root alone would not tell: a subtree with one leaf is that leaf, in whatever bucket.
TEST_F(StoppedIndexTest, ADamagedOneIsNotUsed) {
  Run(1);
  const std::string whole = Left();
  const std::uint64_t size = ReadBigEndian64(whole);
  const auto read = [&] { return ReadStoppedIndex(size, *store_.OpenView().value()); };
  ASSERT_TRUE(read().has_value());
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    Leave(damaged);
    EXPECT_FALSE(read().has_value()) << place;
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Leave(whole.substr(0, length));
    EXPECT_FALSE(read().has_value()) << length;
  }
  EXPECT_EQ(Start(), LedgerMode::kServing);
}

}  // namespace
}  // namespace custody
