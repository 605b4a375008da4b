#include "lifecycle/parsed_event.h"

#include <functional>
#include <string>

#include "crypto/merkle.h"
#include "lifecycle/refusal.h"
#include "lifecycle/time_range.h"
#include "lifecycle/touched_subjects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

v1::ReasonCode ReasonOf(const absl::Status& status) {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  return refusal.has_value() ? refusal->reasons(0).code() : v1::REASON_CODE_UNSPECIFIED;
}

class ParsedEventTest : public testing::Test {
 protected:
  v1::Event Received() {
    v1::Event event;
    v1::MaterialReceived& body = *event.mutable_material_received();
    body.set_material_id(ledger_.NewId());
    body.set_lot_number("LOT-1");
    ledger_.FillHeader(&event);
    return event;
  }
  v1::SignedEvent SignedBy(const v1::Event& event) {
    return ledger_.Sign(event, {{operator_, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}});
  }
  absl::Status Parse(const v1::SignedEvent& signed_event) {
    return ParseSignedEvent(signed_event, ledger_.origin()).status();
  }
  v1::ReasonCode ReasonAfter(const std::function<void(v1::Event*)>& change) {
    v1::Event event = Received();
    change(&event);
    return ReasonOf(Parse(SignedBy(event)));
  }

  TestLedger ledger_;
  std::string operator_ = ledger_.AddPerson({v1::ROLE_OPERATOR});
};

TEST_F(ParsedEventTest, AcceptsSignedEvent) {
  const v1::Event event = Received();
  ASSERT_OK_AND_ASSIGN(const ParsedEvent parsed,
                       ParseSignedEvent(SignedBy(event), ledger_.origin()));
  EXPECT_EQ(parsed.code(), "MAT-01");
  ASSERT_EQ(parsed.subjects.size(), 1U);
  EXPECT_EQ(parsed.subjects[0].id, event.material_received().material_id());
  ASSERT_EQ(parsed.signatures.size(), 1U);
  EXPECT_EQ(parsed.signatures[0].signer.id, operator_);
}

