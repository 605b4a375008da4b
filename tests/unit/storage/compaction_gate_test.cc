#include "storage/compaction_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_format.h"
#include "storage/rocksdb_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(CompactionGateTest, CompactionWaitsUntilItIsOpened) {
  CompactionGate gate(hours(1));
  std::atomic<bool> passed{false};
  std::thread compaction([&] {
    gate.Request(1, rocksdb::Env::IO_LOW, nullptr);
    passed = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(passed);
  gate.Open();
  compaction.join();
  gate.Request(1, rocksdb::Env::IO_LOW, nullptr);
}

TEST(CompactionGateTest, NobodyElseWaits) {
  CompactionGate gate(hours(1));
  gate.Request(1, rocksdb::Env::IO_HIGH, nullptr);
  gate.Request(1, rocksdb::Env::IO_USER, nullptr);
}

TEST(CompactionGateTest, ItOpensByItself) {
  const steady_clock::time_point begin = steady_clock::now();
  CompactionGate gate(milliseconds(30));
  gate.Request(1, rocksdb::Env::IO_LOW, nullptr);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(30));
}

// Some thirty files of one level, which RocksDB would begin to sort at once.
TEST(CompactionGateTest, AStoreThatHasMuchToSortReadsWritesAndClosesMeanwhile) {
  const TempFolder folder;
  RocksdbOptions options;
  options.path = folder.Path("store");
  options.create_if_missing = true;
  const auto run = [&](int number) {
    const auto store = RocksdbStore::Open(options);
    ASSERT_OK(store.status());
    WriteBatch writes;
    for (int i = 0; i < 100; ++i) writes.Put(absl::StrFormat("k%d", i), std::to_string(number));
    ASSERT_OK((*store)->Apply(writes, Durability::kSynced));
    EXPECT_EQ((*store)->OpenView().value()->Get("k7").value(), std::to_string(number));
  };
  options.compaction_delay_ms_max = std::chrono::milliseconds(hours(1)).count();
  for (int number = 0; number < 10; ++number) run(number);
  if (HasFatalFailure()) return;
  const auto tables = [&] { return RocksdbStore::TableFiles(options).value().size(); };
  const std::size_t unsorted = tables();
  ASSERT_GE(unsorted, 9U);
  const auto store = RocksdbStore::Open(options);
  ASSERT_OK(store.status());
  (*store)->StartCompaction();
  for (int i = 0; i < 1'000 && tables() >= unsorted; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LT(tables(), unsorted);
  EXPECT_EQ((*store)->OpenView().value()->Get("k7").value(), "9");
}

// More files at the first level than RocksDB lets writes go on with: a store that is stopped and
// started again and again.
TEST(CompactionGateTest, CompactionThatWritesWaitForDoesNotWait) {
  const TempFolder folder;
  RocksdbOptions options;
  options.path = folder.Path("store");
  options.create_if_missing = true;
  options.compaction_delay_ms_max = std::chrono::milliseconds(hours(1)).count();
  for (int number = 0; number < 60; ++number) {
    const auto store = RocksdbStore::Open(options);
    ASSERT_OK(store.status());
    WriteBatch writes;
    writes.Put("k", std::to_string(number));
    ASSERT_OK((*store)->Apply(writes, Durability::kSynced));
    EXPECT_EQ((*store)->OpenView().value()->Get("k").value(), std::to_string(number));
  }
}

}  // namespace
}  // namespace custody
