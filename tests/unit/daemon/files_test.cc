#include "daemon/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

TEST(FilesTest, ASecretIsWholeAndForItsOwnerAndNeverReplaced) {
  const TempFolder folder;
  const std::string path = folder.Path("log.key");
  std::ofstream(path + ".new") << "half of a key, of a run that was cut short";
  ASSERT_THAT(WriteSecretFile(path, "secret"), IsOk());
  struct stat found = {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_THAT(WriteSecretFile(path, "another"),
              StatusIs(absl::StatusCode::kAlreadyExists, testing::_));
  ASSERT_OK_AND_ASSIGN(const std::string kept, ReadSmallFile("key", path));
  EXPECT_EQ(kept, "secret");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

// Half a key under the final name would be taken for the key by the next run, for good.
TEST(FilesTest, ASecretThatCannotBeWrittenIsNotThere) {
  const TempFolder folder;
  const std::string path = folder.Path("log.key");
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status written = WriteSecretFile(path, std::string(100, 's'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(written, StatusIs(absl::StatusCode::kUnavailable, testing::_));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THAT(WriteSecretFile(path, "secret"), IsOk());
}

TEST(FilesTest, AnEmptyFileIsReadAndAFolderIsNot) {
  const TempFolder folder;
  const std::string path = folder.Path("empty");
  std::ofstream(path).flush();
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadSmallFile("settings", path));
  EXPECT_EQ(bytes, "");
  EXPECT_THAT(ReadSmallFile("settings", folder.path()),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("cannot read settings")));
}

TEST(FilesTest, FoldersExchangeTheirNames) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("a"));
  std::filesystem::create_directory(folder.Path("b"));
  std::ofstream(folder.Path("a/of-a")) << "a";
  const absl::Status exchanged = ExchangeFolders(folder.Path("a"), folder.Path("b"));
  if (absl::IsUnimplemented(exchanged)) GTEST_SKIP() << exchanged;
  ASSERT_THAT(exchanged, IsOk());
  EXPECT_TRUE(std::filesystem::exists(folder.Path("b/of-a")));
  EXPECT_FALSE(std::filesystem::exists(folder.Path("a/of-a")));
  EXPECT_THAT(ExchangeFolders(folder.Path("a"), folder.Path("c")),
              StatusIs(absl::StatusCode::kUnavailable, testing::_));
}

}  // namespace
}  // namespace custody
