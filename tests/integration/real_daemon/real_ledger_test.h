// What the tests over the real daemon share.

#ifndef CUSTODY_TESTS_INTEGRATION_REAL_DAEMON_REAL_LEDGER_TEST_H_
#define CUSTODY_TESTS_INTEGRATION_REAL_DAEMON_REAL_LEDGER_TEST_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "custody/v1/admin_service.grpc.pb.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "tests/support/paths.h"
#include "tests/support/real_ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {

class RealLedgerTest : public testing::Test {
 protected:
  explicit RealLedgerTest(bool unix_socket = false, std::vector<std::string> settings = {}) {
    RealLedgerOptions options;
    options.settings = std::move(settings);
    options.folder = folder_.Path("ledger");
    std::filesystem::create_directory(options.folder);
    options.program = BinaryPath("daemon/custodyd");
    options.unix_socket = unix_socket;
    auto ledger = RealLedger::Create(options);
    if (!ledger.ok()) ADD_FAILURE() << ledger.status();
    CUSTODY_CHECK(ledger.ok());
    ledger_ = *std::move(ledger);
  }

  // One try, as it comes.
  static grpc::Status Record(const std::shared_ptr<grpc::Channel>& channel,
                             const v1::SignedEvent& event, v1::RecordResponse* response = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::RecordRequest request;
    *request.mutable_signed_event() = event;
    v1::RecordResponse unused;
    return v1::LedgerService::NewStub(channel)->Record(&context, request,
                                                       response == nullptr ? &unused : response);
  }
  grpc::Status Record(const v1::SignedEvent& event, v1::RecordResponse* response = nullptr) {
    return Record(ledger_->NewChannel(), event, response);
  }
  // Records a new site and keeps its receipt.
  v1::Receipt MustRecord() {
    v1::RecordResponse response;
    const grpc::Status status = Record(ledger_->NewSite(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.receipt();
  }

  v1::GetStatusResponse Status() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::GetStatusResponse response;
    const grpc::Status status = v1::AdminService::NewStub(ledger_->NewChannel())
                                    ->GetStatus(&context, v1::GetStatusRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::unique_ptr<Client> NewClient() {
    auto client = Client::Connect(ledger_->client_options());
    EXPECT_OK(client);
    return *std::move(client);
  }

  // The receipt's entry is in the log, at its place, with its bytes.
  void ExpectInLog(Client& client, const v1::Receipt& receipt) {
    v1::GetReceiptRequest request;
    request.set_index(receipt.index());
    const auto now = client.GetReceipt(request);  // Verified by the client.
    ASSERT_OK(now);
    EXPECT_EQ(now->entry(), receipt.entry());
  }

  TempFolder folder_;
  std::unique_ptr<RealLedger> ledger_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_INTEGRATION_REAL_DAEMON_REAL_LEDGER_TEST_H_
