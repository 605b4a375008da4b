#include "lifecycle/batch_statement.h"

#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

v1::ReasonCode ReasonOf(const absl::Status& status) {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  return refusal.has_value() ? refusal->reasons(0).code() : v1::REASON_CODE_UNSPECIFIED;
}

class BatchStatementTest : public testing::Test {
 protected:
  // Bytes of this many arrivals of material.
  std::vector<std::string> Arrivals(std::size_t count) {
    std::vector<std::string> events;
    for (std::size_t i = 0; i < count; ++i) {
      v1::Event event;
      event.mutable_material_received()->set_material_id(ledger_.NewId());
      event.mutable_material_received()->set_lot_number("LOT-1");
      ledger_.FillHeader(&event);
      events.push_back(event.SerializeAsString());
    }
    return events;
  }
  v1::BatchStatement StatementOver(const std::vector<std::string>& events) {
    v1::BatchStatement statement;
    statement.set_events_root(std::string(BatchRoot(events).view()));
    statement.set_events_count(static_cast<std::uint32_t>(events.size()));
    statement.set_key_id(std::string(32, 'k'));
    statement.set_person_id(std::string(16, 'p'));
    statement.set_role(v1::ROLE_OPERATOR);
    statement.set_meaning(v1::MEANING_PERFORMED);
    statement.set_signed_at_ms(ledger_.now_ms());
    statement.set_ledger(ledger_.origin());
    return statement;
  }
  static v1::Signature SignatureOf(const v1::BatchStatement& statement) {
    v1::Signature signature;
    signature.set_statement(statement.SerializeAsString());
    signature.set_signature(std::string(64, 's'));
    return signature;
  }
  absl::StatusOr<std::vector<v1::SignedEvent>> Split(const std::vector<std::string>& events) {
    return SplitBatch(SignatureOf(StatementOver(events)), events);
  }

  TestLedger ledger_;
};

// Sizes around the powers of two, where paths change their length.
TEST_F(BatchStatementTest, EachEventProvesItselfAlone) {
  for (const std::size_t count : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 64U, 65U, 1'023U, 1'024U}) {
    const std::vector<std::string> events = Arrivals(count);
    ASSERT_OK_AND_ASSIGN(const std::vector<v1::SignedEvent> split, Split(events));
    ASSERT_EQ(split.size(), count);
    for (std::size_t i = 0; i < count; i += 1 + count / 16) {
      EXPECT_EQ(split[i].event(), events[i]);
      const v1::Signature& signature = split[i].signatures(0);
      EXPECT_EQ(signature.batch_index(), i);
      EXPECT_EQ(static_cast<std::size_t>(signature.batch_path_size()),
                ShapeOfInclusionProof(i, count).size());
      ASSERT_OK_AND_ASSIGN(const ParsedEvent parsed, ParseSignedEvent(split[i], ledger_.origin()));
      EXPECT_TRUE(parsed.signatures[0].batch);
      EXPECT_EQ(parsed.signatures[0].statement.event_digest(), parsed.digest.view());
    }
  }
}

TEST_F(BatchStatementTest, APathOfAnotherPlaceOrLengthIsRefused) {
  const std::vector<std::string> events = Arrivals(5);
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::SignedEvent> split, Split(events));
  v1::SignedEvent moved = split[1];
  moved.mutable_signatures(0)->set_batch_index(2);
  v1::SignedEvent longer = split[4];
  *longer.mutable_signatures(0)->add_batch_path() = std::string(32, 'x');
  v1::SignedEvent shorter = split[0];
  shorter.mutable_signatures(0)->mutable_batch_path()->RemoveLast();
  v1::SignedEvent foreign = split[0];
  foreign.set_event(events[1]);
  v1::SignedEvent without = split[0];
  without.mutable_signatures(0)->clear_batch_path();
  for (const v1::SignedEvent& wrong : {moved, longer, shorter, foreign, without}) {
    EXPECT_EQ(ReasonOf(ParseSignedEvent(wrong, ledger_.origin()).status()),
              v1::REASON_CODE_E_MALFORMED);
  }
}

TEST_F(BatchStatementTest, OneToOneThousandTwentyFourEvents) {
  EXPECT_EQ(ReasonOf(Split(Arrivals(1'025)).status()), v1::REASON_CODE_E_TOO_LARGE);
  EXPECT_EQ(ReasonOf(SplitBatch(SignatureOf(StatementOver(Arrivals(1))), {}).status()),
            v1::REASON_CODE_E_MALFORMED);
}

TEST_F(BatchStatementTest, AStatementOverOtherEventsIsRefused) {
  const std::vector<std::string> events = Arrivals(3);
  std::vector<std::string> turned = {events[1], events[0], events[2]};
  EXPECT_EQ(ReasonOf(SplitBatch(SignatureOf(StatementOver(turned)), events).status()),
            v1::REASON_CODE_E_MALFORMED);
  v1::BatchStatement miscounted = StatementOver(events);
  miscounted.set_events_count(2);
  EXPECT_EQ(ReasonOf(SplitBatch(SignatureOf(miscounted), events).status()),
            v1::REASON_CODE_E_MALFORMED);
}

// A signature over one kind of statement can never pass for one over the other.
TEST_F(BatchStatementTest, AStatementAboutOneEventIsNoBatchStatement) {
  const std::vector<std::string> events = Arrivals(1);
  v1::SignatureStatement single;
  single.set_event_digest(std::string(32, 'd'));
  single.set_key_id(std::string(32, 'k'));
  v1::Signature signature;
  signature.set_statement(single.SerializeAsString());
  EXPECT_EQ(ReasonOf(SplitBatch(signature, events).status()), v1::REASON_CODE_E_MALFORMED);
}

TEST_F(BatchStatementTest, ADecisionCannotBeSignedInABatch) {
  v1::Event event;
  event.mutable_material_released()->set_material_id(ledger_.NewId());
  event.mutable_material_released()->set_specification_version("1");
  ledger_.FillHeader(&event);
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::SignedEvent> split,
                       Split({event.SerializeAsString()}));
  EXPECT_EQ(ReasonOf(ParseSignedEvent(split[0], ledger_.origin()).status()),
            v1::REASON_CODE_E_MALFORMED);
}

}  // namespace
}  // namespace custody
