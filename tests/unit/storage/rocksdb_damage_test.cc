// What happens to damaged files. A record cut short at the end of the log was never acknowledged
// and is dropped; any other damage is an error at once or when the bytes are read, and never a
// wrong value, a hole, or another order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "storage/rocksdb_store.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<fs::path> FilesWith(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == extension) {
      files.push_back(file.path());
    }
  }
  return files;
}

// The folder as a crash would leave it after `kRecords` synced batches, each of one key.
class RocksdbDamageTest : public testing::Test {
 protected:
  static constexpr std::size_t kRecords = 5;

  void SetUp() override {
    crashed_ = folder_.Path("crashed");
    const std::string path = folder_.Path("store");
    ASSERT_OK_AND_ASSIGN(const auto store,
                         RocksdbStore::Open({.path = path, .create_if_missing = true}));
    const auto log = [&] { return FilesWith(path, ".log").front(); };
    for (std::size_t at = 0; at < kRecords; ++at) {
      WriteBatch batch;
      batch.Put(Key(at), Value(at));
      ASSERT_OK(store->Apply(batch, Durability::kSynced));
      record_ends_.push_back(fs::file_size(log()));
    }
    fs::copy(path, crashed_, fs::copy_options::recursive);
    ASSERT_EQ(FilesWith(crashed_, ".log").size(), 1U);
    log_name_ = log().filename();
    log_bytes_ = ReadFile(fs::path(crashed_) / log_name_).substr(0, record_ends_.back());
  }

  static std::string Key(std::size_t at) { return (at % 2 == 0 ? "e" : "s") + std::to_string(at); }
  static std::string Value(std::size_t at) { return "value " + std::to_string(at); }

  // A copy of the crashed folder with other bytes in its log, opened.
  absl::StatusOr<std::unique_ptr<RocksdbStore>> OpenWithLog(const std::string& log) {
    const std::string path = folder_.Path("copy");
    fs::remove_all(path);
    fs::copy(crashed_, path, fs::copy_options::recursive);
    WriteFile(fs::path(path) / log_name_, log);
    return RocksdbStore::Open({.path = path});
  }

  // How many records are there; fails the test unless they are the first ones, with their values.
  static std::size_t CountPrefix(const Store& store) {
    const auto view = store.OpenView();
    EXPECT_OK(view);
    std::size_t count = 0;
    EXPECT_OK((*view)->Scan("", "", [&](auto, auto) { return ++count > 0; }));
    for (std::size_t at = 0; at < count; ++at) {
      const auto value = (*view)->Get(Key(at));
      EXPECT_OK(value);
      EXPECT_EQ(*value, Value(at));
    }
    return count;
  }

  TempFolder folder_;
  std::string crashed_;
  fs::path log_name_;
  std::string log_bytes_;
  std::vector<std::uintmax_t> record_ends_;
};

TEST_F(RocksdbDamageTest, CrashKeepsEverySyncedRecord) {
  ASSERT_OK_AND_ASSIGN(const auto store, OpenWithLog(log_bytes_));
  EXPECT_EQ(CountPrefix(*store), kRecords);
}

TEST_F(RocksdbDamageTest, RecordCutShortIsDroppedAndNoOther) {
  const std::size_t before_last = record_ends_[kRecords - 2];
  for (const std::size_t length : {before_last, before_last + 1, before_last + 7,
                                   static_cast<std::size_t>(record_ends_.back()) - 1}) {
    ASSERT_OK_AND_ASSIGN(const auto store, OpenWithLog(log_bytes_.substr(0, length)));
    EXPECT_EQ(CountPrefix(*store), kRecords - 1) << length;
  }
}

TEST_F(RocksdbDamageTest, ZerosBehindTheTornTailAreNoRecords) {
  ASSERT_OK_AND_ASSIGN(const auto store, OpenWithLog(log_bytes_ + std::string(4096, '\0')));
  EXPECT_EQ(CountPrefix(*store), kRecords);
}

// A record of the log: checksum (4), length (2, little-endian), type (1), payload.
TEST_F(RocksdbDamageTest, FlippedBitInTheLogIsRefused) {
  for (std::size_t record = 0; record < kRecords; ++record) {
    const std::size_t begin = record == 0 ? 0 : record_ends_[record - 1];
    const std::size_t end = record_ends_[record];
    for (const std::size_t at : {begin, begin + 3, begin + 7, (begin + end) / 2, end - 1}) {
      std::string log = log_bytes_;
      log[at] = static_cast<char>(log[at] ^ 0x10);
      EXPECT_THAT(OpenWithLog(log), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("orruption")))
          << "record " << record << " byte " << at;
    }
  }
}

