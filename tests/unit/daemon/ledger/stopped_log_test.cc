#include "daemon/ledger/stopped_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "base/bytes.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

class StoppedLogTest : public testing::Test {
 protected:
  StoppedLogTest() { EXPECT_TRUE(kit_.Initialize(store_).ok()); }

  // Opens the ledger as a process would, records a site unless it is 0, and stops.
  LedgerMode Run(int site) {
    StoppedLog stopped_log(path_);
    kit_.options.stopped_log = &stopped_log;
    const absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    if (!ledger.ok()) return LedgerMode::kStopped;
    const LedgerMode mode = (*ledger)->Status().mode;
    if (site != 0) {
      EXPECT_OK(kit_.Record(**ledger, kit_.Site(site)).status());
    }
    (*ledger)->Shutdown();
    return mode;
  }
  std::string Left() const {
    std::ostringstream bytes;
    bytes << std::ifstream(path_, std::ios::binary).rdbuf();
    return bytes.str();
  }
  void Leave(std::string_view value) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << value;
  }
  void DeleteBuckets() {
    WriteBatch writes;
    const std::string prefix = PrefixOfTable(Table::kIndexBucket);
    EXPECT_OK(store_.OpenView().value()->Scan(prefix, PrefixEnd(prefix),
                                              [&](std::string_view key, std::string_view) {
                                                writes.Delete(key);
                                                return true;
                                              }));
    EXPECT_OK(store_.Apply(writes, Durability::kSynced));
  }

  TempFolder folder_;
  const std::string path_ = folder_.Path("stopped-log");
  LedgerKit kit_;
  MemoryStore store_;
};

TEST_F(StoppedLogTest, AStartAfterACleanStopReadsOneFile) {
  Run(1);
  // So the table of buckets is not what the start reads.
  DeleteBuckets();
  EXPECT_EQ(Run(0), LedgerMode::kServing);
}

TEST_F(StoppedLogTest, WithoutItTheTableOfBucketsIsRead) {
  Run(1);
  std::filesystem::remove(path_);
  EXPECT_EQ(Run(0), LedgerMode::kServing);
  std::filesystem::remove(path_);
  DeleteBuckets();
  EXPECT_EQ(Run(0), LedgerMode::kStopped);
}

TEST_F(StoppedLogTest, OneOfAShorterLogIsNotUsed) {
  Run(1);
  const std::string older = Left();
  Run(2);
  ASSERT_NE(Left(), older);
  Leave(older);
  EXPECT_EQ(Run(0), LedgerMode::kServing);
  Leave(older);
  DeleteBuckets();
  EXPECT_EQ(Run(0), LedgerMode::kStopped);
}

// Whole and of the right size, but of another log: head and last seal tell.
TEST_F(StoppedLogTest, OneOfAnotherLogIsNotUsed) {
  Run(1);
  const std::string own = Left();
  LedgerKit other;
  other.options.stopped_log = nullptr;
  MemoryStore other_store;
  ASSERT_OK(other.Initialize(other_store).status());
  const auto ledger = other.Open(other_store);
  ASSERT_OK(ledger.status());
  ASSERT_OK(LedgerKit::Record(**ledger, other.Site(7)).status());
  (*ledger)->Shutdown();
  const auto last = (*ledger)->Snapshot();
  ASSERT_OK(StoppedLog(path_).Leave(*last->edge, last->index));
  ASSERT_EQ(ReadBigEndian64(Left()), ReadBigEndian64(own));
  ASSERT_NE(Left(), own);
  EXPECT_EQ(Run(0), LedgerMode::kServing);
}

// Of the index the root alone would not tell: a subtree with one leaf is that leaf, in whatever
// bucket. Of the tree it does.
TEST_F(StoppedLogTest, ADamagedOneIsNotUsed) {
  Run(1);
  const std::string whole = Left();
  const std::uint64_t size = ReadBigEndian64(whole);
  const auto read = [&] { return StoppedLog(path_).Take(size); };
  ASSERT_TRUE(read().has_value());
  const Digest root = read()->tree.Root();
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    Leave(damaged);
    const auto left = read();
    EXPECT_TRUE(!left.has_value() || left->tree.Root() != root) << place;
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Leave(whole.substr(0, length));
    EXPECT_FALSE(read().has_value()) << length;
  }
  Leave(std::string(5U << 20, 'x'));
  EXPECT_FALSE(read().has_value());
  // A false hash in the tree: the tiles are read.
  std::string damaged = whole;
  damaged[8] = static_cast<char>(damaged[8] ^ 0x10);
  Leave(damaged);
  EXPECT_EQ(Run(0), LedgerMode::kServing);
}

TEST_F(StoppedLogTest, AFileThatCannotBeWrittenIsSaidAndHindersNoStop) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(StoppedLog(path_).Leave(TileEdge(), IndexTree().Snapshot()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(path_)));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  EXPECT_EQ(Run(1), LedgerMode::kServing);
  EXPECT_EQ(Run(0), LedgerMode::kServing);
}

}  // namespace
}  // namespace custody
