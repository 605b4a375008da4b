// Damaged entries come back from another copy of the log if they are what was signed, or not at
// all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ledger/rebuild.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/repair_plan.h"
#include "daemon/ledger/schema.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Entries = std::map<std::uint64_t, std::string>;

EntryReader ReaderOf(const Entries& entries) {
  return [&entries](std::uint64_t index) -> absl::StatusOr<std::optional<std::string>> {
    const auto found = entries.find(index);
    return found == entries.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

void CopyAll(const Store& source, Store& target) {
  ASSERT_OK_AND_ASSIGN(const auto view, source.OpenView());
  WriteBatch writes;
  ASSERT_OK(view->Scan("", "", [&](std::string_view key, std::string_view value) {
    writes.Put(key, value);
    return true;
  }));
  ASSERT_OK(target.Apply(writes, Durability::kSynced));
}

std::map<std::string, std::string> Contents(const Store& store) {
  std::map<std::string, std::string> contents;
  const auto view = store.OpenView();
  EXPECT_OK((*view)->Scan("", "", [&](std::string_view key, std::string_view value) {
    if (key != KeyOfMeta(MetaKey::kStoppedIndex)) contents.emplace(key, value);
    return true;
  }));
  return contents;
}

class RepairTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(kit_.Initialize(store_));
    {
      ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
      RecordSites(*ledger, 0, 140);
    }
    ASSERT_OK_AND_ASSIGN(const auto view, store_.OpenView());
    ASSERT_OK_AND_ASSIGN(head_, ReadHead(*view));
    ASSERT_GT(head_.size, kTileWidth + 10);
    other_ = EntriesOf(store_);
  }

  void RecordSites(Ledger& ledger, int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const auto recorded = LedgerKit::Record(ledger, kit_.Site(i));
      ASSERT_OK(recorded);
      receipts_.push_back(recorded->receipt);
    }
  }
  static Entries EntriesOf(const Store& store) {
    Entries entries;
    const auto view = store.OpenView();
    const auto head = ReadHead(**view);
    for (std::uint64_t index = 0; index < head->size; ++index) {
      entries[index] = **(*view)->Get(KeyOfEntry(index));
    }
    return entries;
  }
  void Flip(const std::string& key) {
    ASSERT_OK_AND_ASSIGN(const auto view, store_.OpenView());
    ASSERT_OK_AND_ASSIGN(auto value, view->Get(key));
    ASSERT_TRUE(value.has_value());
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
  absl::StatusOr<RepairPlan> Plan() {
    const auto view = store_.OpenView();
    return PlanRepair(**view, head_, {&head_, 1}, ReaderOf(other_), nullptr);
  }

  LedgerKit kit_;
  MemoryStore store_;
  Checkpoint head_;
  Entries other_;
  std::vector<v1::Receipt> receipts_;
};

TEST_F(RepairTest, AWholeStoreNeedsNothing) {
  other_.clear();
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_EQ(plan.entries, head_.size);
  EXPECT_THAT(plan.restore, IsEmpty());
  EXPECT_THAT(plan.lost, IsEmpty());
  EXPECT_THAT(plan.tiles, IsEmpty());
}

TEST_F(RepairTest, FlippedAndMissingEntriesComeFromTheOtherCopy) {
  Flip(KeyOfEntry(100));
  Remove(KeyOfEntry(0));
  Remove(KeyOfEntry(head_.size - 2));  // On the right edge: no tile knows it.
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_THAT(plan.restore,
              ElementsAre(Pair(0, LeafHash(other_[0])), Pair(100, LeafHash(other_[100])),
                          Pair(head_.size - 2, LeafHash(other_[head_.size - 2]))));
  EXPECT_THAT(plan.lost, IsEmpty());
}

// No tile tells which of the two is right there, only the root does.
TEST_F(RepairTest, AFlippedEntryOnTheRightEdgeIsFoundByTheRoot) {
  Flip(KeyOfEntry(head_.size - 3));
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_THAT(plan.restore, ElementsAre(Pair(head_.size - 3, LeafHash(other_[head_.size - 3]))));
}

TEST_F(RepairTest, AForgedEntryIsNotTaken) {
  Flip(KeyOfEntry(100));
  other_[100].back() ^= 1;
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_THAT(plan.restore, IsEmpty());
  ASSERT_EQ(plan.lost.size(), 1U);
  EXPECT_EQ(plan.lost[0].where, "entry 100");
  EXPECT_THAT(plan.lost[0].what, HasSubstr("does not hash to the tree"));
}

