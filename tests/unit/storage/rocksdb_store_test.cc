#include "storage/rocksdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;
using testing::HasSubstr;
using testing::Optional;

class RocksdbStoreTest : public testing::Test {
 protected:
  RocksdbOptions Options() const {
    return {.path = folder_.Path("store"), .create_if_missing = true};
  }

  static WriteBatch OnePut(std::string_view key, std::string_view value) {
    WriteBatch batch;
    batch.Put(key, value);
    return batch;
  }

  static std::optional<std::string> Get(const Store& store, std::string_view key) {
    const auto view = store.OpenView();
    EXPECT_OK(view);
    auto value = (*view)->Get(key);
    EXPECT_OK(value);
    return *std::move(value);
  }

  TempFolder folder_;
};

TEST_F(RocksdbStoreTest, RefusesOptionsOutOfRange) {
  const auto status_of = [](RocksdbOptions options) { return RocksdbStore::Open(options); };
  RocksdbOptions options = Options();
  options.path.clear();
  EXPECT_THAT(status_of(options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("path")));
  options = Options();
  options.block_cache_bytes_max = 1000;
  EXPECT_THAT(status_of(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("block_cache_bytes_max is 1000")));
  options = Options();
  options.write_buffer_bytes_max = 1000;
  EXPECT_THAT(status_of(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("write_buffer_bytes_max is 1000")));
  options = Options();
  options.open_files_max = 3;
  EXPECT_THAT(status_of(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("open_files_max is 3")));
}

TEST_F(RocksdbStoreTest, ReopeningKeepsWrites) {
  {
    ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(Options()));
    ASSERT_OK(store->Apply(OnePut("k", "synced"), Durability::kSynced));
    ASSERT_OK(store->Apply(OnePut("e", "entry"), Durability::kSynced));
    ASSERT_OK(store->Apply(OnePut("u", "unsynced"), Durability::kUnsynced));
  }
  RocksdbOptions options = Options();
  options.create_if_missing = false;
  for (int time = 0; time < 2; ++time) {
    ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(options));
    EXPECT_THAT(Get(*store, "k"), Optional("synced"s));
    EXPECT_THAT(Get(*store, "e"), Optional("entry"s));
    EXPECT_THAT(Get(*store, "u"), Optional("unsynced"s));
    EXPECT_OK(store->VerifyFiles());
  }
}

TEST_F(RocksdbStoreTest, AbsentStoreIsNotMadeUnasked) {
  RocksdbOptions options = Options();
  options.create_if_missing = false;
  EXPECT_THAT(RocksdbStore::Open(options),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no store")));
  EXPECT_FALSE(fs::exists(options.path));
}

TEST_F(RocksdbStoreTest, FolderIsForItsOwnerOnly) {
  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(Options()));
  EXPECT_EQ(fs::status(Options().path).permissions(), fs::perms::owner_all);
}

TEST_F(RocksdbStoreTest, AbsentParentIsAnError) {
  RocksdbOptions options = Options();
  options.path = folder_.Path("absent/store");
  EXPECT_THAT(RocksdbStore::Open(options),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("cannot make")));
}

// Batches of a key in each column family, one of them synced, and then the end without a stop.
[[noreturn]] void WriteWithoutLogAndDie(const RocksdbOptions& options, int synced, int count) {
  const auto store = RocksdbStore::Open(options);
  for (int i = 0; store.ok() && i < count; ++i) {
    WriteBatch batch;
    batch.Put("e" + std::to_string(i), std::string(40U << 10, 'e'));
    batch.Put("s" + std::to_string(i), std::string(10U << 10, 's'));
    const bool ok =
        (*store)->Apply(batch, i == synced ? Durability::kSynced : Durability::kUnsynced).ok();
    if (!ok) std::_Exit(1);
  }
  std::_Exit(store.ok() ? 0 : 1);
}