TEST_F(ParsedEventTest, RefusesFieldsOfTheWrongForm) {
  struct Case {
    v1::ReasonCode reason;
    std::function<void(v1::Event*)> change;
  };
  const Case cases[] = {
      {v1::REASON_CODE_E_WRONG_LEDGER, [](v1::Event* e) { e->set_ledger("other"); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->set_event_id(std::string(16, 'a')); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->clear_occurred_at(); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_occurred_at()->set_offset_minutes(841); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_occurred_at()->set_utc_ms(kTimeMsMax + 1); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_material_received()->set_expires_at_ms(kTimeMsMax + 1); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_material_received()->set_received_at_ms(-kTimeMsMax - 1); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->set_site_id("short"); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->set_policy_hash("short"); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->set_corrects("short"); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->add_device_ids("short"); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_reason()->set_text(std::string(1'001, 'x')); }},
      {v1::REASON_CODE_E_FIELD, [](v1::Event* e) { e->mutable_reason()->set_text("a\x01"); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) {
         e->mutable_group()->set_id(std::string(16, 'g'));
         e->mutable_group()->set_part(3);
         e->mutable_group()->set_parts(2);
       }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) { e->mutable_material_received()->mutable_certificate(); }},
      {v1::REASON_CODE_E_FIELD,
       [](v1::Event* e) {
         e->add_scans()->set_raw("=A9999");
         e->mutable_scans(0)->set_subject_position(1);
       }},
      {v1::REASON_CODE_E_SUBJECTS, [](v1::Event* e) { e->clear_subjects(); }},
      {v1::REASON_CODE_E_SUBJECTS,
       [](v1::Event* e) { e->mutable_subjects(0)->set_role(v1::SUBJECT_ROLE_RELATED); }},
      {v1::REASON_CODE_E_SUBJECTS, [](v1::Event* e) { *e->add_subjects() = e->subjects(0); }},
      {v1::REASON_CODE_E_MALFORMED, [](v1::Event* e) { e->clear_body(); }},
  };
  int position = 0;
  for (const Case& one : cases) {
    EXPECT_EQ(ReasonName(ReasonAfter(one.change)), ReasonName(one.reason)) << "case " << position;
    ++position;
  }
}

TEST_F(ParsedEventTest, RefusesScanThatCannotBeRead) {
  const v1::ReasonCode reason =
      ReasonAfter([](v1::Event* e) { e->add_scans()->set_raw("nonsense"); });
  EXPECT_NE(reason, v1::REASON_CODE_UNSPECIFIED);
}

TEST_F(ParsedEventTest, RefusesTooLarge) {
  v1::Event event = Received();
  for (int i = 0; i < 40; ++i) {
    event.mutable_material_received()->add_animal_proteins(std::string(1'000, 'x'));
  }
  EXPECT_EQ(ReasonOf(Parse(SignedBy(event))), v1::REASON_CODE_E_TOO_LARGE);
}

TEST_F(ParsedEventTest, RefusesStatementAboutAnotherEvent) {
  v1::SignedEvent signed_event = SignedBy(Received());
  signed_event.set_event(Received().SerializeAsString());
  EXPECT_EQ(ReasonOf(Parse(signed_event)), v1::REASON_CODE_E_MALFORMED);
}

TEST_F(ParsedEventTest, RefusesASignatureBeyondTheYear9999) {
  const auto signed_at = [&](std::int64_t ms) {
    return ledger_.Sign(Received(),
                        {{operator_, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED, ms, /*key=*/0}});
  };
  EXPECT_OK(Parse(signed_at(kTimeMsMax)));
  EXPECT_EQ(ReasonOf(Parse(signed_at(kTimeMsMax + 1))), v1::REASON_CODE_E_MALFORMED);
}

TEST_F(ParsedEventTest, RefusesSignaturesOutOfOrderOrTwice) {
  v1::SignedEvent signed_event = SignedBy(Received());
  *signed_event.add_signatures() = signed_event.signatures(0);
  EXPECT_EQ(ReasonOf(Parse(signed_event)), v1::REASON_CODE_E_MALFORMED);
  const std::string other = ledger_.AddPerson({v1::ROLE_OPERATOR});
  v1::SignedEvent two =
      ledger_.Sign(Received(), {{operator_, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED},
                                {other, v1::ROLE_OPERATOR, v1::MEANING_VERIFIED}});
  EXPECT_OK(Parse(two));
  two.mutable_signatures()->SwapElements(0, 1);
  EXPECT_EQ(ReasonOf(Parse(two)), v1::REASON_CODE_E_MALFORMED);
}

TEST_F(ParsedEventTest, RefusesWithoutSignature) {
  v1::SignedEvent signed_event = SignedBy(Received());
  signed_event.clear_signatures();
  EXPECT_EQ(ReasonOf(Parse(signed_event)), v1::REASON_CODE_E_MALFORMED);
}

// The statement of a batch of two events; `mine` is the first.
v1::Signature BatchSignature(const Digest& mine, const Digest& other, v1::Meaning meaning,
                             const std::string& person, const std::string& ledger) {
  const Digest leaves[] = {LeafHash(mine.view()), LeafHash(other.view())};
  v1::BatchStatement batch;
  batch.set_events_root(std::string(MerkleRoot(leaves).view()));
  batch.set_events_count(2);
  batch.set_key_id(std::string(32, 'k'));
  batch.set_person_id(person);
  batch.set_role(v1::ROLE_OPERATOR);
  batch.set_meaning(meaning);
  batch.set_signed_at_ms(1);
  batch.set_ledger(ledger);
  v1::Signature signature;
  signature.set_statement(batch.SerializeAsString());
  signature.set_signature(std::string(64, 's'));
  signature.add_batch_path(std::string(leaves[1].view()));
  return signature;
}

TEST_F(ParsedEventTest, ReadsBatchStatementOnlyForItsEvents) {
  const Digest mine = Sha256(std::string_view("mine"));
  const Digest other = Sha256(std::string_view("other"));
  const v1::Signature signature =
      BatchSignature(mine, other, v1::MEANING_PERFORMED, operator_, ledger_.origin());
  ASSERT_OK_AND_ASSIGN(const ParsedSignature parsed,
                       ParseSignature(signature, mine, ledger_.origin()));
  EXPECT_TRUE(parsed.batch);
  EXPECT_EQ(parsed.signer.id, operator_);
  EXPECT_EQ(ReasonOf(ParseSignature(signature, other, ledger_.origin()).status()),
            v1::REASON_CODE_E_MALFORMED);
  EXPECT_EQ(ReasonOf(ParseSignature(BatchSignature(mine, other, v1::MEANING_VERIFIED, operator_,
                                                   ledger_.origin()),
                                    mine, ledger_.origin())
                         .status()),
            v1::REASON_CODE_E_MALFORMED);
}

TEST(TouchedSubjectsTest, NamesEachSubjectOnceInTheOrderOfTheFields) {
  v1::Event event;
  v1::CaseOpened& body = *event.mutable_case_opened();
  body.set_case_id(std::string(16, 'c'));
  for (const char id : {'a', 'b', 'a'}) {
    v1::SubjectRef& ref = *body.add_scope();
    ref.set_kind(v1::SUBJECT_KIND_CONTAINER);
    ref.set_id(std::string(16, id));
    ref.set_role(v1::SUBJECT_ROLE_SCOPE);
  }
  FillSubjects(&event);
  ASSERT_EQ(event.subjects_size(), 3);
  EXPECT_EQ(event.subjects(0).kind(), v1::SUBJECT_KIND_CASE);
  EXPECT_EQ(event.subjects(0).role(), v1::SUBJECT_ROLE_PRIMARY);
  EXPECT_EQ(event.subjects(1).id(), std::string(16, 'a'));
  EXPECT_EQ(event.subjects(2).id(), std::string(16, 'b'));
}

TEST(TouchedSubjectsTest, FindsSubjectsOfNestedMessages) {
  v1::Event event;
  event.mutable_actor_enrolled()->mutable_person()->set_person_id(std::string(16, 'p'));
  event.mutable_actor_enrolled()->mutable_person()->add_roles()->set_site_id(std::string(16, 's'));
  const std::vector<v1::SubjectRef> refs = TouchedSubjects(event);
  ASSERT_EQ(refs.size(), 1U);
  EXPECT_EQ(refs[0].kind(), v1::SUBJECT_KIND_PERSON);
}

}  // namespace
}  // namespace custody
