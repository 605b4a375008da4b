#include "daemon/ledger/anchor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

// An anchor that silently stopped would be missed on the day it is needed.
TEST(AnchorWriterTest, AFailureIsSeenUntilItIsGone) {
  const TempFolder folder;
  const std::string path = folder.Path("disk/anchor");
  FakeClock clock;
  LedgerMetrics metrics;
  AnchorWriter writer(path, /*interval_ms_min=*/1, clock, metrics);
  EXPECT_FALSE(writer.failure().has_value());
  writer.Publish("note");
  ASSERT_TRUE(Eventually([&] { return writer.failure().has_value(); }));
  EXPECT_EQ(writer.failure()->since_ms, clock.WallMs());
  const std::int64_t since_ms = clock.WallMs();
  clock.Advance(60'000);
  const auto failures = metrics.anchor_failures.load();
  // It is tried again without a new note, and keeps the moment of the first failure.
  ASSERT_TRUE(Eventually([&] { return metrics.anchor_failures.load() > failures + 1; }));
  EXPECT_EQ(writer.failure()->since_ms, since_ms);
  std::filesystem::create_directory(folder.Path("disk"));
  ASSERT_TRUE(Eventually([&] { return !writer.failure().has_value(); }));
  ASSERT_OK_AND_ASSIGN(const std::string note, ReadAnchor(path));
  EXPECT_EQ(note, "note");
}

TEST(AnchorWriterTest, TheStatusOfTheLedgerNamesTheFailure) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("disk"));
  LedgerKit kit;
  kit.options.anchor_path = folder.Path("disk/anchor");
  kit.options.anchor_interval_ms_min = 1;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  auto opened = kit.Open(disk);
  ASSERT_THAT(opened, IsOk());
  const Ledger& ledger = **opened;
  // In one step, since the first anchor may be on its way.
  std::filesystem::rename(folder.Path("disk"), folder.Path("elsewhere"));
  ASSERT_THAT(LedgerKit::Record(**opened, kit.Site(1)), IsOk());
  ASSERT_TRUE(Eventually([&] { return ledger.Status().anchor_failing; }));
  const LedgerStatus status = ledger.Status();
  EXPECT_EQ(status.mode, LedgerMode::kServing);
  EXPECT_THAT(status.mode_reason, HasSubstr("the anchor cannot be written since 20"));
  EXPECT_THAT(status.mode_reason, HasSubstr(folder.Path("disk")));
}

}  // namespace
}  // namespace custody