// A length that reaches beyond the end of the file looks like a torn tail; then the records before
// it remain, in order. The ledger finds such a loss by its anchor.
TEST_F(RocksdbDamageTest, DamagedLengthOrTypeNeverMakesAHole) {
  for (std::size_t record = 0; record < kRecords; ++record) {
    const std::size_t begin = record == 0 ? 0 : record_ends_[record - 1];
    for (const std::size_t at : {begin + 4, begin + 5, begin + 6}) {
      for (const char flip : {'\x01', '\x80'}) {
        std::string log = log_bytes_;
        log[at] = static_cast<char>(log[at] ^ flip);
        const auto store = OpenWithLog(log);
        if (store.ok()) {
          EXPECT_LE(CountPrefix(**store), record) << "byte " << at;
        } else {
          EXPECT_THAT(store, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("orruption")));
        }
      }
    }
  }
}

// Recovery puts all records into tables. A compaction may have replaced some of these in the
// background and not have removed the old ones yet; so a test treats all tables alike.
TEST_F(RocksdbDamageTest, MissingTableFileIsRefused) {
  ASSERT_OK_AND_ASSIGN(auto store, OpenWithLog(log_bytes_));
  store.reset();
  const std::string path = folder_.Path("copy");
  for (const fs::path& table : FilesWith(path, ".sst")) {
    fs::remove(table);
  }
  EXPECT_THAT(RocksdbStore::Open({.path = path}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("No such file")));
}

TEST_F(RocksdbDamageTest, MissingCurrentFileIsNotAnEmptyStore) {
  fs::remove(fs::path(crashed_) / "CURRENT");
  EXPECT_THAT(RocksdbStore::Open({.path = crashed_, .create_if_missing = true}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no CURRENT file")));
}

TEST_F(RocksdbDamageTest, FlippedBitInATableIsReportedWhenRead) {
  ASSERT_OK_AND_ASSIGN(auto store, OpenWithLog(log_bytes_));
  store.reset();
  const std::string path = folder_.Path("copy");
  for (const fs::path& table : FilesWith(path, ".sst")) {
    std::string bytes = ReadFile(table);
    bytes[10] = static_cast<char>(bytes[10] ^ 1);  // In the first data block.
    WriteFile(table, bytes);
  }
  ASSERT_OK_AND_ASSIGN(const auto opened, RocksdbStore::Open({.path = path}));
  ASSERT_OK_AND_ASSIGN(const auto view, opened->OpenView());
  const auto visit_all = [](std::string_view, std::string_view) { return true; };
  const auto is_data_loss = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum mismatch"));
  const std::vector<std::string> keys = {Key(0), Key(1)};  // One in each column family.
  EXPECT_THAT(view->Get(keys[0]), is_data_loss);
  EXPECT_THAT(view->Get(keys[1]), is_data_loss);
  EXPECT_THAT(view->MultiGet(keys), is_data_loss);
  EXPECT_THAT(view->Scan("", "", visit_all), is_data_loss);
  EXPECT_THAT(view->ScanReverse("", "", visit_all), is_data_loss);
  EXPECT_THAT(opened->VerifyFiles(), is_data_loss);
}

TEST_F(RocksdbDamageTest, DamagedManifestIsRefused) {
  for (const auto& file : fs::directory_iterator(crashed_)) {
    if (file.path().filename().string().starts_with("MANIFEST")) {
      std::string bytes = ReadFile(file.path());
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
      WriteFile(file.path(), bytes);
    }
  }
  EXPECT_THAT(OpenWithLog(log_bytes_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("")));
}

// Two logs that are both needed: the flush that would make the first one superfluous is held.
class RocksdbTwoLogsTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = folder_.Path("store");
    FaultFileSystem disk;
    ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open({.path = path,
                                                               .create_if_missing = true,
                                                               .write_buffer_bytes_max = 1U << 20,
                                                               .env = disk.env()}));
    disk.HoldNewFiles(".sst");
    for (int round = 0; FilesWith(path, ".log").size() < 2; ++round) {
      ASSERT_LT(round, 1000);
      WriteBatch batch;
      batch.Put("e" + std::to_string(round), std::string(4096, 'x'));
      ASSERT_OK(store->Apply(batch, Durability::kSynced));
    }
    copy_ = folder_.Path("copy");
    fs::copy(path, copy_, fs::copy_options::recursive);
    disk.ReleaseNewFiles();
    logs_ = FilesWith(copy_, ".log");
    std::sort(logs_.begin(), logs_.end());
    ASSERT_EQ(logs_.size(), 2U);
  }

  TempFolder folder_;
  std::string copy_;
  std::vector<fs::path> logs_;
};

TEST_F(RocksdbTwoLogsTest, WholeLogsAreReplayed) { EXPECT_OK(RocksdbStore::Open({.path = copy_})); }

TEST_F(RocksdbTwoLogsTest, MissingEarlierLogIsRefused) {
  fs::remove(logs_[0]);
  EXPECT_THAT(RocksdbStore::Open({.path = copy_}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("Missing WAL")));
}

// A torn tail is forgiven only in the last log.
TEST_F(RocksdbTwoLogsTest, ShortenedEarlierLogIsRefused) {
  fs::resize_file(logs_[0], fs::file_size(logs_[0]) / 2);
  EXPECT_THAT(RocksdbStore::Open({.path = copy_}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("WAL")));
}

}  // namespace
}  // namespace custody
