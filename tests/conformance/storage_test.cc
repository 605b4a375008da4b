// The storage contract. Each engine passes all of it; a new engine adds one row at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/key_codec.h"
#include "storage/memory_store.h"
#include "storage/rocksdb_store.h"
#include "tests/support/fault_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

struct Engine {
  const char* name;
  std::function<absl::StatusOr<std::unique_ptr<Store>>(const TempFolder& folder)> open;
};

class StoreConformanceTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(store_, GetParam().open(folder_)); }

  void Put(const std::vector<std::string>& keys, std::string_view value = "v") {
    WriteBatch batch;
    for (const std::string& key : keys) {
      batch.Put(key, value);
    }
    ASSERT_OK(store_->Apply(batch, Durability::kSynced));
  }

  std::unique_ptr<ReadView> OpenView() const {
    auto view = store_->OpenView();
    EXPECT_OK(view);
    return *std::move(view);
  }

  static std::vector<std::string> Keys(const ReadView& view, std::string_view begin,
                                       std::string_view end) {
    std::vector<std::string> keys;
    EXPECT_OK(view.Scan(begin, end, [&](std::string_view key, std::string_view) {
      keys.emplace_back(key);
      return true;
    }));
    return keys;
  }

  static std::vector<std::string> KeysReverse(const ReadView& view, std::string_view begin,
                                              std::string_view end) {
    std::vector<std::string> keys;
    EXPECT_OK(view.ScanReverse(begin, end, [&](std::string_view key, std::string_view) {
      keys.emplace_back(key);
      return true;
    }));
    return keys;
  }

  static std::optional<std::string> Get(const ReadView& view, std::string_view key) {
    auto value = view.Get(key);
    EXPECT_OK(value);
    return *std::move(value);
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreConformanceTest, ShowsNothingAtFirst) {
  const auto view = OpenView();
  EXPECT_THAT(Keys(*view, "", ""), IsEmpty());
  EXPECT_THAT(KeysReverse(*view, "", ""), IsEmpty());
  EXPECT_EQ(Get(*view, "k"), std::nullopt);
  EXPECT_EQ(Get(*view, ""), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const auto last, view->Last("", ""));
  EXPECT_FALSE(last.has_value());
}

TEST_P(StoreConformanceTest, OrdersKeysAsUnsignedBytesShorterFirst) {
  const std::vector<std::string> ordered = {"\x00"s, "\x00\x00"s, "\x01", "a",
                                            "aa",    "ab",        "b",    "\x7F",
                                            "\x80",  "\x80\x00"s, "\xFF", "\xFF\xFF"};
  Put({ordered.rbegin(), ordered.rend()});
  const auto view = OpenView();
  EXPECT_EQ(Keys(*view, "", ""), ordered);
  EXPECT_EQ(KeysReverse(*view, "", ""), std::vector(ordered.rbegin(), ordered.rend()));
}

TEST_P(StoreConformanceTest, ScansAcrossTheBulkTableInOrder) {
  Put({"d", "dz", "e", "e\x00"s, "e1", "e\xFF\xFF", "f", "f0", "z"});
  const auto view = OpenView();
  EXPECT_THAT(Keys(*view, "", ""),
              ElementsAre("d", "dz", "e", "e\x00"s, "e1", "e\xFF\xFF", "f", "f0", "z"));
  EXPECT_THAT(Keys(*view, "dz", "f0"), ElementsAre("dz", "e", "e\x00"s, "e1", "e\xFF\xFF", "f"));
  EXPECT_THAT(KeysReverse(*view, "dz", "f0"),
              ElementsAre("f", "e\xFF\xFF", "e1", "e\x00"s, "e", "dz"));
  EXPECT_THAT(Keys(*view, "e0", "e2"), ElementsAre("e1"));
  EXPECT_THAT(Keys(*view, "e", "f"), ElementsAre("e", "e\x00"s, "e1", "e\xFF\xFF"));
  EXPECT_THAT(KeysReverse(*view, "f", ""), ElementsAre("z", "f0", "f"));
}

TEST_P(StoreConformanceTest, RangesIncludeBeginAndExcludeEnd) {
  Put({"a", "b", "c", "d"});
  const auto view = OpenView();
  EXPECT_THAT(Keys(*view, "b", "d"), ElementsAre("b", "c"));
  EXPECT_THAT(KeysReverse(*view, "b", "d"), ElementsAre("c", "b"));
  EXPECT_THAT(Keys(*view, "bb", "cc"), ElementsAre("c"));
  EXPECT_THAT(Keys(*view, "b", ""), ElementsAre("b", "c", "d"));
  EXPECT_THAT(Keys(*view, "", "c"), ElementsAre("a", "b"));
  EXPECT_THAT(Keys(*view, "b", "b"), IsEmpty());
  EXPECT_THAT(Keys(*view, "c", "b"), IsEmpty());
  EXPECT_THAT(KeysReverse(*view, "c", "b"), IsEmpty());
  EXPECT_THAT(KeysReverse(*view, "b", "b"), IsEmpty());
}

