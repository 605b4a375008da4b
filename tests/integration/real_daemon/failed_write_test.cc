// The disk of the real daemon refuses a write: no receipt, no later write, reads go on, health and
// status say so, and a restart knows what is there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/integration/wire_probe.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FailedWriteTest : public RealLedgerTest {};

TEST_F(FailedWriteTest, NothingIsAcknowledgedAndReadsGoOnUntilARestart) {
  ASSERT_OK(ledger_->Start());
  std::vector<v1::Receipt> receipts;
  receipts.reserve(30);
  for (int i = 0; i < 30; ++i) receipts.push_back(MustRecord());
  const auto client = NewClient();
  ASSERT_OK(client->GetCheckpoint());
  const std::uint64_t size = Status().tree_size();
  EXPECT_EQ(HealthOf(ledger_->NewChannel(), kWritesHealth), "SERVING");

  // The next batch does not fit: a part of it may be down.
  const v1::SignedEvent uncertain = ledger_->NewSite();
  const std::size_t log_bytes = ledger_->LargestWriteAheadLog();
  ASSERT_GT(log_bytes, 0U);
  ledger_->LimitFileSize(log_bytes + 100);
  v1::RecordResponse answer;
  const grpc::Status failed = Record(uncertain, &answer);
  EXPECT_EQ(failed.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(answer.has_receipt());
  ASSERT_FALSE(ledger_->ExitCodeIfEnded().has_value()) << ledger_->log();
  EXPECT_EQ(FirstReason(failed), v1::REASON_CODE_E_STORE);
  EXPECT_THAT(RefusalIn(failed).reasons(0).remedy(), HasSubstr("same event again"));

  // Not even when the disk is well again.
  ledger_->LimitFileSize(SIZE_MAX);
  const grpc::Status later = Record(ledger_->NewSite(), &answer);
  EXPECT_EQ(later.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(FirstReason(later), v1::REASON_CODE_E_STORE);
  EXPECT_FALSE(answer.has_receipt());

  const v1::GetStatusResponse status = Status();
  EXPECT_EQ(status.mode(), "read-only");
  EXPECT_THAT(status.mode_reason(), AllOf(HasSubstr("E_STORE"), HasSubstr("restart the daemon")));
  EXPECT_EQ(status.tree_size(), size);
  const auto channel = ledger_->NewChannel();
  EXPECT_EQ(WaitForHealth(channel, kWritesHealth, "NOT_SERVING"), "NOT_SERVING");
  EXPECT_EQ(HealthOf(channel, kReadsHealth), "SERVING");
  EXPECT_EQ(HealthOf(channel, ""), "SERVING");
  for (const v1::Receipt& receipt : receipts) ExpectInLog(*client, receipt);

  ledger_->Stop();
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  const auto restarted = NewClient();
  for (const v1::Receipt& receipt : receipts) ExpectInLog(*restarted, receipt);
  EXPECT_OK(restarted->Record(uncertain));
  EXPECT_EQ(HealthOf(ledger_->NewChannel(), kWritesHealth), "SERVING");
}

}  // namespace
}  // namespace custody
