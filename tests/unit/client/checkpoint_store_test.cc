#include "custody/checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

TEST(CheckpointStoreTest, RemembersAcrossOpenings) {
  const TempFolder folder;
  const std::string path = folder.Path("checkpoint");
  {
    ASSERT_OK_AND_ASSIGN(auto store, CheckpointStore::Open(path));
    ASSERT_OK_AND_ASSIGN(const std::string none, store->Newest());
    EXPECT_EQ(none, "");
    EXPECT_OK(store->Advance("", "note one"));
  }
  ASSERT_OK_AND_ASSIGN(auto store, CheckpointStore::Open(path));
  ASSERT_OK_AND_ASSIGN(const std::string newest, store->Newest());
  EXPECT_EQ(newest, "note one");
}

TEST(CheckpointStoreTest, DoesNotReplaceWhatAnotherProcessAdvanced) {
  const TempFolder folder;
  const std::string path = folder.Path("checkpoint");
  ASSERT_OK_AND_ASSIGN(auto ours, CheckpointStore::Open(path));
  ASSERT_OK_AND_ASSIGN(auto theirs, CheckpointStore::Open(path));
  EXPECT_OK(theirs->Advance("", "theirs"));
  EXPECT_THAT(ours->Advance("", "ours"), StatusIs(absl::StatusCode::kAborted, testing::_));
  EXPECT_OK(ours->Advance("theirs", "ours"));
  ASSERT_OK_AND_ASSIGN(const std::string newest, theirs->Newest());
  EXPECT_EQ(newest, "ours");
}

TEST(CheckpointStoreTest, WithoutAPathKeepsItInMemory) {
  ASSERT_OK_AND_ASSIGN(auto store, CheckpointStore::Open(""));
  EXPECT_OK(store->Advance("", "one"));
  EXPECT_THAT(store->Advance("", "two"), StatusIs(absl::StatusCode::kAborted, testing::_));
  ASSERT_OK_AND_ASSIGN(const std::string path, store->WriteEvidence("1-2", "text"));
  EXPECT_EQ(path, "");
}

TEST(CheckpointStoreTest, RefusesAFileThatIsTooLarge) {
  const TempFolder folder;
  std::ofstream(folder.Path("checkpoint")) << std::string(70'000, 'x');
  EXPECT_THAT(CheckpointStore::Open(folder.Path("checkpoint")),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

}  // namespace
}  // namespace custody
