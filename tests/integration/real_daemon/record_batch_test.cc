// Bulk posting by the public library: one signature, a verified receipt for each event.

#include <string>
#include <vector>

#include "custody/client.h"
#include "custody/event_builder.h"
#include "custody/signer.h"
#include "tests/integration/real_daemon/real_ledger_test.h"

namespace custody {
namespace {

class RecordBatchTest : public RealLedgerTest {
 protected:
  // Of rooms at a site that the ledger knows.
  std::vector<std::string> Readings(int count) {
    const v1::SignedEvent site = ledger_->NewSite();
    v1::Event registered;
    EXPECT_TRUE(registered.ParseFromString(site.event()));
    EXPECT_TRUE(Record(site).ok());
    std::vector<std::string> events;
    for (int i = 0; i < count; ++i) {
      EventBuilder builder(ledger_->origin());
      builder.event().set_site_id(registered.site_registered().site_id());
      builder.event().mutable_environment_monitored()->add_batch_ids(NewSubjectId());
      events.push_back(*builder.Build());
    }
    return events;
  }
};

TEST_F(RecordBatchTest, EachEventHasItsReceiptAlsoTheSecondTime) {
  ASSERT_OK(ledger_->Start());
  ASSERT_OK_AND_ASSIGN(const auto client, Client::Connect(ledger_->client_options()));
  const std::vector<std::string> events = Readings(70);
  ASSERT_OK_AND_ASSIGN(const v1::RecordBatchRequest request,
                       ledger_->administrator().SignBatch(
                           events, {.role = v1::ROLE_OPERATOR, .meaning = v1::MEANING_PERFORMED}));
  ASSERT_OK_AND_ASSIGN(const auto first, client->RecordBatch(request));
  ASSERT_OK_AND_ASSIGN(const auto second, client->RecordBatch(request));
  ASSERT_EQ(first.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_OK(first[i]);
    ASSERT_OK(second[i]);
    EXPECT_FALSE(first[i]->already_recorded);
    EXPECT_TRUE(second[i]->already_recorded);
    EXPECT_EQ(second[i]->receipt.SerializeAsString(), first[i]->receipt.SerializeAsString());
    v1::Entry entry;
    ASSERT_TRUE(entry.ParseFromString(first[i]->receipt.entry()));
    EXPECT_EQ(entry.signed_event().event(), events[i]);
  }
}

TEST_F(RecordBatchTest, AForgedSignatureIsTheRefusalOfEachEvent) {
  ASSERT_OK(ledger_->Start());
  ASSERT_OK_AND_ASSIGN(const auto client, Client::Connect(ledger_->client_options()));
  ASSERT_OK_AND_ASSIGN(
      v1::RecordBatchRequest request,
      ledger_->administrator().SignBatch(
          Readings(2), {.role = v1::ROLE_OPERATOR, .meaning = v1::MEANING_PERFORMED}));
  (*request.mutable_signature())[3] ^= 1;
  ASSERT_OK_AND_ASSIGN(const auto results, client->RecordBatch(request));
  ASSERT_EQ(results.size(), 2U);
  for (const auto& result : results) {
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnauthenticated, testing::_));
  }
}

}  // namespace
}  // namespace custody
