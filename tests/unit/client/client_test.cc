#include "custody/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "tests/support/fake_ledger_server.h"
#include "tests/support/slow_proxy.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/signed_event_maker.h"

namespace custody {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

ClientOptions OptionsFor(const FakeLedgerServer& server) {
  ClientOptions options;
  options.endpoint = server.endpoint();
  options.insecure_loopback_only = true;
  options.ledger = FakeLog::kOrigin;
  options.log_keys = {server.log.vkey()};
  options.retry.backoff_first = std::chrono::milliseconds(1);
  options.retry.backoff_max = std::chrono::milliseconds(4);
  return options;
}

grpc::Status Busy(std::uint64_t retry_after_ms) {
  v1::Refusal refusal;
  refusal.add_reasons()->set_code(v1::REASON_CODE_E_OVERLOADED);
  refusal.set_retry_after_ms(retry_after_ms);
  return RefusedCall(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much is waiting", refusal);
}

std::string FileText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST(ClientTest, RecordsAndReturnsAVerifiedReceipt) {
  FakeLedgerServer server;
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  const v1::SignedEvent event = SignedTestEvent("one");
  ASSERT_OK_AND_ASSIGN(const RecordResult first, client->Record(event));
  EXPECT_FALSE(first.already_recorded);
  EXPECT_EQ(first.receipt.index(), 0U);
  ASSERT_OK_AND_ASSIGN(const RecordResult again, client->Record(event));
  EXPECT_TRUE(again.already_recorded);
  EXPECT_EQ(again.receipt.index(), 0U);
  EXPECT_EQ(server.log.size(), 1U);
}

// While calls fail at once, because the server was not there a moment ago, the connection must go
// on being made.
TEST(ClientTest, ConnectsToASlowServerThatComesBack) {
  FakeLedgerServer server;
  SlowProxy proxy(server.port(), std::chrono::milliseconds(300), ProxyOpens::kWhenAsked);
  ClientOptions options = OptionsFor(server);
  options.endpoint = proxy.endpoint();
  options.deadline = std::chrono::seconds(20);
  options.retry.backoff_max = std::chrono::milliseconds(100);
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    proxy.Open();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_OK(client->Record(SignedTestEvent("one")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
  later.join();
}

TEST(ClientTest, RetriesWithTheSameBytesUntilRecorded) {
  FakeLedgerServer server;
  server.script = {grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting"), Busy(1),
                   grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "slow")};
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  const v1::SignedEvent event = SignedTestEvent("one");
  EXPECT_OK(client->Record(event));
  EXPECT_THAT(server.received, SizeIs(4));
  EXPECT_THAT(server.received, Each(event.event()));
  EXPECT_EQ(server.log.size(), 1U);
}

// The time for a connection is not the wait between tries: a server that takes a while to greet,
// on a busy machine, is waited for.
// A daemon that stops cancels the calls that it waits for no longer; to the caller that is a server
// that is not there, and no wish of its own.
TEST(ClientTest, ACallThatTheServerCancelledIsTriedAgain) {
  FakeLedgerServer server;
  server.script = {grpc::Status(grpc::StatusCode::CANCELLED, "CANCELLED")};
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  EXPECT_OK(client->Record(SignedTestEvent("one")));
  EXPECT_THAT(server.received, SizeIs(2));
}

TEST(ClientTest, WaitsForASlowGreetingInsteadOfConnectingAgainAndAgain) {
  FakeLedgerServer server;
  SlowProxy proxy(server.port(), std::chrono::milliseconds(300));
  ClientOptions options = OptionsFor(server);
  options.endpoint = proxy.endpoint();
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  EXPECT_OK(client->Record(SignedTestEvent("one")));
  EXPECT_EQ(proxy.connections(), 1);
}

TEST(ClientTest, DoesNotRetryARefusalAndHandsItOver) {
  FakeLedgerServer server;
  v1::Refusal refusal;
  refusal.add_reasons()->set_code(v1::REASON_CODE_E_HOLD);
  server.script = {RefusedCall(grpc::StatusCode::FAILED_PRECONDITION, "on hold", refusal)};
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  const auto result = client->Record(SignedTestEvent("one"));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, "on hold"));
  ASSERT_TRUE(RefusalOf(result.status()).has_value());
  EXPECT_EQ(RefusalOf(result.status())->reasons(0).code(), v1::REASON_CODE_E_HOLD);
  EXPECT_THAT(server.received, SizeIs(1));
}

TEST(ClientTest, DoesNotRetryAnExhaustedLimitWithoutATime) {
  FakeLedgerServer server;
  server.script = {Busy(0)};
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kResourceExhausted, testing::_));
  EXPECT_THAT(server.received, SizeIs(1));
}

