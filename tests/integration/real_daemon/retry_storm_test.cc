// The same event, posted a hundred times at once from several connections.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>
#include <vector>

#include "custody/event_builder.h"
#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/integration/wire_probe.h"

namespace custody {
namespace {

constexpr int kPosts = 100;
constexpr int kChannels = 8;
constexpr int kStreams = 4;  // Of the posts, a quarter goes through streams.

struct Post {
  grpc::Status status;
  v1::RecordResponse response;
};

class RetryStormTest : public RealLedgerTest {
 protected:
  explicit RetryStormTest(bool unix_socket = false) : RealLedgerTest(unix_socket) {}

  // All at once; post i sends events[i % events.size()].
  std::vector<Post> Storm(const std::vector<v1::SignedEvent>& events) {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    channels.reserve(kChannels);
    for (int i = 0; i < kChannels; ++i) channels.push_back(ledger_->NewChannel());
    std::vector<Post> posts(kPosts);
    std::vector<std::thread> threads;
    threads.reserve(kPosts + kStreams);
    const int streamed = kPosts / 4;
    for (int i = streamed; i < kPosts; ++i) {
      threads.emplace_back([&, i] {
        const auto n = static_cast<std::size_t>(i);
        posts[n].status =
            Record(channels[n % kChannels], events[n % events.size()], &posts[n].response);
      });
    }
    for (int s = 0; s < kStreams; ++s) {
      threads.emplace_back([&, s] {
        const auto stub = v1::LedgerService::NewStub(channels[static_cast<std::size_t>(s)]);
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
        const auto stream = stub->RecordStream(&context);
        for (int i = s; i < streamed; i += kStreams) {
          v1::RecordStreamRequest request;
          request.set_tag(static_cast<std::uint64_t>(i));
          *request.mutable_signed_event() = events[static_cast<std::size_t>(i) % events.size()];
          EXPECT_TRUE(stream->Write(request));
        }
        stream->WritesDone();
        v1::RecordStreamResponse answer;
        while (stream->Read(&answer)) {
          Post& post = posts[answer.tag()];
          post.status = grpc::Status(static_cast<grpc::StatusCode>(answer.status_code()),
                                     answer.status_message());
          *post.response.mutable_receipt() = answer.receipt();
          post.response.set_already_recorded(answer.already_recorded());
        }
        EXPECT_TRUE(stream->Finish().ok());
      });
    }
    for (std::thread& thread : threads) thread.join();
    return posts;
  }

