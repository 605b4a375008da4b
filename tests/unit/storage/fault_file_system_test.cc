// The disk on which the other tests rely does what it says.
#include "tests/support/fault_file_system.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

std::string Contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class FaultFileSystemTest : public testing::Test {
 protected:
  FaultFileSystemTest() {
    fs::create_directory(folder_.Path("store"));
    std::ofstream(Path("CURRENT")) << "old";
    disk_.KeepSynced(folder_.Path("store"), folder_.Path("synced"));
    EXPECT_TRUE(disk_.env()->NewDirectory(folder_.Path("store"), &directory_).ok());
  }

  std::string Path(const std::string& name) const { return folder_.Path("store/" + name); }
  // What a power cut would leave; "(none)" if there is no such file.
  std::string AfterPowerCut(const std::string& name) const {
    const std::string path = folder_.Path("synced/names/" + name);
    return fs::exists(path) ? Contents(path) : "(none)";
  }
  std::unique_ptr<rocksdb::WritableFile> NewFile(const std::string& name) {
    std::unique_ptr<rocksdb::WritableFile> file;
    EXPECT_TRUE(disk_.env()->NewWritableFile(Path(name), &file, rocksdb::EnvOptions()).ok());
    return file;
  }
  void Arm(DiskOperation operation, DiskError error) {
    disk_.Arm({.operation = operation, .error = error});
  }

  const TempFolder folder_;
  FaultFileSystem disk_;
  std::unique_ptr<rocksdb::Directory> directory_;
};

TEST_F(FaultFileSystemTest, APowerCutLeavesWhatWasSyncedUnderSyncedNames) {
  const auto file = NewFile("000001.log");
  ASSERT_TRUE(file->Append("synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(AfterPowerCut("000001.log"), "(none)");
  ASSERT_TRUE(directory_->Fsync().ok());
  ASSERT_TRUE(file->Append(", not synced").ok());
  EXPECT_EQ(AfterPowerCut("000001.log"), "synced");
  EXPECT_EQ(Contents(Path("000001.log")), "synced, not synced");
}

TEST_F(FaultFileSystemTest, APowerCutUndoesARenameAndADeleteThatWereNotSynced) {
  const auto file = NewFile("000002.dbtmp");
  ASSERT_TRUE(file->Append("new").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk_.env()->RenameFile(Path("000002.dbtmp"), Path("CURRENT")).ok());
  EXPECT_EQ(AfterPowerCut("CURRENT"), "old");
  ASSERT_TRUE(directory_->Fsync().ok());
  EXPECT_EQ(AfterPowerCut("CURRENT"), "new");
  ASSERT_TRUE(disk_.env()->DeleteFile(Path("CURRENT")).ok());
  EXPECT_EQ(AfterPowerCut("CURRENT"), "new");
}

TEST_F(FaultFileSystemTest, ATornWriteLeavesHalfAndAShortOneAllButAByte) {
  const auto file = NewFile("000001.log");
  Arm(DiskOperation::kAppend, DiskError::kTorn);
  EXPECT_TRUE(file->Append("12345678").IsIOError());
  EXPECT_EQ(Contents(Path("000001.log")), "1234");
  Arm(DiskOperation::kAppend, DiskError::kShort);
  EXPECT_TRUE(file->Append("5678").IsNoSpace());
  EXPECT_EQ(Contents(Path("000001.log")), "1234567");
}

TEST_F(FaultFileSystemTest, WhatAFailedSyncLostIsGoneAlsoAfterTheNextOne) {
  const auto file = NewFile("000001.log");
  ASSERT_TRUE(directory_->Fsync().ok());
  ASSERT_TRUE(file->Append("kept").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Append("lost").ok());
  Arm(DiskOperation::kSync, DiskError::kSyncLost);
  EXPECT_TRUE(file->Sync().IsIOError());
  ASSERT_TRUE(file->Append("next").ok());
  ASSERT_TRUE(file->Sync().ok());
  const std::string zeros(4, '\0');
  EXPECT_EQ(Contents(Path("000001.log")), "kept" + zeros + "next");
  EXPECT_EQ(AfterPowerCut("000001.log"), "kept" + zeros + "next");
}

TEST_F(FaultFileSystemTest, ACallMayBeMadeAndFailAllTheSame) {
  Arm(DiskOperation::kRenameFile, DiskError::kIoAfter);
  EXPECT_TRUE(disk_.env()->RenameFile(Path("CURRENT"), Path("other")).IsIOError());
  EXPECT_EQ(Contents(Path("other")), "old");
}

TEST_F(FaultFileSystemTest, EverythingFailsAfterTheFirstFault) {
  disk_.Arm({.operation = DiskOperation::kSync, .everything_after = true});
  const auto file = NewFile("000001.log");
  EXPECT_TRUE(file->Append("x").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(file->Append("x").ok());
  EXPECT_FALSE(disk_.env()->FileExists(Path("CURRENT")).ok());
  EXPECT_EQ(disk_.failed_count(), 3);
}

TEST_F(FaultFileSystemTest, EveryCallIsCountedByOperationAndKindOfFile) {
  const auto file = NewFile("000001.log");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->Append("y").ok());
  const FaultSwitch::Sites sites = disk_.sites();
  EXPECT_EQ(sites.at({DiskOperation::kAppend, FileKind::kLog}), 2);
  EXPECT_EQ(sites.at({DiskOperation::kNewWritableFile, FileKind::kLog}), 1);
  EXPECT_EQ(sites.at({DiskOperation::kNewDirectory, FileKind::kOther}), 1);
}

}  // namespace
}  // namespace custody
