#include "daemon/services/tile_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "daemon/ledger/ledger_reader.h"
#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class TileReadsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(kit_.Initialize(disk_), IsOk());
    auto opened = kit_.Open(disk_);
    ASSERT_THAT(opened, IsOk());
    ledger_ = *std::move(opened);
    for (int i = 1; i < 4; ++i) ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(i)), IsOk());
    size_ = ledger_->Snapshot()->size();
  }

  absl::StatusOr<std::vector<v1::ReadTilesResponse>> Read(
      const std::vector<std::string>& paths, std::uint64_t tree_size = 0,
      Principal principal = *DevelopmentPrincipal()) {
    v1::ReadTilesRequest request;
    for (const std::string& path : paths) request.add_paths(path);
    request.set_tree_size(tree_size);
    absl::StatusOr<TileReads> reads = TileReads::Open(*ledger_, principal, request);
    if (!reads.ok()) return reads.status();
    std::vector<v1::ReadTilesResponse> answers;
    for (;;) {
      v1::ReadTilesResponse response;
      const absl::StatusOr<bool> more = reads->Next(&response);
      if (!more.ok()) return more.status();
      if (!*more) return answers;
      answers.push_back(response);
    }
  }
  static std::string Partial(std::string_view folder, std::uint64_t width) {
    return std::string(folder) + "000.p/" + std::to_string(width);
  }

  LedgerKit kit_;
  MemoryStore disk_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t size_ = 0;
};

TEST_F(TileReadsTest, TilesAndBundlesAreThoseOfTheLog) {
  for (std::uint64_t width = 1; width <= size_; ++width) {
    ASSERT_OK_AND_ASSIGN(const auto answers,
                         Read({Partial("tile/0/", width), Partial("tile/entries/", width)}));
    ASSERT_EQ(answers.size(), 2U);
    std::string hashes;
    std::string bundle;
    const LedgerReader reader(ledger_->Snapshot());
    for (std::uint64_t i = 0; i < width; ++i) {
      ASSERT_OK_AND_ASSIGN(const StoredEntry entry, reader.GetEntry(i));
      hashes += LeafHash(entry.bytes).view();
      bundle += static_cast<char>(entry.bytes.size() >> 8U);
      bundle += static_cast<char>(entry.bytes.size() & 0xffU);
      bundle += entry.bytes;
    }
    EXPECT_EQ(answers[0].data(), hashes);
    EXPECT_EQ(answers[1].data(), bundle);
  }
}

TEST_F(TileReadsTest, WhatTheTreeDoesNotHaveIsOutOfRange) {
  for (const std::string& path :
       {Partial("tile/0/", size_ + 1), Partial("tile/entries/", size_ + 1),
        std::string("tile/0/000"), std::string("tile/1/000.p/1"), std::string("tile/0/001.p/1"),
        std::string("tile/entries/x072/x057/x594/x037/x927/000.p/1")}) {
    EXPECT_EQ(Read({path}).status().code(), StatusCode::kOutOfRange) << path;
  }
  EXPECT_EQ(Read({"tile/0/000.p/1"}, size_ + 1).status().code(), StatusCode::kOutOfRange);
  // The tree of two leaves has no third hash, although the log has.
  EXPECT_EQ(Read({"tile/0/000.p/3"}, 2).status().code(), StatusCode::kOutOfRange);
  EXPECT_OK(Read({"tile/0/000.p/2"}, 2));
}

TEST_F(TileReadsTest, MalformedAsksAreInvalidWithARemedy) {
  for (const char* path : {"", "tile/0/0", "tile/8/000", "/tile/0/000", "tile/0/000.p/256", "x"}) {
    const absl::Status status = Read({path}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << path;
    ASSERT_TRUE(RefusalOf(status).has_value()) << path;
    EXPECT_THAT(RefusalOf(status)->reasons(0).remedy(), HasSubstr("tile/<L>/<N>"));
  }
  EXPECT_EQ(Read({}).status().code(), StatusCode::kInvalidArgument);
  const std::vector<std::string> many(kTilesPerCallMax + 1, "tile/0/000.p/1");
  EXPECT_EQ(Read(many).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(TileReadsTest, HashesAreForEveryoneAndEntriesForWhoMayReadAll) {
  Principal stranger;
  stranger.label = "gateway";
  Principal of_a_site = stranger;
  of_a_site.permissions = {v1::PERMISSION_READ_ENTRIES};
  of_a_site.site_ids = {std::string(16, 's')};
  Principal reader = of_a_site;
  reader.site_ids.clear();
  for (const Principal& who : {stranger, of_a_site, reader}) {
    EXPECT_OK(Read({"tile/0/000.p/1"}, 0, who));
  }
  for (const Principal& who : {stranger, of_a_site}) {
    const absl::Status status = Read({"tile/0/000.p/1", "tile/entries/000.p/1"}, 0, who).status();
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(status.message(), HasSubstr("READ_ENTRIES for all sites"));
  }
  EXPECT_OK(Read({"tile/entries/000.p/1"}, 0, reader));
}

}  // namespace
}  // namespace custody
