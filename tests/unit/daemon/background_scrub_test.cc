// The scrub while a daemon serves, over a store on a disk.
#include "daemon/background_scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "daemon/files.h"
#include "storage/rocksdb_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

constexpr std::uint32_t kSlow = 1'000;
constexpr std::uint32_t kFast = 1'000'000;

class BackgroundScrubTest : public testing::Test {
 protected:
  void SetUp() override {
    files_.path = folder_.Path("store");
    files_.create_if_missing = true;
    ASSERT_OK_AND_ASSIGN(store_, RocksdbStore::Open(files_));
    ASSERT_OK(kit_.Initialize(*store_));
    ASSERT_OK_AND_ASSIGN(ledger_, kit_.Open(*store_));
    for (int i = 0; ledger_->Snapshot()->size() < 5 * kTileWidth; ++i) {
      ASSERT_OK(LedgerKit::Record(*ledger_, kit_.Site(i)));
    }
  }

  void Close() {
    ledger_.reset();
    store_.reset();
  }
  // A daemon that starts again.
  void Open() {
    ASSERT_OK_AND_ASSIGN(store_, RocksdbStore::Open(files_));
    ASSERT_OK_AND_ASSIGN(ledger_, kit_.Open(*store_));
  }

  std::unique_ptr<BackgroundScrub> Scrub(std::uint32_t entries_per_second_max,
                                         std::string_view state_file = "scrub") {
    return std::make_unique<BackgroundScrub>(
        *ledger_, *store_,
        BackgroundScrubOptions{.entries_per_second_max = entries_per_second_max,
                               .pass_interval_ms_min = 3'600'000,
                               .state_file = folder_.Path(state_file),
                               .files = files_,
                               .save_interval_ms = 0});
  }

  ScrubProgress Progress() const { return ledger_->known_damage().progress(); }

  template <typename Condition>
  void WaitFor(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!condition(Progress())) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << Progress().entries_done;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // The rest of the pass, and how many entries it read for that.
  std::uint64_t FinishPass(std::string_view state_file) {
    const auto scrub = Scrub(kFast, state_file);
    scrub->Start();
    WaitFor([](const ScrubProgress& now) { return now.passes == 1; });
    scrub->Stop();
    return Progress().entries_checked;
  }

  TempFolder folder_;
  LedgerKit kit_;
  RocksdbOptions files_;
  std::unique_ptr<RocksdbStore> store_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(BackgroundScrubTest, APassThatWasStoppedGoesOnWhereItWas) {
  const std::uint64_t size = ledger_->Snapshot()->size();
  std::uint64_t done = 0;
  {
    const auto scrub = Scrub(kSlow);
    scrub->Start();
    WaitFor([](const ScrubProgress& now) { return now.entries_done >= 2 * kTileWidth; });
    scrub->Stop();
    done = Progress().entries_done;
    ASSERT_LT(done, size);
    EXPECT_EQ(Progress().passes, 0U);
  }
  Close();
  Open();
  {
    const auto scrub = Scrub(kSlow);
    EXPECT_EQ(Progress().entries_done, done);
    EXPECT_EQ(Progress().pass, 1U);
  }
  // The rest is read, with the seal of the start, and nothing twice.
  EXPECT_EQ(FinishPass("scrub"), ledger_->Snapshot()->size() - done);
  EXPECT_EQ(Progress().pass, 2U);
  EXPECT_GT(Progress().pass_finished_at_ms, 0);
}

TEST_F(BackgroundScrubTest, APassThatWasKilledGoesOnWhereItWas) {
  const std::uint64_t size = ledger_->Snapshot()->size();
  {
    const auto scrub = Scrub(kSlow);
    scrub->Start();
    WaitFor([](const ScrubProgress& now) { return now.entries_done >= 3 * kTileWidth; });
    // What a kill at this moment would leave; Stop() saves once more.
    std::filesystem::copy_file(folder_.Path("scrub"), folder_.Path("left"));
    ASSERT_LT(Progress().entries_done, size);
  }
  Close();
  Open();
  // It may have been killed before it wrote down the span that it had just read.
  EXPECT_LE(FinishPass("left"), ledger_->Snapshot()->size() - 2 * kTileWidth);
  EXPECT_EQ(Progress().pass, 2U);
}

// Buckets of the index are a long way, too.
TEST_F(BackgroundScrubTest, APassThatWasKilledAmongTheBucketsReadsNoEntryAgain) {
  {
    const auto scrub = Scrub(2 * kSlow);
    scrub->Start();
    const std::uint64_t size = ledger_->Snapshot()->size();
    WaitFor([size](const ScrubProgress& now) { return now.entries_done == size; });
    std::filesystem::copy_file(folder_.Path("scrub"), folder_.Path("left"));
  }
  Close();
  Open();
  EXPECT_LE(FinishPass("left"), kTileWidth);
  EXPECT_EQ(Progress().pass, 2U);
}

TEST_F(BackgroundScrubTest, WhatCameSinceThePassBeganIsForTheNextOne) {
  const std::uint64_t size = ledger_->Snapshot()->size();
  {
    const auto scrub = Scrub(kSlow);
    scrub->Start();
    WaitFor([](const ScrubProgress& now) { return now.entries_done >= kTileWidth; });
  }
  for (int i = 100'000; ledger_->Snapshot()->size() < 7 * kTileWidth; ++i) {
    ASSERT_OK(LedgerKit::Record(*ledger_, kit_.Site(i)));
  }
  // The last span of the pass may have been half full when it began.
  EXPECT_LT(FinishPass("scrub"), size);
}

TEST_F(BackgroundScrubTest, AStateThatCannotBeReadBeginsAnew) {
  const std::uint64_t size = ledger_->Snapshot()->size();
  ASSERT_OK(ReplaceSmallFile(folder_.Path("scrub"), "{ half a"));
  EXPECT_EQ(FinishPass("scrub"), size);
}

}  // namespace
}  // namespace custody