TEST(ClientTest, GivesUpAfterTheTriesOfThePolicy) {
  FakeLedgerServer server;
  const grpc::Status down(grpc::StatusCode::UNAVAILABLE, "starting");
  server.script = {down, down, down, down};
  ClientOptions options = OptionsFor(server);
  options.retry.attempts_max = 3;
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("3 tries")));
  EXPECT_THAT(server.received, SizeIs(3));
}

struct Tampering {
  const char* name;
  std::function<void(v1::RecordResponse*)> change;
};

void FlipBit(std::string* bytes, std::size_t at) {
  (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1);
}

class TamperedReceiptTest : public testing::TestWithParam<Tampering> {};

TEST_P(TamperedReceiptTest, IsNeverBelieved) {
  FakeLedgerServer server;
  server.log.AppendEvent(SignedTestEvent("before"));
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  ASSERT_OK(client->Record(SignedTestEvent("true one")));
  server.tamper = GetParam().change;
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, TamperedReceiptTest,
    testing::Values(
        Tampering{"Absent", [](v1::RecordResponse* r) { r->clear_receipt(); }},
        Tampering{"Index", [](v1::RecordResponse* r) { r->mutable_receipt()->set_index(1); }},
        Tampering{"EntryBegin",
                  [](v1::RecordResponse* r) { FlipBit(r->mutable_receipt()->mutable_entry(), 1); }},
        Tampering{"EntryEnd",
                  [](v1::RecordResponse* r) {
                    std::string* entry = r->mutable_receipt()->mutable_entry();
                    FlipBit(entry, entry->size() - 1);
                  }},
        Tampering{
            "ProofHash",
            [](v1::RecordResponse* r) { FlipBit(r->mutable_receipt()->mutable_inclusion(0), 5); }},
        Tampering{
            "ProofShort",
            [](v1::RecordResponse* r) { r->mutable_receipt()->mutable_inclusion()->RemoveLast(); }},
        Tampering{"ProofLong",
                  [](v1::RecordResponse* r) {
                    r->mutable_receipt()->add_inclusion(std::string(32, 'x'));
                  }},
        Tampering{
            "CheckpointText",
            [](v1::RecordResponse* r) { FlipBit(r->mutable_receipt()->mutable_checkpoint(), 3); }},
        Tampering{"CheckpointSignature",
                  [](v1::RecordResponse* r) {
                    std::string* note = r->mutable_receipt()->mutable_checkpoint();
                    FlipBit(note, note->size() - 20);
                  }}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(ClientTest, DoesNotBelieveATrueReceiptOfAnotherEvent) {
  FakeLedgerServer server;
  server.log.AppendEvent(SignedTestEvent("another"));
  server.tamper = [&](v1::RecordResponse* response) {
    *response->mutable_receipt() = server.log.ReceiptOf(0, server.log.size());
  };
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("does not hold the event")));
}

TEST(ClientTest, DoesNotBelieveAReceiptWithoutASignatureThatWasSent) {
  FakeLedgerServer server;
  v1::SignedEvent event = SignedTestEvent("one");
  server.tamper = [&](v1::RecordResponse* response) {
    v1::SignedEvent stripped = event;
    stripped.clear_signatures();
    const std::uint64_t index = server.log.AppendEvent(stripped);
    *response->mutable_receipt() = server.log.ReceiptOf(index, server.log.size());
  };
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(OptionsFor(server)));
  EXPECT_THAT(client->Record(event),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("lacks a signature")));
}