  // How often each event id is in the log.
  std::map<std::string, int> EventIds() {
    std::map<std::string, int> ids;
    EXPECT_OK(NewClient()->ReadEntries(0, 0, [&](std::uint64_t, std::string_view bytes) {
      v1::Entry entry;
      v1::Event event;
      EXPECT_TRUE(entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      if (entry.has_signed_event() && event.ParseFromString(entry.signed_event().event())) {
        ++ids[event.event_id()];
      }
      return true;
    }));
    return ids;
  }

  static std::string IdOf(const v1::SignedEvent& signed_event) {
    v1::Event event;
    EXPECT_TRUE(event.ParseFromString(signed_event.event()));
    return event.event_id();
  }

  // The same id, other bytes.
  v1::SignedEvent Impostor(const v1::SignedEvent& original) {
    v1::Event event;
    EXPECT_TRUE(event.ParseFromString(ledger_->NewSite().event()));
    event.set_event_id(IdOf(original));
    return ledger_->Sign(event, {{ledger_->administrator(), v1::ROLE_ADMINISTRATOR}});
  }

  void ExpectConflict(const Post& post) {
    EXPECT_EQ(post.status.error_code(), grpc::StatusCode::ALREADY_EXISTS)
        << post.status.error_message();
    EXPECT_FALSE(post.response.has_receipt() && !post.response.receipt().entry().empty());
  }
};

TEST_F(RetryStormTest, IsOneEntryAndEqualReceiptsAlsoAfterAKill) {
  ASSERT_OK(ledger_->Start());
  const v1::SignedEvent event = ledger_->NewSite();
  std::set<std::string> receipts;
  for (const int round : {0, 1, 2}) {
    int new_ones = 0;
    for (const Post& post : Storm({event})) {
      ASSERT_TRUE(post.status.ok()) << post.status.error_message();
      receipts.insert(post.response.receipt().SerializeAsString());
      new_ones += post.response.already_recorded() ? 0 : 1;
    }
    EXPECT_EQ(receipts.size(), 1U);
    EXPECT_EQ(new_ones, round == 0 ? 1 : 0);
    EXPECT_EQ(EventIds()[IdOf(event)], 1);
    for (const Post& post : Storm({Impostor(event)})) ExpectConflict(post);
    if (round == 0) {
      ledger_->Kill();
      ASSERT_OK(ledger_->Start());
    }
  }
  v1::Receipt receipt;
  ASSERT_TRUE(receipt.ParseFromString(*receipts.begin()));
  ExpectInLog(*NewClient(), receipt);
  v1::RecordResponse unused;
  EXPECT_EQ(FirstReason(Record(Impostor(event), &unused)), v1::REASON_CODE_E_DUP_CONFLICT);
}

// Two events race for one id: one wins for everybody.
TEST_F(RetryStormTest, TwoEventsOfOneIdAreOneEntryAndConflicts) {
  ASSERT_OK(ledger_->Start());
  const v1::SignedEvent one = ledger_->NewSite();
  const v1::SignedEvent other = Impostor(one);
  const std::vector<Post> posts = Storm({one, other});
  std::set<std::string> receipts;
  std::set<std::string> winners;
  int conflicts = 0;
  for (const Post& post : posts) {
    if (!post.status.ok()) {
      ExpectConflict(post);
      ++conflicts;
      continue;
    }
    receipts.insert(post.response.receipt().SerializeAsString());
    v1::Entry entry;
    ASSERT_TRUE(entry.ParseFromString(post.response.receipt().entry()));
    winners.insert(entry.signed_event().event());
  }
  EXPECT_EQ(receipts.size(), 1U);
  EXPECT_EQ(winners.size(), 1U);
  EXPECT_TRUE(winners.contains(one.event()) || winners.contains(other.event()));
  EXPECT_EQ(conflicts, kPosts / 2);
  EXPECT_EQ(EventIds()[IdOf(one)], 1);
}

class RetryStormOverAKillTest : public RetryStormTest {
 protected:
  RetryStormOverAKillTest() : RetryStormTest(/*unix_socket=*/true) {}
};

// The daemon dies in the middle of the storm and comes back: the clients' retries are the storm.
TEST_F(RetryStormOverAKillTest, IsOneEntryAndEqualReceipts) {
  ASSERT_OK(ledger_->Start());
  ClientOptions options = ledger_->client_options();
  options.retry.backoff_first = std::chrono::milliseconds(5);
  options.retry.backoff_max = std::chrono::milliseconds(100);
  options.deadline = std::chrono::seconds(60);
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(kChannels);
  for (int i = 0; i < kChannels; ++i) clients.push_back(*Client::Connect(options));
  std::vector<v1::SignedEvent> events;
  events.reserve(5);
  for (int i = 0; i < 5; ++i) events.push_back(ledger_->NewSite());
  std::vector<absl::StatusOr<RecordResult>> results(kPosts, absl::UnknownError("not posted"));
  std::vector<std::thread> threads;
  threads.reserve(kPosts);
  for (std::size_t i = 0; i < kPosts; ++i) {
    threads.emplace_back([&, i] {
      std::this_thread::sleep_for(std::chrono::milliseconds(i % 10));
      results[i] = clients[i % kChannels]->Record(events[i % events.size()]);
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(8));
  ledger_->Kill();
  ASSERT_OK(ledger_->Start());
  for (std::thread& thread : threads) thread.join();
  std::map<std::size_t, std::set<std::string>> receipts;
  for (std::size_t i = 0; i < kPosts; ++i) {
    ASSERT_OK(results[i]);
    receipts[i % events.size()].insert(results[i]->receipt.SerializeAsString());
  }
  std::map<std::string, int> ids = EventIds();
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(receipts[i].size(), 1U);
    EXPECT_EQ(ids[IdOf(events[i])], 1);
  }
}

}  // namespace
}  // namespace custody