TEST_P(StoreConformanceTest, PrefixEndReachesTheLastKeyOfAPrefix) {
  Put({"o\xFF", "p", "p\xFF", "p\xFF\xFF", "q", "\xFF", "\xFF\xFF\xFF"});
  const auto view = OpenView();
  EXPECT_THAT(Keys(*view, "p", PrefixEnd("p")), ElementsAre("p", "p\xFF", "p\xFF\xFF"));
  EXPECT_THAT(Keys(*view, "p\xFF", PrefixEnd("p\xFF")), ElementsAre("p\xFF", "p\xFF\xFF"));
  EXPECT_THAT(Keys(*view, "\xFF", PrefixEnd("\xFF")), ElementsAre("\xFF", "\xFF\xFF\xFF"));
}

TEST_P(StoreConformanceTest, FindsFirstAndLastOfARange) {
  Put({"a1", "a2", "e5", "e7"});
  const auto view = OpenView();
  ASSERT_OK_AND_ASSIGN(const auto first, view->First("a", "b"));
  ASSERT_OK_AND_ASSIGN(const auto last, view->Last("a", "e7"));
  ASSERT_OK_AND_ASSIGN(const auto none, view->Last("b", "c"));
  ASSERT_TRUE(first && last);
  EXPECT_EQ(first->key, "a1");
  EXPECT_EQ(last->key, "e5");
  EXPECT_EQ(last->value, "v");
  EXPECT_FALSE(none);
}

TEST_P(StoreConformanceTest, VisitorStopsAScanInEveryTable) {
  Put({"a", "b", "e1", "e2", "f"});
  const auto view = OpenView();
  for (const std::size_t stop : {1U, 3U, 5U}) {
    std::size_t ascending = 0;
    std::size_t descending = 0;
    EXPECT_OK(view->Scan("", "", [&](auto, auto) { return ++ascending < stop; }));
    EXPECT_OK(view->ScanReverse("", "", [&](auto, auto) { return ++descending < stop; }));
    EXPECT_EQ(ascending, stop);
    EXPECT_EQ(descending, stop);
  }
}

TEST_P(StoreConformanceTest, VisitorMayReadTheSameView) {
  Put({"a", "b"}, "same");
  const auto view = OpenView();
  int visits = 0;
  EXPECT_OK(view->Scan("", "", [&](std::string_view key, std::string_view) {
    EXPECT_THAT(Get(*view, key), Optional("same"s));
    ++visits;
    return true;
  }));
  EXPECT_EQ(visits, 2);
}

TEST_P(StoreConformanceTest, KeepsEmptyBinaryAndLargeValues) {
  const std::string binary("\x00\x01\xFF\x00", 4);
  const std::string large(1U << 20, 'x');
  WriteBatch batch;
  batch.Put("empty", "");
  batch.Put("k\x00k"s, binary);
  batch.Put("k\x00"s, "zero");
  batch.Put("e-large", large);
  ASSERT_OK(store_->Apply(batch, Durability::kSynced));
  const auto view = OpenView();
  EXPECT_THAT(Get(*view, "empty"), Optional(""s));
  EXPECT_THAT(Get(*view, "k\x00k"s), Optional(binary));
  EXPECT_THAT(Get(*view, "k\x00"s), Optional("zero"s));
  EXPECT_EQ(Get(*view, "k"), std::nullopt);
  EXPECT_TRUE(Get(*view, "e-large") == large);
}

TEST_P(StoreConformanceTest, MultiGetAnswersInOrderOfItsKeys) {
  Put({"a", "e"});
  const auto view = OpenView();
  const std::vector<std::string> keys = {"e", "absent", "a", "e", "e-absent"};
  ASSERT_OK_AND_ASSIGN(const auto values, view->MultiGet(keys));
  EXPECT_THAT(values, ElementsAre(Optional("v"s), std::nullopt, Optional("v"s), Optional("v"s),
                                  std::nullopt));
  ASSERT_OK_AND_ASSIGN(const auto none, view->MultiGet({}));
  EXPECT_THAT(none, IsEmpty());
}

TEST_P(StoreConformanceTest, LaterChangeOfABatchCounts) {
  WriteBatch batch;
  batch.Put("put twice", "1");
  batch.Put("put twice", "2");
  batch.Put("deleted", "1");
  batch.Delete("deleted");
  batch.Delete("put again");
  batch.Put("put again", "1");
  ASSERT_OK(store_->Apply(batch, Durability::kSynced));
  const auto view = OpenView();
  EXPECT_THAT(Get(*view, "put twice"), Optional("2"s));
  EXPECT_EQ(Get(*view, "deleted"), std::nullopt);
  EXPECT_THAT(Get(*view, "put again"), Optional("1"s));
}

TEST_P(StoreConformanceTest, DeleteRemovesAndToleratesAbsence) {
  Put({"a", "b", "e"});
  WriteBatch batch;
  batch.Delete("b");
  batch.Delete("e");
  batch.Delete("never there");
  ASSERT_OK(store_->Apply(batch, Durability::kSynced));
  const auto view = OpenView();
  EXPECT_THAT(Keys(*view, "", ""), ElementsAre("a"));
  EXPECT_THAT(KeysReverse(*view, "", ""), ElementsAre("a"));
  EXPECT_EQ(Get(*view, "b"), std::nullopt);
}

