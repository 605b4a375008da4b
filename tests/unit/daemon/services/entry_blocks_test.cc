#include "daemon/services/entry_blocks.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

class EntryBlocksTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(kit_.Initialize(disk_), IsOk());
    auto opened = kit_.Open(disk_);
    ASSERT_THAT(opened, IsOk());
    ledger_ = *std::move(opened);
  }

  LedgerKit kit_;
  MemoryStore disk_;
  std::unique_ptr<Ledger> ledger_;
};

// A client that stops reading must not pin a snapshot: the store could free nothing behind it.
TEST_F(EntryBlocksTest, AStalledReaderHoldsNoSnapshot) {
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(1)), IsOk());
  const std::uint64_t end = ledger_->Snapshot()->size();
  EntryBlocks blocks(*ledger_, DevelopmentPrincipal(), 0, end);
  v1::ReadEntriesResponse response;
  ASSERT_OK_AND_ASSIGN(const bool first, blocks.Next(&response));
  ASSERT_TRUE(first);

  const std::weak_ptr<const LedgerSnapshot> old = ledger_->Snapshot();
  // Two batches, since the planner reads from the newest durable one.
  for (int i = 2; i < 6; ++i) ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(i)), IsOk());
  ledger_->Shutdown();
  EXPECT_TRUE(old.expired());

  // What was asked for comes all the same, and nothing that came later.
  std::vector<std::uint64_t> indices = {response.index()};
  for (;;) {
    ASSERT_OK_AND_ASSIGN(const bool more, blocks.Next(&response));
    if (!more) break;
    indices.push_back(response.index());
  }
  ASSERT_EQ(indices.size(), end);
  for (std::uint64_t index = 0; index < end; ++index) EXPECT_EQ(indices[index], index);
}

}  // namespace
}  // namespace custody