TEST_F(RepairTest, AForgedEntryWhereNoTileIsDoesNotReachTheRoot) {
  Remove(KeyOfEntry(head_.size - 2));
  other_[head_.size - 2].back() ^= 1;
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
}

TEST_F(RepairTest, WhatTheOtherCopyLacksStaysDamaged) {
  Flip(KeyOfEntry(100));
  Flip(KeyOfEntry(50));
  other_.erase(100);
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_THAT(plan.restore, ElementsAre(Pair(50, LeafHash(other_[50]))));
  ASSERT_EQ(plan.lost.size(), 1U);
  EXPECT_EQ(plan.lost[0].where, "entry 100");
}

TEST_F(RepairTest, ATileThatIsWrongAccusesNoEntry) {
  Flip(KeyOfTile(0, 0));
  for (const bool with_other : {true, false}) {
    if (!with_other) other_.clear();
    ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
    EXPECT_THAT(plan.restore, IsEmpty());
    EXPECT_THAT(plan.lost, IsEmpty());
    EXPECT_THAT(plan.tiles, ElementsAre(0));
  }
}

TEST_F(RepairTest, EntriesOfAnotherLogAreNotTaken) {
  Flip(KeyOfEntry(100));
  LedgerKit stranger;
  stranger.admin.id = std::string(16, 'X');
  MemoryStore another;
  ASSERT_OK(stranger.Initialize(another));
  other_ = EntriesOf(another);
  ASSERT_OK_AND_ASSIGN(const RepairPlan plan, Plan());
  EXPECT_EQ(plan.lost.size(), 1U);
}

// Somebody who writes to the disk can make tiles and head agree with a forged entry, but not the
// signature.
TEST_F(RepairTest, AStoreThatContradictsASignedCheckpointIsNotRepaired) {
  Checkpoint signed_before = head_;
  signed_before.size = 100;
  const auto view = store_.OpenView();
  EXPECT_THAT(PlanRepair(**view, head_, {&signed_before, 1}, ReaderOf(other_), nullptr),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("signed for 100")));
}

TEST_F(RepairTest, TheRebuiltStoreIsTheOneThatWas) {
  const auto before = Contents(store_);
  Flip(KeyOfEntry(100));
  Remove(KeyOfTile(0, 0));
  Remove(KeyOfCheckpoint(receipts_[20].index() + 2));
  ASSERT_OK_AND_ASSIGN(const auto view, store_.OpenView());
  MemoryStore target;
  const EntryReader read = ReaderOf(other_);
  ASSERT_OK(RebuildFromEntries(read, *view, kit_.keys.LogSigners(), target));
  EXPECT_EQ(Contents(target), before);
}

class MirrorTest : public RepairTest {
 protected:
  // The log goes on behind the copy.
  void SetUp() override {
    RepairTest::SetUp();
    CopyAll(store_, backup_);
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    RecordSites(*ledger, 200, 230);
    // A decision that was pending in between leaves no trace in entries; this one was recorded.
    ledger->Shutdown();
    end_ = ledger->Snapshot()->checkpoint;
    mirror_ = EntriesOf(store_);
  }
  absl::Status Continue() {
    const EntryReader read = ReaderOf(mirror_);
    return ContinueFromMirror(backup_, kit_.keys.LogSigners(), end_, read).status();
  }

  MemoryStore backup_;
  Checkpoint end_;
  Entries mirror_;
};

TEST_F(MirrorTest, ABackupWithItsMirrorIsTheLogThatWasLost) {
  ASSERT_OK(Continue());
  EXPECT_EQ(Contents(backup_), Contents(store_));
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(backup_));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kServing);
  for (const v1::Receipt& receipt : receipts_) {
    ASSERT_OK_AND_ASSIGN(const v1::Receipt again,
                         LedgerReader(ledger->Snapshot()).GetReceipt(receipt.index()));
    EXPECT_EQ(again.SerializeAsString(), receipt.SerializeAsString());
  }
  EXPECT_OK(LedgerKit::Record(*ledger, kit_.Site(999)));
}

TEST_F(MirrorTest, AForgedEntryChangesNothing) {
  const auto before = Contents(backup_);
  mirror_[end_.size - 2].back() ^= 1;
  EXPECT_THAT(Continue(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
  EXPECT_EQ(Contents(backup_), before);
}

TEST_F(MirrorTest, AMissingEntryChangesNothing) {
  const auto before = Contents(backup_);
  mirror_.erase(end_.size - 1);
  EXPECT_THAT(Continue(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is not there")));
  EXPECT_EQ(Contents(backup_), before);
}

}  // namespace
}  // namespace custody