TEST_P(StoreConformanceTest, ViewNeverChanges) {
  Put({"a", "e", "gone"}, "old");
  const auto before = OpenView();
  WriteBatch batch;
  batch.Put("a", "new");
  batch.Put("e", "new");
  batch.Put("b", "new");
  batch.Delete("gone");
  ASSERT_OK(store_->Apply(batch, Durability::kSynced));
  const auto between = OpenView();
  Put({"a", "c", "gone"}, "newest");
  const auto after = OpenView();

  EXPECT_THAT(Keys(*before, "", ""), ElementsAre("a", "e", "gone"));
  EXPECT_THAT(Keys(*between, "", ""), ElementsAre("a", "b", "e"));
  EXPECT_THAT(KeysReverse(*between, "", ""), ElementsAre("e", "b", "a"));
  EXPECT_THAT(Keys(*after, "", ""), ElementsAre("a", "b", "c", "e", "gone"));
  EXPECT_THAT(Get(*before, "a"), Optional("old"s));
  EXPECT_THAT(Get(*before, "e"), Optional("old"s));
  EXPECT_THAT(Get(*between, "a"), Optional("new"s));
  EXPECT_EQ(Get(*between, "gone"), std::nullopt);
  EXPECT_THAT(Get(*after, "gone"), Optional("newest"s));
}

TEST_P(StoreConformanceTest, ReadersSeeWholeBatchesOnly) {
  Put({"a", "e", "z"}, "0");
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto view = store_->OpenView();
      if (!view.ok()) {
        ++torn;
        return;
      }
      const auto a = (*view)->Get("a");
      const auto e = (*view)->Get("e");
      const auto z = (*view)->Get("z");
      torn += a.ok() && e.ok() && z.ok() && *a == *e && *e == *z ? 0 : 1;
    }
  });
  for (int round = 1; round <= 200; ++round) {
    WriteBatch batch;
    for (const char* key : {"a", "e", "z"}) {
      batch.Put(key, std::to_string(round));
    }
    EXPECT_OK(store_->Apply(batch, Durability::kUnsynced));
  }
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_P(StoreConformanceTest, EmptyBatchIsOkAndUnsyncedWritesAreVisible) {
  EXPECT_OK(store_->Apply(WriteBatch(), Durability::kSynced));
  WriteBatch batch;
  batch.Put("k", "v");
  ASSERT_OK(store_->Apply(batch, Durability::kUnsynced));
  EXPECT_THAT(Get(*OpenView(), "k"), Optional("v"s));
}

TEST_P(StoreConformanceTest, WriterIsAcquiredOnceAndAgain) {
  EXPECT_OK(store_->AcquireWriter());
  EXPECT_OK(store_->AcquireWriter());
  Put({"k"});
}

TEST_P(StoreConformanceTest, TellsItsSpace) {
  Put({"e"}, std::string(1U << 16, 'x'));
  ASSERT_OK_AND_ASSIGN(const std::uint64_t free, store_->FreeBytes());
  ASSERT_OK_AND_ASSIGN(const std::uint64_t taken, store_->ApproximateBytes());
  EXPECT_GT(free, 0U);
  EXPECT_GE(taken, 1U << 16);
}

struct FaultRow {
  Fault fault;
  std::size_t keys_on_disk;  // What a restart finds.
};

// A write may fail before or after its bytes are down. Either way nothing is written after it, and
// every caller hears the first error.
TEST_P(StoreConformanceTest, FirstErrorOfApplyLatches) {
  std::size_t on_disk = 0;
  for (const FaultRow& row : {FaultRow{Fault::kBeforeWrite, 0}, FaultRow{Fault::kAfterWrite, 1}}) {
    FaultStore process(*store_);
    WriteBatch batch;
    batch.Put(std::to_string(on_disk), "v");
    process.FailNextApply(row.fault, absl::ResourceExhaustedError("first"));
    EXPECT_THAT(process.Apply(batch, Durability::kSynced),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("first")));
    batch.Put("later", "v");
    process.FailNextApply(row.fault, absl::InternalError("second"));
    EXPECT_THAT(process.Apply(batch, Durability::kSynced),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("first")));
    EXPECT_THAT(process.Apply(WriteBatch(), Durability::kSynced),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("first")));
    EXPECT_THAT(process.write_status(),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("first")));
    EXPECT_EQ(process.apply_count(), 1U);
    on_disk += row.keys_on_disk;
    EXPECT_EQ(Keys(*OpenView(), "", "").size(), on_disk);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Engines, StoreConformanceTest,
    testing::Values(Engine{"Memory",
                           [](const TempFolder&) -> absl::StatusOr<std::unique_ptr<Store>> {
                             return std::make_unique<MemoryStore>();
                           }},
                    Engine{"Rocksdb",
                           [](const TempFolder& folder) -> absl::StatusOr<std::unique_ptr<Store>> {
                             return RocksdbStore::Open(
                                 {.path = folder.Path("store"), .create_if_missing = true});
                           }}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace custody
