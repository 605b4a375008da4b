#include "storage/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/memory_store.h"
#include "tests/support/fault_store.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

WriteBatch OnePut(std::string_view key) {
  WriteBatch batch;
  batch.Put(key, "v");
  return batch;
}

TEST(WriteBatchTest, KeepsOrderAndCounts) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.Put("b", "xyz");
  batch.Delete("a");
  WriteBatch later = OnePut("c");
  batch.Append(later);
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch.bytes(), 4U + 1U + 2U);
  EXPECT_EQ(batch.writes()[0].key, "b");
  EXPECT_EQ(batch.writes()[0].value, "xyz");
  EXPECT_EQ(batch.writes()[1].key, "a");
  EXPECT_EQ(batch.writes()[1].value, std::nullopt);
  EXPECT_EQ(batch.writes()[2].key, "c");
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0U);
}

TEST(WriteBatchDeathTest, EmptyKeyIsABug) {
  WriteBatch batch;
  EXPECT_DEATH(batch.Put("", "v"), "key.empty");
  EXPECT_DEATH(batch.Delete(""), "key.empty");
}

TEST(StoreDeathTest, OverlappingApplyIsABug) {
  MemoryStore disk;
  FaultStore store(disk);
  store.OnApply([&](const WriteBatch& batch, Durability durability) {
    static_cast<void>(store.Apply(batch, durability));
  });
  EXPECT_DEATH(static_cast<void>(store.Apply(OnePut("k"), Durability::kSynced)), "applying_");
}

// A store whose lease belongs to somebody else.
class FencedStore final : public Store {
 public:
  absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const override { return disk_.OpenView(); }
  absl::Status AcquireWriter() override { return absl::AbortedError("fenced"); }
  absl::StatusOr<std::uint64_t> FreeBytes() const override { return disk_.FreeBytes(); }
  absl::StatusOr<std::uint64_t> ApproximateBytes() const override {
    return disk_.ApproximateBytes();
  }
  int attempts() const { return attempts_; }

 private:
  absl::Status DoApply(const WriteBatch& batch, Durability durability) override {
    ++attempts_;
    return disk_.Apply(batch, durability);
  }
  MemoryStore disk_;
  int attempts_ = 0;
};

TEST(StoreTest, NothingIsWrittenWithoutTheLease) {
  FencedStore store;
  EXPECT_THAT(store.Apply(OnePut("k"), Durability::kSynced),
              StatusIs(absl::StatusCode::kAborted, "fenced"));
  EXPECT_THAT(store.write_status(), StatusIs(absl::StatusCode::kAborted, "fenced"));
  EXPECT_EQ(store.attempts(), 0);
}

TEST(MemoryStoreTest, ForgetsVersionsThatNoViewNeeds) {
  MemoryStore store;
  for (int round = 0; round < 100; ++round) {
    ASSERT_OK(store.Apply(OnePut("k"), Durability::kSynced));
  }
  ASSERT_OK_AND_ASSIGN(const std::uint64_t bytes, store.ApproximateBytes());
  EXPECT_EQ(bytes, 2U);
  EXPECT_EQ(store.size(), 1U);
  WriteBatch batch;
  batch.Delete("k");
  ASSERT_OK(store.Apply(batch, Durability::kSynced));
  EXPECT_EQ(store.size(), 0U);
}

TEST(FaultStoreTest, FailsTheNthApply) {
  MemoryStore disk;
  FaultStore store(disk);
  store.FailNthApply(3, Fault::kAfterWrite);
  EXPECT_OK(store.Apply(OnePut("1"), Durability::kSynced));
  EXPECT_OK(store.Apply(OnePut("2"), Durability::kUnsynced));
  EXPECT_THAT(store.Apply(OnePut("3"), Durability::kSynced),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("injected")));
  EXPECT_THAT(store.Apply(OnePut("4"), Durability::kSynced),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("injected")));
  EXPECT_EQ(disk.size(), 3U);
  EXPECT_EQ(store.apply_count(), 3U);
  EXPECT_EQ(store.synced_count(), 2U);

  FaultStore restarted(disk);
  EXPECT_OK(restarted.Apply(OnePut("5"), Durability::kSynced));
}

TEST(FaultStoreTest, FailsReadsOfAPrefix) {
  MemoryStore disk;
  FaultStore store(disk);
  ASSERT_OK(store.Apply(OnePut("a"), Durability::kSynced));
  ASSERT_OK(store.Apply(OnePut("b"), Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(const auto view, store.OpenView());
  store.FailReads("b");
  const auto visit_all = [](std::string_view, std::string_view) { return true; };
  EXPECT_OK(view->Get("a"));
  EXPECT_OK(view->Scan("", "b", visit_all));
  EXPECT_THAT(view->Get("b"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("injected")));
  EXPECT_THAT(view->Scan("", "", visit_all),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("injected")));
  EXPECT_THAT(view->Last("", ""), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("injected")));
  store.HealReads();
  EXPECT_OK(view->Get("b"));
}

TEST(FaultStoreTest, FailsToOpenAViewAndPretendsAFullDisk) {
  MemoryStore disk;
  FaultStore store(disk);
  store.FailOpenView(absl::InternalError("no snapshot"));
  EXPECT_THAT(store.OpenView(), StatusIs(absl::StatusCode::kInternal, "no snapshot"));
  store.FailOpenView(absl::OkStatus());
  EXPECT_OK(store.OpenView());
  store.SetFreeBytes(42);
  ASSERT_OK_AND_ASSIGN(const std::uint64_t full, store.FreeBytes());
  EXPECT_EQ(full, 42U);
  store.SetFreeBytes(std::nullopt);
  ASSERT_OK_AND_ASSIGN(const std::uint64_t free, store.FreeBytes());
  EXPECT_GT(free, 42U);
}

}  // namespace
}  // namespace custody
