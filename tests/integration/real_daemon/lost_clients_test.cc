// Clients that vanish, fall silent or never take their answers: the daemon forgets them, keeps its
// memory, and goes on with the others.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/support/breakable_proxy.h"

namespace custody {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMiB = 1U << 20;
// The thread sanitizer keeps several bytes for each one of the program.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t kGrowthMax = 512 * kMiB;
#else
constexpr std::size_t kGrowthMax = 64 * kMiB;
#endif

using Stream = grpc::ClientReaderWriter<v1::RecordStreamRequest, v1::RecordStreamResponse>;

// A stream over a connection of its own, which is sent events and read or not.
struct OpenStream {
  std::unique_ptr<v1::LedgerService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<Stream> stream;
};

class LostClientsTest : public RealLedgerTest {
 protected:
  LostClientsTest()
      : RealLedgerTest(/*unix_socket=*/false,
                       {"limits.keepalive_ms=1000", "limits.keepalive_timeout_ms=1000"}) {}

  std::unique_ptr<OpenStream> Open(const std::string& endpoint, int window_bytes = 0) {
    auto open = std::make_unique<OpenStream>();
    open->stub = v1::LedgerService::NewStub(ledger_->NewChannel(endpoint, window_bytes));
    open->context.set_deadline(std::chrono::system_clock::now() + seconds(60));
    open->stream = open->stub->RecordStream(&open->context);
    return open;
  }

  v1::RecordStreamRequest Request(std::uint64_t tag) {
    v1::RecordStreamRequest request;
    request.set_tag(tag);
    *request.mutable_signed_event() = ledger_->NewSite();
    return request;
  }

  static bool WaitUntil(milliseconds timeout, const std::function<bool()>& reached) {
    const auto end = Clock::now() + timeout;
    while (!reached()) {
      if (Clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
  }

  // Streams with events on their way through the proxy, each answered at least once.
  std::vector<std::unique_ptr<OpenStream>> OpenMany(const BreakableProxy& proxy, int count) {
    std::vector<std::unique_ptr<OpenStream>> streams;
    for (int i = 0; i < count; ++i) {
      streams.push_back(Open(proxy.endpoint()));
      for (std::uint64_t tag = 0; tag < 40; ++tag) {
        EXPECT_TRUE(streams.back()->stream->Write(Request(tag)));
      }
      v1::RecordStreamResponse answer;
      EXPECT_TRUE(streams.back()->stream->Read(&answer));
      EXPECT_EQ(answer.status_code(), 0) << answer.status_message();
    }
    return streams;
  }

  void EndAll(std::vector<std::unique_ptr<OpenStream>>* streams) {
    for (const auto& open : *streams) {
      open->context.TryCancel();
      v1::RecordStreamResponse answer;
      while (open->stream->Read(&answer)) {
      }
      EXPECT_FALSE(open->stream->Finish().ok());
    }
    streams->clear();
  }
};

// Reset in the middle of their streams: what was admitted is recorded or not, and nothing of the
// connections is left.
TEST_F(LostClientsTest, ThatVanishLeaveNothingBehind) {
  ASSERT_OK(ledger_->Start());
  MustRecord();
  const std::size_t sockets_before = ledger_->OpenSockets();
  for (int round = 0; round < 5; ++round) {
    BreakableProxy proxy(ledger_->port());
    auto streams = OpenMany(proxy, 8);
    EXPECT_EQ(proxy.open(), 8);
    EXPECT_GE(ledger_->OpenSockets(), 8U);
    proxy.Cut();
    const v1::Receipt receipt = MustRecord();
    EXPECT_FALSE(receipt.entry().empty());
    EndAll(&streams);
  }
  EXPECT_TRUE(WaitUntil(seconds(20), [&] { return ledger_->OpenSockets() <= sockets_before + 2; }))
      << ledger_->OpenSockets() << " sockets, " << sockets_before << " before";
  EXPECT_EQ(ledger_->Stop(), 0);
}

// Nothing comes any more and nothing says so, as after a cable was pulled: the daemon asks, gets no
// answer and lets go.
TEST_F(LostClientsTest, ThatFallSilentAreLetGo) {
  ASSERT_OK(ledger_->Start());
  MustRecord();
  const std::size_t sockets_before = ledger_->OpenSockets();
  BreakableProxy proxy(ledger_->port());
  auto streams = OpenMany(proxy, 8);
  // The connection of MustRecord may have ended meanwhile, so the count before says nothing here.
  ASSERT_GE(ledger_->OpenSockets(), 8U);
  proxy.Freeze();
  EXPECT_TRUE(WaitUntil(seconds(20), [&] { return ledger_->OpenSockets() <= sockets_before + 2; }))
      << ledger_->OpenSockets() << " sockets, " << sockets_before << " before";
  MustRecord();
  EXPECT_EQ(ledger_->Stop(), 0);
  proxy.Cut();
  EndAll(&streams);
}

// A stream that takes no answer is not read on, so it can fill neither the daemon nor its queue.
TEST_F(LostClientsTest, ThatNeverReadAreNotReadOn) {
  constexpr std::uint64_t kEvents = 4'000;
  constexpr std::uint64_t kStreams = 3;
  // limits.stream_in_flight_max without an answer taken, and what fits between the two programs.
  constexpr std::uint64_t kTakenMax = kStreams * 3 * 256;
  constexpr int kWindowBytes = 64 << 10;
  ASSERT_OK(ledger_->Start());
  MustRecord();
  const std::size_t before = ledger_->ResidentBytes();
  std::vector<std::unique_ptr<OpenStream>> streams;
  std::vector<std::thread> writers;
  for (std::uint64_t i = 0; i < kStreams; ++i) {
    streams.push_back(Open({}, kWindowBytes));
    writers.emplace_back([this, stream = streams.back()->stream.get()] {
      for (std::uint64_t tag = 0; tag < kEvents && stream->Write(Request(tag)); ++tag) {
      }
    });
  }
  std::size_t most = 0;
  Clock::duration worst{};
  std::vector<std::uint64_t> sizes;
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(seconds(1));
    const auto begin = Clock::now();
    MustRecord();
    worst = std::max(worst, Clock::now() - begin);
    most = std::max(most, ledger_->ResidentBytes());
    sizes.push_back(Status().tree_size());
  }
  // Everybody else goes on; of the three, what was read is not more than what may be open.
  EXPECT_GE(sizes.front(), kStreams * 256);
  EXPECT_LT(sizes.back(), kTakenMax) << "the daemon reads on";
  EXPECT_LT(most, before + kGrowthMax) << before / kMiB << " MiB before";
  EXPECT_LT(worst, seconds(5));
  for (const auto& open : streams) open->context.TryCancel();
  for (std::thread& writer : writers) writer.join();
  EndAll(&streams);
  EXPECT_EQ(ledger_->Stop(), 0);
}

}  // namespace
}  // namespace custody
