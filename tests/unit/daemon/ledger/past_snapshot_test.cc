// The whole ledger at an earlier checkpoint: tests/property/daemon/ledger/past_snapshot_test.cc has
// the laws.

#include "daemon/ledger/past_snapshot.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "daemon/ledger/bundle_builder.h"
#include "daemon/ledger/rebuild.h"
#include "daemon/ledger/schema.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

class PastSnapshotTest : public testing::Test {
 protected:
  PastSnapshotTest() { EXPECT_TRUE(kit_.Initialize(store_).ok()); }

  void Open() {
    absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
  }
  void Record(int site) { EXPECT_OK(LedgerKit::Record(*ledger_, kit_.Site(site))); }
  static std::string BundleOf(const std::shared_ptr<const LedgerSnapshot>& snapshot, int site) {
    const absl::StatusOr<v1::Bundle> bundle =
        BuildBundle(LedgerReader(snapshot), {v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(site)}, {});
    EXPECT_OK(bundle.status());
    return bundle.ok() ? bundle->SerializeAsString() : "";
  }

  LedgerKit kit_;
  MemoryStore store_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(PastSnapshotTest, ABundleMadeLaterAndAfterARestartIsTheOneMadeThen) {
  Open();
  Record(1);
  std::map<std::uint64_t, std::string> made;
  for (int site = 2; site < 12; ++site) {
    const auto snapshot = ledger_->Snapshot();
    made[snapshot->size()] = BundleOf(snapshot, 1);
    Record(site);
  }
  for (int restarts = 0; restarts < 2; ++restarts) {
    for (const auto& [size, bundle] : made) {
      ASSERT_OK_AND_ASSIGN(const auto past, ledger_->SnapshotAt(size));
      EXPECT_EQ(BundleOf(past, 1), bundle) << size;
      // What came later is not known to it.
      EXPECT_EQ(LedgerReader(past).Find({v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(11)}).value(),
                nullptr);
    }
    ledger_.reset();
    Open();
  }
}

TEST_F(PastSnapshotTest, WhatNobodyKeepsIsRefusedWithTheReason) {
  Open();
  Record(1);
  const std::uint64_t size = ledger_->Snapshot()->size();
  EXPECT_THAT(ledger_->SnapshotAt(size - 1).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no checkpoint has")));
  kit_.clock.Advance(kit_.options.index_history_ms + 2'000);
  Record(2);
  kit_.clock.Advance(kit_.options.index_history_ms + 2'000);
  Record(3);
  Record(4);
  EXPECT_THAT(ledger_->SnapshotAt(size).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ask for a newer one")));
}

TEST_F(PastSnapshotTest, ListsAreNotThoseOfThePast) {
  Open();
  Record(1);
  const std::uint64_t size = ledger_->Snapshot()->size();
  Record(2);
  ASSERT_OK_AND_ASSIGN(const auto past, ledger_->SnapshotAt(size));
  v1::ListEventsRequest request;
  request.add_codes("GOV-03a");
  EXPECT_THAT(LedgerReader(past).ListEvents(request).status(),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("ask at the newest one")));
}

// A damaged row is an error, never a proof under another root.
TEST_F(PastSnapshotTest, AChangedHistoryIsFoundOut) {
  Open();
  Record(1);
  const std::uint64_t size = ledger_->Snapshot()->size();
  Record(2);
  ledger_.reset();
  const std::string key = KeyOfIndexChange(size);
  std::string row = store_.OpenView().value()->Get(key).value().value();
  // The number of leaves that the first bucket had.
  char& count = row[8 + 2 + 7];
  count = static_cast<char>(count ^ 1);
  WriteBatch writes;
  writes.Put(key, row);
  ASSERT_OK(store_.Apply(writes, Durability::kSynced));
  Open();
  EXPECT_THAT(ledger_->SnapshotAt(size).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("contradicts the seal")));
}

TEST_F(PastSnapshotTest, ARebuiltStoreHasTheHistoryOfTheLastHour) {
  Open();
  Record(1);
  const auto then = ledger_->Snapshot();
  const std::uint64_t size = then->size();
  const std::string bundle = BundleOf(then, 1);
  Record(2);
  ledger_.reset();
  MemoryStore rebuilt;
  ASSERT_OK(RebuildLedger(store_, rebuilt).status());
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(rebuilt));
  ASSERT_OK_AND_ASSIGN(const auto past, ledger->SnapshotAt(size));
  EXPECT_EQ(BundleOf(past, 1), bundle);
}

// A store as format 1 left it: leaves without the index of their head, no history.
TEST_F(PastSnapshotTest, AStoreOfTheFirstFormatGoesOn) {
  Open();
  for (int site = 1; site < 5; ++site) Record(site);
  ledger_.reset();
  WriteBatch writes;
  const auto view = store_.OpenView().value();
  ASSERT_OK(view->Scan("", "", [&](std::string_view key, std::string_view value) {
    const auto table = static_cast<Table>(key.front());
    if (table == Table::kIndexLeaf) writes.Put(key, value.substr(0, IndexValue::kSizeBytes));
    if (table == Table::kIndexChange || table == Table::kIndexBuckets) writes.Delete(key);
    return true;
  }));
  writes.Put(KeyOfMeta(MetaKey::kFormat), std::string("\0\0\0\1", 4));
  ASSERT_OK(store_.Apply(writes, Durability::kSynced));
  Open();
  const auto then = ledger_->Snapshot();
  const std::string bundle = BundleOf(then, 3);
  Record(6);
  ASSERT_OK_AND_ASSIGN(const auto past, ledger_->SnapshotAt(then->size()));
  EXPECT_EQ(BundleOf(past, 3), bundle);
  EXPECT_EQ(store_.OpenView().value()->Get(KeyOfMeta(MetaKey::kFormat)).value(),
            std::string("\0\0\0\2", 4));
}

}  // namespace
}  // namespace custody
