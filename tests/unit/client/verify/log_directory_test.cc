#include "client/verify/log_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/bytes.h"
#include "client/verify/log_directory_reader.h"
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

// Of a log that is followed, one writer publishes one checkpoint after the other.
TEST_F(LogDirectoryTest, GoesOnBehindACheckpoint) {
  GrowTo(800);
  ASSERT_OK_AND_ASSIGN(LogDirectoryWriter writer, LogDirectoryWriter::Open(folder_.path()));
  for (const std::uint64_t size : {3U, 4U, 255U, 256U, 257U, 600U, 800U}) {
    while (writer.size() < size) ASSERT_OK(writer.Append(log_.EntryAt(writer.size())));
    ASSERT_OK(writer.Finish(At(size), log_.SignedCheckpoint(size)));
    ExpectLog(size);
  }
}

// Whoever is killed between two checkpoints leaves the older one whole.
TEST_F(LogDirectoryTest, WhatACheckpointStandsOnStaysUntilTheNextOneIsThere) {
  GrowTo(1'000);
  ASSERT_OK_AND_ASSIGN(LogDirectoryWriter writer, LogDirectoryWriter::Open(folder_.path()));
  const auto expect_readable = [&](std::uint64_t size) {
    ASSERT_OK_AND_ASSIGN(const LogDirectoryReader reader, LogDirectoryReader::Open(folder_.path()));
    EXPECT_EQ(reader.size(), size);
    std::uint64_t count = 0;
    EXPECT_OK(reader.Read(0,
                          [&](std::uint64_t index, std::string_view entry) {
                            EXPECT_EQ(entry, log_.EntryAt(index));
                            ++count;
                            return absl::OkStatus();
                          }))
        << "while " << writer.size() << " entries are there";
    EXPECT_EQ(count, size);
  };
  std::uint64_t published = 0;
  for (const std::uint64_t size : {250U, 260U, 513U, 1'000U}) {
    while (writer.size() < size) {
      ASSERT_OK(writer.Append(log_.EntryAt(writer.size())));
      if (published > 0) expect_readable(published);
    }
    // The last step alone fails: all else is written by then.
    std::filesystem::create_directory(folder_.Path("checkpoint.new"));
    EXPECT_THAT(writer.Finish(At(size), log_.SignedCheckpoint(size)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("checkpoint.new")));
    if (published > 0) expect_readable(published);
    std::filesystem::remove(folder_.Path("checkpoint.new"));
    ASSERT_OK(writer.Finish(At(size), log_.SignedCheckpoint(size)));
    published = size;
    expect_readable(size);
  }
}

TEST_F(LogDirectoryTest, HasOneWriterAtATime) {
  GrowTo(3);
  {
    ASSERT_OK_AND_ASSIGN(LogDirectoryWriter first, LogDirectoryWriter::Open(folder_.path()));
    const LogDirectoryWriter moved = std::move(first);
    EXPECT_THAT(LogDirectoryWriter::Open(folder_.path()),
                StatusIs(absl::StatusCode::kAborted, HasSubstr("another program")));
  }
  EXPECT_OK(Export(3));
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
