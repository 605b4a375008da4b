#include "daemon/witness/evidence_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/fake_ledger_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

class EvidenceWriterTest : public testing::Test {
 protected:
  EvidenceWriterTest() {
    ClientOptions options;
    options.endpoint = server_.endpoint();
    options.insecure_loopback_only = true;
    options.ledger = FakeLog::kOrigin;
    options.log_keys = {server_.log.vkey()};
    options.retry.attempts_max = 1;
    client_ = Client::Connect(options).value();
    AuditFinding finding;
    finding.text = "entry 0: false";
    finding.entry_bytes = "entry";
    writer_ = std::make_unique<EvidenceWriter>(folder_.path(), finding, nullptr);
    EXPECT_OK(writer_->WriteFinding());
  }
  // How often the receipt was asked for until it was given up.
  int AskUntilDone() {
    for (int i = 0; i < 100 && !writer_->is_done(); ++i) writer_->WriteReceipt(*client_, {});
    EXPECT_TRUE(writer_->is_done());
    const std::lock_guard<std::mutex> lock(server_.mutex);
    return server_.receipt_requests;
  }

  TempFolder folder_;
  FakeLedgerServer server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<EvidenceWriter> writer_;
};

TEST_F(EvidenceWriterTest, GivesUpOnALedgerThatStaysOutOfReach) {
  server_.receipt_status = {grpc::StatusCode::UNAVAILABLE, "by the test"};
  EXPECT_EQ(AskUntilDone(), kReceiptRequestsMax);
}

// What the ledger refuses, it refuses.
TEST_F(EvidenceWriterTest, AsksOnceForWhatIsRefused) {
  server_.receipt_status = {grpc::StatusCode::PERMISSION_DENIED, "by the test"};
  EXPECT_EQ(AskUntilDone(), 1);
}

// The ledger is asked no more, the disk is.
TEST_F(EvidenceWriterTest, AReceiptThatCannotBeWrittenIsWrittenLater) {
  server_.log.AppendEvent(v1::SignedEvent());
  const std::string receipt = folder_.Path("evidence/audit-0.receipt");
  std::filesystem::create_directory(receipt);
  for (int i = 0; i < 3; ++i) writer_->WriteReceipt(*client_, {});
  EXPECT_FALSE(writer_->is_done());
  std::filesystem::remove(receipt);
  EXPECT_EQ(AskUntilDone(), 1);
  EXPECT_TRUE(std::filesystem::is_regular_file(receipt));
}

}  // namespace
}  // namespace custody
