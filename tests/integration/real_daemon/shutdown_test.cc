// SIGTERM while clients post: whoever has a receipt keeps it, whoever has none is told to come
// back, and the program ends in time.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/integration/wire_probe.h"

namespace custody {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The daemon waits for answers, not for the time that it may wait: stop.drain_ms_max is far off.
constexpr seconds kDrainMax(120);
constexpr seconds kEndMax(40);

// What became of each event.
class Outcomes {
 public:
  void Add(const v1::SignedEvent& event, int code, v1::ReasonCode reason,
           const v1::Receipt* receipt) {
    const std::lock_guard lock(mutex_);
    if (code == 0) {
      receipts_.emplace_back(event, *receipt);
      return;
    }
    unanswered_.push_back(event);
    ++codes_[{code, reason}];
  }

  // After the threads have ended.
  const auto& receipts() const { return receipts_; }
  const auto& unanswered() const { return unanswered_; }
  const auto& codes() const { return codes_; }

 private:
  std::mutex mutex_;
  std::vector<std::pair<v1::SignedEvent, v1::Receipt>> receipts_;
  std::vector<v1::SignedEvent> unanswered_;
  std::map<std::pair<int, v1::ReasonCode>, int> codes_;
};

class ShutdownTest : public RealLedgerTest {
 protected:
  explicit ShutdownTest(bool unix_socket = false)
      : RealLedgerTest(unix_socket,
                       {"stop.drain_ms_max=" + std::to_string(milliseconds(kDrainMax).count())}) {}

  // One call after the other until the daemon says that it stops.
  void PostCalls(Outcomes* outcomes) {
    const std::shared_ptr<grpc::Channel> channel = ledger_->NewChannel();
    for (;;) {
      const v1::SignedEvent event = ledger_->NewSite();
      v1::RecordResponse response;
      const grpc::Status status = Record(channel, event, &response);
      outcomes->Add(event, status.error_code(), FirstReason(status), &response.receipt());
      if (!status.ok()) return;
    }
  }

  // As many as the stream takes, until it ends. Events without an answer are as if the whole
  // stream's status were theirs.
  void PostStream(Outcomes* outcomes) {
    const auto stub = v1::LedgerService::NewStub(ledger_->NewChannel());
    grpc::ClientContext context;
    const auto stream = stub->RecordStream(&context);
    std::mutex mutex;
    std::map<std::uint64_t, v1::SignedEvent> sent;
    std::thread reader([&] {
      v1::RecordStreamResponse answer;
      while (stream->Read(&answer)) {
        v1::SignedEvent event;
        {
          const std::lock_guard lock(mutex);
          event = std::move(sent.at(answer.tag()));
          sent.erase(answer.tag());
        }
        v1::Refusal refusal;
        EXPECT_TRUE(refusal.ParseFromString(answer.refusal()));
        outcomes->Add(
            event, answer.status_code(),
            refusal.reasons_size() > 0 ? refusal.reasons(0).code() : v1::REASON_CODE_UNSPECIFIED,
            &answer.receipt());
      }
    });
    for (std::uint64_t tag = 0;; ++tag) {
      v1::RecordStreamRequest request;
      request.set_tag(tag);
      *request.mutable_signed_event() = ledger_->NewSite();
      {
        const std::lock_guard lock(mutex);
        sent[tag] = request.signed_event();
      }
      if (!stream->Write(request)) break;
    }
    reader.join();
    const grpc::Status status = stream->Finish();
    for (const auto& [tag, event] : sent) {
      outcomes->Add(event, status.error_code(), FirstReason(status), nullptr);
    }
  }