TEST(RocksdbWithoutLogDeathTest, KeepsABeginningOfWholeBatches) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  // The same in parent and child; the folder is this build's own.
  const fs::path folder = fs::path(BinaryPath("scratch")) / "without_log";
  RocksdbOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes_max = 1U << 20;
  options.without_log = true;
  for (const int count : {6, 40, 90}) {
    options.path = folder / std::to_string(count);
    fs::remove_all(options.path);
    fs::create_directories(folder);
    EXPECT_EXIT(WriteWithoutLogAndDie(options, 4, count), testing::ExitedWithCode(0), "");
    ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(options));
    ASSERT_OK_AND_ASSIGN(const auto view, store->OpenView());
    const auto has = [&](const char* family, int at) {
      const auto value = view->Get(family + std::to_string(at));
      return value.ok() && value->has_value();
    };
    int kept = 0;
    while (has("e", kept)) ++kept;
    EXPECT_GE(kept, 5);
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(has("e", i), i < kept) << i;
      EXPECT_EQ(has("s", i), i < kept) << i;
    }
    // Where the buffers were full, more than the synced batch was kept; the last batch never is.
    EXPECT_EQ(kept > 5, count > 6);
    EXPECT_LT(kept, count);
  }
  fs::remove_all(folder);
}

TEST_F(RocksdbStoreTest, WithoutALogAStopKeepsAll) {
  RocksdbOptions options = Options();
  options.without_log = true;
  ASSERT_OK((*RocksdbStore::Open(options))->Apply(OnePut("e", "1"), Durability::kUnsynced));
  EXPECT_THAT(Get(**RocksdbStore::Open(options), "e"), Optional("1"s));
}

TEST_F(RocksdbStoreTest, SecondOpenerIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(Options()));
  EXPECT_THAT(RocksdbStore::Open(Options()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("open in another process")));
  EXPECT_OK(store->Apply(OnePut("k", "v"), Durability::kSynced));
}

// In the child the lock of this process does not count, only the file's.
TEST_F(RocksdbStoreTest, SecondProcessIsRefused) {
  ASSERT_OK_AND_ASSIGN(auto store, RocksdbStore::Open(Options()));
  testing::FLAGS_gtest_death_test_style = "fast";
  EXPECT_EXIT(
      {
        const auto second = RocksdbStore::Open(Options());
        std::_Exit(second.status().code() == absl::StatusCode::kUnavailable ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(RocksdbStoreTest, ViewThatOutlivesItsStoreDoesNoHarm) {
  ASSERT_OK_AND_ASSIGN(auto store, RocksdbStore::Open(Options()));
  ASSERT_OK(store->Apply(OnePut("k", "v"), Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(const auto view, store->OpenView());
  store.reset();
  ASSERT_OK_AND_ASSIGN(const auto value, view->Get("k"));
  EXPECT_THAT(value, Optional("v"s));
}

TEST_F(RocksdbStoreTest, CopyIsTheStoreAsOfTheCall) {
  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(Options()));
  ASSERT_OK(store->Apply(OnePut("e", "before"), Durability::kUnsynced));
  const std::string copy_path = folder_.Path("copy");
  ASSERT_OK(store->CopyTo(copy_path));
  ASSERT_OK(store->Apply(OnePut("e", "after"), Durability::kSynced));
  EXPECT_THAT(store->CopyTo(copy_path),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("exists")));
  ASSERT_OK_AND_ASSIGN(const auto copy, RocksdbStore::Open({.path = copy_path}));
  EXPECT_THAT(Get(*copy, "e"), Optional("before"s));
  EXPECT_THAT(Get(*store, "e"), Optional("after"s));
}

TEST_F(RocksdbStoreTest, ScansFilesAndMemoryTogether) {
  RocksdbOptions options = Options();
  options.write_buffer_bytes_max = 1U << 20;
  options.block_cache_bytes_max = 1U << 20;
  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open(options));
  const std::string value(4096, 'x');
  constexpr int kCount = 400;  // 3 MiB, so most of it is in files.
  for (int at = 0; at < kCount; ++at) {
    WriteBatch batch;
    batch.Put("e" + std::to_string(10000 + at), value);
    batch.Put("s" + std::to_string(10000 + at), value);
    ASSERT_OK(store->Apply(batch, Durability::kUnsynced));
  }
  ASSERT_OK_AND_ASSIGN(const auto view, store->OpenView());
  int entries = 0;
  std::string last;
  EXPECT_OK(view->Scan("", "", [&](std::string_view key, std::string_view found) {
    EXPECT_LT(last, key);
    EXPECT_EQ(found, value);
    last = key;
    ++entries;
    return true;
  }));
  EXPECT_EQ(entries, 2 * kCount);
  EXPECT_OK(store->VerifyFiles());
}

}  // namespace
}  // namespace custody
