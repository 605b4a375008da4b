#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "custody/client.h"
#include "tests/support/fake_ledger_server.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/signed_event_maker.h"

namespace custody {
namespace {

using testing::ElementsAre;

// A log of six entries of which the client may see some.
class ReadEntriesTest : public testing::Test {
 protected:
  ReadEntriesTest() {
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
      server_.log.AppendEvent(SignedTestEvent(name));
    }
    ClientOptions options;
    options.endpoint = server_.endpoint();
    options.insecure_loopback_only = true;
    options.ledger = FakeLog::kOrigin;
    options.log_keys = {server_.log.vkey()};
    options.retry.stream_deadline = std::chrono::milliseconds(300);
    client_ = Client::Connect(options).value();
  }

  absl::Status Read(std::uint64_t begin, std::uint64_t end) {
    read_.clear();
    return client_->ReadEntries(begin, end, [this](std::uint64_t index, std::string_view entry) {
      EXPECT_EQ(entry, server_.log.EntryAt(index));
      read_.push_back(index);
      return true;
    });
  }

  FakeLedgerServer server_;
  std::unique_ptr<Client> client_;
  std::vector<std::uint64_t> read_;
};

// A client of one site reads a log in which other sites' entries are left out.
TEST_F(ReadEntriesTest, EntriesOfOtherSitesAreGaps) {
  server_.hidden = {0, 2, 5};
  ASSERT_OK(Read(0, 0));
  EXPECT_THAT(read_, ElementsAre(1, 3, 4));
  ASSERT_OK(Read(0, 6));
  EXPECT_THAT(read_, ElementsAre(1, 3, 4));
  ASSERT_OK(Read(2, 3));
  EXPECT_THAT(read_, ElementsAre());
}

// With gaps allowed, an end that the log has not reached would pass for entries of others.
TEST_F(ReadEntriesTest, ALogThatEndsBeforeTheEndIsAnError) {
  EXPECT_THAT(Read(4, 9), StatusIs(absl::StatusCode::kOutOfRange, testing::_));
  EXPECT_THAT(read_, ElementsAre(4, 5));
}

TEST_F(ReadEntriesTest, AStreamThatFallsSilentGoesOnInANewOne) {
  server_.read_silences = {2, 3};
  ASSERT_OK(Read(0, 6));
  EXPECT_THAT(read_, ElementsAre(0, 1, 2, 3, 4, 5));
  // One that brought nothing at all is tried again, too.
  server_.read_silences = {0};
  ASSERT_OK(Read(0, 6));
  EXPECT_THAT(read_, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(ReadEntriesTest, AnEntryFromOutsideOfTheRangeIsNotBelieved) {
  server_.read_shift = 3;
  const auto ignore = [](std::uint64_t, std::string_view) { return true; };
  EXPECT_THAT(client_->ReadEntries(1, 3, ignore),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
  server_.read_shift = static_cast<std::uint64_t>(-1);
  EXPECT_THAT(client_->ReadEntries(1, 3, ignore),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

}  // namespace
}  // namespace custody
