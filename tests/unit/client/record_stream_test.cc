#include "custody/record_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "custody/client.h"
#include "tests/support/fake_ledger_server.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/signed_event_maker.h"

namespace custody {
namespace {

class RecordStreamTest : public testing::Test {
 protected:
  RecordStreamTest() {
    options_.endpoint = server_.endpoint();
    options_.insecure_loopback_only = true;
    options_.ledger = FakeLog::kOrigin;
    options_.log_keys = {server_.log.vkey()};
    options_.retry.backoff_first = std::chrono::milliseconds(1);
    options_.retry.backoff_max = std::chrono::milliseconds(4);
    client_ = Client::Connect(options_).value();
  }

  std::unique_ptr<RecordStream> Open(RecordStreamOptions options = {}) {
    return client_
        ->OpenRecordStream(
            [this](std::uint64_t tag, absl::StatusOr<RecordResult> result) {
              EXPECT_TRUE(answers_.emplace(tag, std::move(result)).second) << "answered twice";
            },
            options)
        .value();
  }

  FakeLedgerServer server_;
  ClientOptions options_;
  std::unique_ptr<Client> client_;
  std::map<std::uint64_t, absl::StatusOr<RecordResult>> answers_;
};

TEST_F(RecordStreamTest, RecordsInTheOrderSent) {
  const auto stream = Open({.in_flight_max = 4});
  for (int i = 0; i < 50; ++i) {
    EXPECT_OK(stream->Send(SignedTestEvent(std::to_string(i))));
  }
  ASSERT_OK(stream->Finish());
  ASSERT_EQ(answers_.size(), 50U);
  std::uint64_t index = 0;
  for (const auto& [tag, result] : answers_) {
    ASSERT_OK(result);
    EXPECT_EQ(result->receipt.index(), index++);
  }
}

TEST_F(RecordStreamTest, SendsUnansweredEventsAgainAfterABrokenStream) {
  server_.stream_breaks = {3, 0, 7};
  const auto stream = Open({.in_flight_max = 8});
  for (int i = 0; i < 30; ++i) {
    EXPECT_OK(stream->Send(SignedTestEvent(std::to_string(i))));
  }
  ASSERT_OK(stream->Finish());
  ASSERT_EQ(answers_.size(), 30U);
  EXPECT_EQ(server_.log.size(), 30U);  // Nothing twice.
  EXPECT_GT(server_.received.size(), 30U);
  std::uint64_t index = 0;
  for (const auto& [tag, result] : answers_) {
    ASSERT_OK(result);
    EXPECT_EQ(result->receipt.index(), index++);
  }
}

TEST_F(RecordStreamTest, ARefusalDoesNotEndTheStream) {
  v1::Refusal refusal;
  refusal.add_reasons()->set_code(v1::REASON_CODE_E_STATE);
  server_.script = {grpc::Status::OK,
                    RefusedCall(grpc::StatusCode::FAILED_PRECONDITION, "no", refusal)};
  const auto stream = Open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(stream->Send(SignedTestEvent(std::to_string(i))));
  }
  ASSERT_OK(stream->Finish());
  EXPECT_OK(answers_.at(1));
  EXPECT_THAT(answers_.at(2), StatusIs(absl::StatusCode::kFailedPrecondition, "no"));
  EXPECT_EQ(RefusalOf(answers_.at(2).status())->reasons(0).code(), v1::REASON_CODE_E_STATE);
  EXPECT_OK(answers_.at(3));
}

TEST_F(RecordStreamTest, SendsAnEventAgainThatWasToldToWait) {
  server_.script = {grpc::Status(grpc::StatusCode::UNAVAILABLE, "for now")};
  const auto stream = Open();
  EXPECT_OK(stream->Send(SignedTestEvent("one")));
  ASSERT_OK(stream->Finish());
  EXPECT_OK(answers_.at(1));
  EXPECT_EQ(server_.received.size(), 2U);
}

// An overloaded ledger must not be asked again and again at the first, shortest interval.
TEST_F(RecordStreamTest, AnEventThatIsToldToWaitWaitsLongerEachTime) {
  ClientOptions options = options_;
  options.retry.backoff_first = std::chrono::milliseconds(20);
  options.retry.backoff_max = std::chrono::milliseconds(160);
  client_ = Client::Connect(options).value();
  server_.script.assign(5, grpc::Status(grpc::StatusCode::UNAVAILABLE, "for now"));
  const auto stream = Open();
  EXPECT_OK(stream->Send(SignedTestEvent("one")));
  ASSERT_OK(stream->Finish());
  EXPECT_OK(answers_.at(1));
  ASSERT_EQ(server_.received_at.size(), 6U);
  // Each wait is drawn from the upper half: at least 10, 20, 40, 80 and 80 ms.
  for (int i = 0; i < 5; ++i) {
    const auto waited = server_.received_at[static_cast<std::size_t>(i) + 1] -
                        server_.received_at[static_cast<std::size_t>(i)];
    EXPECT_GE(waited, std::chrono::milliseconds(std::min(10 << i, 80))) << i;
  }
}

// Time that the ledger asked for is not silence of the connection.
TEST_F(RecordStreamTest, AWaitThatWasAskedForKeepsTheConnection) {
  ClientOptions options = options_;
  options.retry.attempt_deadline = std::chrono::milliseconds(500);
  client_ = Client::Connect(options).value();
  v1::Refusal refusal;
  refusal.add_reasons()->set_code(v1::REASON_CODE_E_OVERLOADED);
  refusal.set_retry_after_ms(1'200);
  server_.script = {RefusedCall(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy", refusal)};
  const auto stream = Open();
  EXPECT_OK(stream->Send(SignedTestEvent("one")));
  ASSERT_OK(stream->Finish());
  EXPECT_OK(answers_.at(1));
  ASSERT_EQ(server_.received_at.size(), 2U);
  EXPECT_GE(server_.received_at[1] - server_.received_at[0], std::chrono::milliseconds(1'200));
  EXPECT_EQ(server_.streams, 1);
}

TEST_F(RecordStreamTest, AFalseReceiptEndsTheStream) {
  server_.tamper = [](v1::RecordResponse* response) { response->mutable_receipt()->set_index(9); };
  const auto stream = Open();
  EXPECT_OK(stream->Send(SignedTestEvent("one")));
  EXPECT_THAT(stream->Finish(), StatusIs(absl::StatusCode::kDataLoss, testing::_));
  EXPECT_THAT(answers_.at(1), StatusIs(absl::StatusCode::kDataLoss, testing::_));
  EXPECT_THAT(stream->Send(SignedTestEvent("two")),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

TEST_F(RecordStreamTest, GivesUpAfterFruitlessConnections) {
  server_.stream_breaks = {0, 0, 0, 0, 0, 0};
  const auto stream = Open({.in_flight_max = 4, .reconnects_max = 2});
  EXPECT_OK(stream->Send(SignedTestEvent("one")));
  EXPECT_THAT(stream->Finish(), StatusIs(absl::StatusCode::kUnavailable, testing::_));
  EXPECT_THAT(answers_.at(1), StatusIs(absl::StatusCode::kUnavailable, testing::_));
}

}  // namespace
}  // namespace custody
