// Damage that is valid for the store below: only the log's own hashes can tell.
#include "daemon/ledger/scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "crypto/tiles.h"
#include "daemon/ledger/schema.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class ScrubTest : public testing::Test {
 protected:
  // More than one full tile, and a right edge.
  void SetUp() override {
    ASSERT_OK(kit_.Initialize(store_));
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    for (int i = 0; i < 150; ++i) ASSERT_OK(LedgerKit::Record(*ledger, kit_.Site(i)));
    size_ = ledger->Snapshot()->size();
    ASSERT_GT(size_, kTileWidth);
  }

  ScrubReport Scrub() {
    const auto view = store_.OpenView();
    EXPECT_OK(view);
    absl::StatusOr<ScrubReport> report = ScrubLog(**view, nullptr);
    EXPECT_OK(report);
    return report.ok() ? *report : ScrubReport();
  }

  // Flips the lowest bit in the middle of a value.
  void Flip(const std::string& key) {
    ASSERT_OK_AND_ASSIGN(const auto view, store_.OpenView());
    ASSERT_OK_AND_ASSIGN(auto value, view->Get(key));
    ASSERT_TRUE(value.has_value() && !value->empty());
    (*value)[value->size() / 2] ^= 1;
    WriteBatch damage;
    damage.Put(key, *value);
    ASSERT_OK(store_.Apply(damage, Durability::kSynced));
  }
  void Remove(const std::string& key) {
    WriteBatch damage;
    damage.Delete(key);
    ASSERT_OK(store_.Apply(damage, Durability::kSynced));
  }
  // The first key of a table.
  std::string FirstOf(Table table) {
    const auto view = store_.OpenView();
    std::string first;
    EXPECT_OK((*view)->Scan(PrefixOfTable(table), "", [&](std::string_view key, std::string_view) {
      first = std::string(key);
      return false;
    }));
    return first;
  }

  LedgerKit kit_;
  MemoryStore store_;
  std::uint64_t size_ = 0;
};

TEST_F(ScrubTest, AGoodStoreIsClean) {
  const ScrubReport report = Scrub();
  EXPECT_EQ(report.entries, size_);
  EXPECT_EQ(report.damage_count, 0U);
  EXPECT_THAT(report.damage, IsEmpty());
}

TEST_F(ScrubTest, AnEntryUnderATileIsNamedAndTheRestIsRead) {
  Flip(KeyOfEntry(7));
  const ScrubReport report = Scrub();
  EXPECT_EQ(report.entries, size_);
  EXPECT_THAT(report.damage, Contains(Field(&Damage::where, "entry 7")));
  EXPECT_THAT(report.damage, Not(Contains(Field(&Damage::where, "the head"))));
}

TEST_F(ScrubTest, AnEntryThatIsMissingIsNamed) {
  Remove(KeyOfEntry(9));
  const ScrubReport report = Scrub();
  EXPECT_THAT(report.damage, Contains(AllOf(Field(&Damage::where, "entry 9"),
                                            Field(&Damage::what, "is missing"))));
}

TEST_F(ScrubTest, AnEntryOnTheRightEdgeDoesNotLeadToTheHead) {
  Flip(KeyOfEntry(size_ - 2));
  EXPECT_THAT(Scrub().damage, Contains(Field(&Damage::where, "the head")));
}

TEST_F(ScrubTest, ATileIsNamedWithTheEntriesThatItContradicts) {
  Flip(KeyOfTile(0, 0));
  const ScrubReport report = Scrub();
  EXPECT_THAT(report.damage, Contains(Field(&Damage::where, HasSubstr("entry 128"))));
  EXPECT_THAT(report.damage, Contains(Field(&Damage::where, "the head")));
}

TEST_F(ScrubTest, ATileThatIsMissingIsNamed) {
  Remove(KeyOfTile(0, 0));
  EXPECT_THAT(Scrub().damage, Contains(Field(&Damage::where, "tile 0 of level 0")));
}

TEST_F(ScrubTest, AChainThatLeadsElsewhereIsNamed) {
  Flip(FirstOf(Table::kChain));
  EXPECT_THAT(Scrub().damage, Contains(Field(&Damage::where, HasSubstr("of the chain of"))));
}

TEST_F(ScrubTest, ALeafOfTheIndexContradictsItsBucketAndTheSeal) {
  Flip(FirstOf(Table::kIndexLeaf));
  const ScrubReport report = Scrub();
  EXPECT_THAT(report.damage, Contains(Field(&Damage::where, HasSubstr("bucket"))));
  EXPECT_THAT(report.damage, Contains(Field(&Damage::where, HasSubstr("the seal"))));
}

TEST_F(ScrubTest, ABucketThatIsMissingIsNamed) {
  Remove(FirstOf(Table::kIndexBucket));
  EXPECT_EQ(Scrub().damage_count, 1U);
}

TEST_F(ScrubTest, TheHeadIsComparedWithTheEntries) {
  Flip(KeyOfMeta(MetaKey::kHead));
  EXPECT_THAT(Scrub().damage, Contains(Field(&Damage::where, "the head")));
}

}  // namespace
}  // namespace custody