  int StopInTime() {
    const auto begin = Clock::now();
    const int code = ledger_->Stop();
    EXPECT_LT(Clock::now() - begin, kEndMax) << ledger_->log();
    return code;
  }
};

TEST_F(ShutdownTest, KeepsEveryReceiptAndTellsTheRestToComeBack) {
  ASSERT_OK(ledger_->Start());
  Outcomes outcomes;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&] { PostCalls(&outcomes); });
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { PostStream(&outcomes); });
  std::this_thread::sleep_for(seconds(1));
  EXPECT_EQ(StopInTime(), 0);
  for (std::thread& thread : threads) thread.join();

  EXPECT_GT(outcomes.receipts().size(), 20U);
  EXPECT_FALSE(outcomes.unanswered().empty());
  int stopping = 0;
  for (const auto& [outcome, count] : outcomes.codes()) {
    const auto& [code, reason] = outcome;
    // Both say the same to a client: try again. CANCELLED is the end of a whole stream.
    EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED)
        << code << " " << v1::ReasonCode_Name(reason) << ", " << count << " times";
    EXPECT_TRUE(reason == v1::REASON_CODE_E_STOPPING || reason == v1::REASON_CODE_UNSPECIFIED)
        << v1::ReasonCode_Name(reason);
    if (reason == v1::REASON_CODE_E_STOPPING) stopping += count;
  }
  EXPECT_GT(stopping, 0) << "nobody heard that the ledger stops";

  ASSERT_OK(ledger_->Start());
  const auto client = NewClient();
  const std::shared_ptr<grpc::Channel> channel = ledger_->NewChannel();
  for (const auto& [event, receipt] : outcomes.receipts()) {
    v1::RecordResponse again;
    ASSERT_TRUE(Record(channel, event, &again).ok());
    EXPECT_TRUE(again.already_recorded());
    EXPECT_EQ(again.receipt().SerializeAsString(), receipt.SerializeAsString());
    if (receipt.index() % 16 == 0) ExpectInLog(*client, receipt);
  }
}

class ShutdownAndReturnTest : public ShutdownTest {
 protected:
  ShutdownAndReturnTest() : ShutdownTest(/*unix_socket=*/true) {}
};

// The client library carries its stream over a planned restart: the caller notices nothing.
TEST_F(ShutdownAndReturnTest, TheClientsStreamGoesOn) {
  ASSERT_OK(ledger_->Start());
  ClientOptions options = ledger_->client_options();
  options.retry.backoff_first = milliseconds(5);
  options.retry.backoff_max = milliseconds(100);
  ASSERT_OK_AND_ASSIGN(const auto client, Client::Connect(options));
  std::atomic<int> receipts = 0;
  std::atomic<int> errors = 0;
  std::atomic<bool> enough = false;
  ASSERT_OK_AND_ASSIGN(const auto stream,
                       client->OpenRecordStream(
                           [&](std::uint64_t, const absl::StatusOr<RecordResult>& result) {
                             EXPECT_OK(result);
                             ++(result.ok() ? receipts : errors);
                           },
                           RecordStreamOptions()));
  int sent = 0;
  std::thread sender([&] {
    for (; !enough; ++sent) EXPECT_OK(stream->Send(ledger_->NewSite()));
  });
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(StopInTime(), 0);
  ASSERT_OK(ledger_->Start());
  std::this_thread::sleep_for(milliseconds(500));
  enough = true;
  sender.join();
  EXPECT_OK(stream->Finish());
  EXPECT_EQ(receipts, sent);
  EXPECT_EQ(errors, 0);
  EXPECT_GT(sent, 20);
}

// A stream that stays open, with nothing to answer, and a watcher do not keep the daemon.
TEST_F(ShutdownTest, OpenStreamsDoNotHoldTheDaemon) {
  ASSERT_OK(ledger_->Start());
  const auto stub = v1::LedgerService::NewStub(ledger_->NewChannel());
  grpc::ClientContext record_context;
  const auto recording = stub->RecordStream(&record_context);
  v1::RecordStreamRequest request;
  *request.mutable_signed_event() = ledger_->NewSite();
  ASSERT_TRUE(recording->Write(request));
  v1::RecordStreamResponse answer;
  ASSERT_TRUE(recording->Read(&answer));
  EXPECT_EQ(answer.status_code(), 0);

  grpc::ClientContext watch_context;
  const auto watching = stub->Watch(&watch_context, v1::WatchRequest());
  v1::WatchResponse entry;
  ASSERT_TRUE(watching->Read(&entry));

  std::thread stop([&] { EXPECT_EQ(StopInTime(), 0); });
  while (watching->Read(&entry)) {
  }
  const grpc::Status watched = watching->Finish();
  EXPECT_EQ(watched.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(FirstReason(watched), v1::REASON_CODE_E_STOPPING);
  EXPECT_FALSE(recording->Read(&answer));
  EXPECT_FALSE(recording->Finish().ok());
  stop.join();
}

}  // namespace
}  // namespace custody
