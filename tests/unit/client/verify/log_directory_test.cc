#include "client/verify/log_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/bytes.h"
#include "tests/support/fake_log.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using testing::HasSubstr;

class LogDirectoryTest : public testing::Test {
 protected:
  std::string Read(std::string_view path) const {
    std::ifstream stream(folder_.Path(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  bool Has(std::string_view path) const { return std::filesystem::exists(folder_.Path(path)); }

  void GrowTo(std::uint64_t size) {
    while (log_.size() < size) log_.Append("entry " + std::to_string(log_.size()));
  }
  Checkpoint At(std::uint64_t size) { return {FakeLog::kOrigin, size, log_.Root(size)}; }

  // Writes what is missing, as far as `stop`, and finishes unless that was sooner.
  absl::Status Export(std::uint64_t size, std::uint64_t stop = ~std::uint64_t{0}) {
    auto writer = LogDirectoryWriter::Open(folder_.path());
    if (!writer.ok()) return writer.status();
    first_written_ = writer->size();
    while (writer->size() < std::min(size, stop)) {
      const absl::Status appended = writer->Append(log_.EntryAt(writer->size()));
      if (!appended.ok()) return appended;
    }
    return stop < size ? absl::OkStatus() : writer->Finish(At(size), log_.SignedCheckpoint(size));
  }

  // Every tile and every bundle of entries, against the log itself.
  void ExpectLog(std::uint64_t size) {
    EXPECT_EQ(Read("checkpoint"), log_.SignedCheckpoint(size));
    for (const TileCoordinate& tile : TilesForSize(size)) {
      const std::string hashes = Read(TilePath(tile));
      ASSERT_EQ(hashes.size(), tile.width * Digest::kSizeBytes) << TilePath(tile);
      if (tile.level > 0) continue;
      std::string entries = Read(EntryBundlePath(tile));
      for (std::uint32_t i = 0; i < tile.width; ++i) {
        const std::uint64_t index = tile.index * kTileWidth + i;
        ASSERT_GE(entries.size(), 2U);
        const std::size_t length = ReadBigEndian16(entries);
        EXPECT_EQ(entries.substr(2, length), log_.EntryAt(index));
        EXPECT_EQ(hashes.substr(i * Digest::kSizeBytes, Digest::kSizeBytes),
                  log_.LeafAt(index).view());
        entries.erase(0, 2 + length);
      }
      EXPECT_TRUE(entries.empty());
    }
  }

  TempFolder folder_;
  FakeLog log_;
  std::uint64_t first_written_ = 0;
};

TEST_F(LogDirectoryTest, HoldsEveryEntryAndTileOfLogsOfManySizes) {
  for (const std::uint64_t size : {1U, 255U, 256U, 257U, 512U, 700U}) {
    GrowTo(size);
    ASSERT_OK(Export(size)) << size;
    ExpectLog(size);
  }
}

TEST_F(LogDirectoryTest, GoesOnWhereItWasInterrupted) {
  GrowTo(900);
  ASSERT_OK(Export(900, 600));
  EXPECT_FALSE(Has("checkpoint"));
  ASSERT_OK(Export(900));
  EXPECT_EQ(first_written_, 512U);
  ExpectLog(900);
  ASSERT_OK(Export(900));
  EXPECT_EQ(first_written_, 768U);
  ExpectLog(900);
}

TEST_F(LogDirectoryTest, PartialFilesGoWhenTheyAreOutgrown) {
  GrowTo(10);
  ASSERT_OK(Export(10));
  EXPECT_TRUE(Has("tile/0/000.p/10"));
  EXPECT_TRUE(Has("tile/entries/000.p/10"));
  GrowTo(20);
  ASSERT_OK(Export(20));
  EXPECT_FALSE(Has("tile/0/000.p/10"));
  EXPECT_TRUE(Has("tile/entries/000.p/20"));
  GrowTo(256);
  ASSERT_OK(Export(256));
  EXPECT_FALSE(Has("tile/0/000.p"));
  EXPECT_FALSE(Has("tile/entries/000.p"));
  EXPECT_TRUE(Has("tile/0/000"));
}

TEST_F(LogDirectoryTest, WhatIsNotTheSignedLogIsNotPublished) {
  GrowTo(300);
  ASSERT_OK(Export(300));
  auto writer = LogDirectoryWriter::Open(folder_.path());
  ASSERT_OK(writer);
  while (writer->size() < 300) ASSERT_OK(writer->Append("another entry"));
  EXPECT_THAT(writer->Finish(At(300), "another note"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("300 entries")));
  EXPECT_EQ(Read("checkpoint"), log_.SignedCheckpoint(300));
}

TEST_F(LogDirectoryTest, ADamagedTileIsNoticed) {
  GrowTo(600);
  ASSERT_OK(Export(600));
  std::string tile = Read("tile/0/001");
  tile[100] ^= 1;
  std::ofstream(folder_.Path("tile/0/001"), std::ios::binary) << tile;
  EXPECT_THAT(Export(600), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
  std::ofstream(folder_.Path("tile/0/001"), std::ios::binary) << tile.substr(1);
  EXPECT_THAT(Export(600), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("8191 bytes")));
}

TEST_F(LogDirectoryTest, AnEntryThatIsTooLongIsRefused) {
  auto writer = LogDirectoryWriter::Open(folder_.path());
  ASSERT_OK(writer);
  EXPECT_THAT(writer->Append(std::string(65'536, 'e')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("65536")));
  EXPECT_OK(writer->Append(std::string(65'535, 'e')));
}

TEST_F(LogDirectoryTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_.Path("file")) << "in the way";
  EXPECT_THAT(LogDirectoryWriter::Open(folder_.Path("file")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("file")));
}

}  // namespace
}  // namespace custody
