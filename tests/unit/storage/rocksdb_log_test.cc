#include "storage/rocksdb_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

std::string TextOf(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(RocksdbLogTest, WritesALineForEachMessageAndGoesOnInTheSameFile) {
  const TempFolder folder;
  for (int i = 0; i < 2; ++i) {
    const auto log = OpenRocksdbLog(folder.path());
    rocksdb::Info(log, "message %d", i);
  }
  EXPECT_THAT(TextOf(folder.Path("LOG")),
              testing::MatchesRegex("[0-9T:.-]+Z message 0\n[0-9T:.-]+Z message 1\n"));
}

TEST(RocksdbLogTest, CutsALongMessage) {
  const TempFolder folder;
  const auto log = OpenRocksdbLog(folder.path());
  rocksdb::Info(log, "%s", std::string(100'000, 'x').c_str());
  rocksdb::Info(log, "next");
  EXPECT_EQ(TextOf(folder.Path("LOG")).find('\n'), 4'095U);
  EXPECT_THAT(TextOf(folder.Path("LOG")), testing::EndsWith("Z next\n"));
}

TEST(RocksdbLogTest, IsBounded) {
  const TempFolder folder;
  const auto log = OpenRocksdbLog(folder.path());
  const std::string text(1'000, 'x');
  for (int i = 0; i < 6'000; ++i) rocksdb::Info(log, "%s", text.c_str());
  EXPECT_LE(fs::file_size(folder.Path("LOG")), 2U << 20);
  EXPECT_LE(fs::file_size(folder.Path("LOG.old")), 2U << 20);
  EXPECT_GT(fs::file_size(folder.Path("LOG.old")), 1U << 20);
}

TEST(RocksdbLogTest, DropsWhatItCannotWrite) {
  const TempFolder folder;
  const auto log = OpenRocksdbLog(folder.Path("missing"));
  for (int i = 0; i < 3; ++i) rocksdb::Error(log, "nobody hears this");
  EXPECT_FALSE(fs::exists(folder.Path("missing")));
}

}  // namespace
}  // namespace custody