TEST(ClientTest, KeepsTheNewestCheckpointAndCatchesAnotherHistory) {
  const TempFolder folder;
  const std::string path = folder.Path("checkpoint");
  {
    FakeLedgerServer server;
    ClientOptions options = OptionsFor(server);
    options.checkpoint_file = path;
    ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
    ASSERT_OK(client->Record(SignedTestEvent("one")));
    ASSERT_OK(client->Record(SignedTestEvent("two")));
    EXPECT_EQ(FileText(path), server.log.SignedCheckpoint(2));
  }
  FakeLedgerServer forked;  // The same key, another history.
  forked.log.AppendEvent(SignedTestEvent("other one"));
  forked.log.AppendEvent(SignedTestEvent("other two"));
  ClientOptions options = OptionsFor(forked);
  options.checkpoint_file = path;
  const std::string before = FileText(path);
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  EXPECT_THAT(client->Record(SignedTestEvent("three")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("evidence-2-3")));
  EXPECT_EQ(FileText(path), before);
  const std::string evidence = FileText(path + ".evidence-2-3.txt");
  EXPECT_THAT(evidence, HasSubstr(before));
  EXPECT_THAT(evidence, HasSubstr(forked.log.SignedCheckpoint(3)));
}

TEST(ClientTest, CatchesALogThatBecameShorter) {
  const TempFolder folder;
  ClientOptions options;
  {
    FakeLedgerServer server;
    options = OptionsFor(server);
    options.checkpoint_file = folder.Path("checkpoint");
    ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
    ASSERT_OK(client->Record(SignedTestEvent("one")));
    ASSERT_OK(client->Record(SignedTestEvent("two")));
  }
  FakeLedgerServer restored;
  options.endpoint = restored.endpoint();
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("shorter")));
}

TEST(ClientTest, RefusesToConnectWithACheckpointOfAnotherKey) {
  const TempFolder folder;
  FakeLedgerServer server;
  ClientOptions options = OptionsFor(server);
  options.checkpoint_file = folder.Path("checkpoint");
  std::ofstream(options.checkpoint_file) << "something else";
  EXPECT_THAT(Client::Connect(options),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no configured log key")));
}

TEST(ClientTest, BelievesNothingWithoutLogKeys) {
  FakeLedgerServer server;
  ClientOptions options = OptionsFor(server);
  options.log_keys.clear();
  ASSERT_OK_AND_ASSIGN(auto client, Client::Connect(options));
  EXPECT_THAT(client->Record(SignedTestEvent("one")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("log_keys")));
  EXPECT_THAT(server.received, SizeIs(0));
}

TEST(ClientOptionsTest, InsecureStaysOnTheMachine) {
  FakeLedgerServer server;
  ClientOptions options = OptionsFor(server);
  for (const char* endpoint : {"10.0.0.1:7443", "example.org:7443", "127.0.0.1.example.org:1",
                               "ipv4:127.0.0.1:1,10.0.0.1:1", "localhost.example.org:1"}) {
    options.endpoint = endpoint;
    EXPECT_THAT(Client::Connect(options),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("insecure_loopback_only")))
        << endpoint;
  }
}

TEST(ClientOptionsTest, TimesAreAtLeastAMillisecond) {
  FakeLedgerServer server;
  for (std::chrono::milliseconds RetryPolicy::*time :
       {&RetryPolicy::backoff_first, &RetryPolicy::attempt_deadline,
        &RetryPolicy::stream_deadline}) {
    ClientOptions options = OptionsFor(server);
    options.retry.*time = std::chrono::milliseconds(0);
    EXPECT_THAT(Client::Connect(options),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want at least 1 ms")));
  }
}

}  // namespace
}  // namespace custody
