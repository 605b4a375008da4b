// An older copy of the data folder is put in place of the newest one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/integration/wire_probe.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

void Replace(const fs::path& target, const fs::path& source) {
  fs::remove_all(target);
  fs::copy(source, target, fs::copy_options::recursive);
}

class RollbackTest : public RealLedgerTest {
 protected:
  void StartAndStopAfter(int events) {
    ASSERT_OK(ledger_->Start());
    for (int i = 0; i < events; ++i) receipts_.push_back(MustRecord());
    // A clean stop writes the anchor of the newest checkpoint.
    EXPECT_EQ(ledger_->Stop(), 0) << ledger_->log();
  }
  fs::path Copy(const std::string& name) const { return folder_.Path(name); }

  // Nothing is written, everything else is as it should be.
  void ExpectRefusesToWrite(const std::string& why) {
    const v1::GetStatusResponse before = Status();
    EXPECT_EQ(before.mode(), "read-only");
    EXPECT_THAT(before.mode_reason(), AllOf(HasSubstr("E_ROLLBACK"), HasSubstr(why),
                                            HasSubstr("anchor file, back in place")));
    const grpc::Status status = Record(ledger_->NewSite());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_ROLLBACK);
    const v1::Refusal refusal = RefusalIn(status);
    ASSERT_EQ(refusal.reasons_size(), 1);
    EXPECT_THAT(refusal.reasons(0).message(), HasSubstr(why));
    EXPECT_THAT(refusal.reasons(0).remedy(), HasSubstr("newest copy of the ledger's data"));
    const auto channel = ledger_->NewChannel();
    EXPECT_EQ(HealthOf(channel, kWritesHealth), "NOT_SERVING");
    EXPECT_EQ(HealthOf(channel, kReadsHealth), "SERVING");
    EXPECT_EQ(HealthOf(channel, ""), "SERVING");
    EXPECT_EQ(Status().tree_size(), before.tree_size());
    EXPECT_THAT(ledger_->log(), AllOf(HasSubstr("read-only"), HasSubstr("E_ROLLBACK")));
  }

  std::vector<v1::Receipt> receipts_;
};

TEST_F(RollbackTest, AnOlderCopyIsReadAndNotWritten) {
  StartAndStopAfter(3);
  Replace(Copy("old"), ledger_->data());
  StartAndStopAfter(4);
  Replace(Copy("newest"), ledger_->data());

  Replace(ledger_->data(), Copy("old"));
  ASSERT_OK(ledger_->Start());
  ExpectRefusesToWrite("the store is an old copy");
  const auto client = NewClient();
  for (int i = 0; i < 3; ++i) ExpectInLog(*client, receipts_[static_cast<std::size_t>(i)]);
  v1::GetEntryRequest lost;
  lost.set_index(receipts_[6].index());
  EXPECT_EQ(client->GetEntry(lost).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ledger_->Stop(), 0) << ledger_->log();

  // The refusal has written nothing: it is the same at the next start, and the newest data go on.
  ASSERT_OK(ledger_->Start());
  ExpectRefusesToWrite("the store is an old copy");
  EXPECT_EQ(ledger_->Stop(), 0);
  Replace(ledger_->data(), Copy("newest"));
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  MustRecord();
  for (const v1::Receipt& receipt : receipts_) ExpectInLog(*NewClient(), receipt);
}

TEST_F(RollbackTest, AMissingAnchorIsNotTakenForANewOne) {
  StartAndStopAfter(1);
  ASSERT_TRUE(fs::remove(ledger_->anchor()));
  ASSERT_OK(ledger_->Start());
  ExpectRefusesToWrite("the anchor cannot be read");
  EXPECT_FALSE(fs::exists(ledger_->anchor()));
  ExpectInLog(*NewClient(), receipts_[0]);
}

// Somebody let the old copy go on by itself, beyond the size of the anchor.
TEST_F(RollbackTest, ACopyThatWentOnByItselfIsAnotherLog) {
  StartAndStopAfter(1);
  Replace(Copy("old"), ledger_->data());
  Replace(Copy("old-anchor"), ledger_->anchor());
  StartAndStopAfter(1);
  Replace(Copy("anchor"), ledger_->anchor());
  Replace(ledger_->data(), Copy("old"));
  Replace(ledger_->anchor(), Copy("old-anchor"));
  StartAndStopAfter(5);
  Replace(ledger_->anchor(), Copy("anchor"));
  ASSERT_OK(ledger_->Start());
  ExpectRefusesToWrite("the anchor shows another root");
}

// The daemon cannot know when the anchor was rolled back together with the data; a client that
// remembers does.
TEST_F(RollbackTest, AClientThatRemembersNoticesWhatTheAnchorCannot) {
  StartAndStopAfter(1);
  Replace(Copy("old"), ledger_->data());
  Replace(Copy("old-anchor"), ledger_->anchor());
  ASSERT_OK(ledger_->Start());
  ClientOptions options = ledger_->client_options();
  options.checkpoint_file = folder_.Path("checkpoint");
  for (int i = 0; i < 5; ++i) ASSERT_OK((*Client::Connect(options))->Record(ledger_->NewSite()));
  EXPECT_EQ(ledger_->Stop(), 0);
  Replace(ledger_->data(), Copy("old"));
  Replace(ledger_->anchor(), Copy("old-anchor"));
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  options.endpoint = ledger_->client_options().endpoint;
  EXPECT_THAT((*Client::Connect(options))->GetCheckpoint(),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

}  // namespace
}  // namespace custody
