// Decisions that wait for signatures, signatures added later, and consequences.

#include "daemon/ledger/ledger.h"
#include "daemon/ledger/system_events.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

class LedgerPendingTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(kit_.Initialize(disk_), IsOk());
    Reopen();
  }
  void Reopen() {
    ledger_.reset();
    auto opened = kit_.Open(disk_);
    ASSERT_THAT(opened, IsOk());
    ledger_ = *std::move(opened);
  }
  v1::SignedEvent NewPerson() {
    return kit_.Sign(kit_.PersonEvent({std::string(16, 'N'), v1::ROLE_AUDITOR, TestKey('n')}),
                     {kit_.admin});
  }

  LedgerKit kit_;
  MemoryStore disk_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerPendingTest, WaitsForTheSecondPairOfEyes) {
  const v1::SignedEvent event = NewPerson();
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome proposed, LedgerKit::Propose(*ledger_, event));
  ASSERT_TRUE(std::holds_alternative<v1::PendingEvent>(proposed.result));
  EXPECT_EQ(std::get<v1::PendingEvent>(proposed.result).open_places_size(), 1);
  EXPECT_EQ(LedgerReader(ledger_->Snapshot()).FindByDigest(digest)->has_value(), false);

  // It survives a restart, and its id is taken.
  Reopen();
  v1::Event other = kit_.SiteEvent(LedgerKit::SiteId(7));
  v1::Event parsed;
  ASSERT_TRUE(parsed.ParseFromString(event.event()));
  other.set_event_id(parsed.event_id());
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger_, kit_.Sign(other, {kit_.admin})).status()),
            v1::REASON_CODE_E_DUP_CONFLICT);

  ASSERT_OK_AND_ASSIGN(const ProposeOutcome signed_twice,
                       LedgerKit::Cosign(*ledger_, digest, kit_.SignatureOf(digest, kit_.quality)));
  ASSERT_TRUE(std::holds_alternative<RecordOutcome>(signed_twice.result));
  EXPECT_THAT(kit_.VerifyReceipt(std::get<RecordOutcome>(signed_twice.result).receipt), IsOk());
  EXPECT_TRUE(LedgerReader(ledger_->Snapshot()).ListPending("", 0, "", 10)->empty());
}

TEST_F(LedgerPendingTest, TheSameEyesTwiceAreNotFour) {
  const v1::SignedEvent event = NewPerson();
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_THAT(LedgerKit::Propose(*ledger_, event), IsOk());
  kit_.clock.Advance(1'000);  // Another statement of the same person.
  const auto again = LedgerKit::Cosign(*ledger_, digest, kit_.SignatureOf(digest, kit_.admin));
  EXPECT_EQ(ReasonOf(again.status()), v1::REASON_CODE_E_ALREADY_SIGNED);
  ASSERT_OK_AND_ASSIGN(const auto pending,
                       LedgerReader(ledger_->Snapshot()).ListPending("", 0, "", 10));
  EXPECT_EQ(pending.size(), 1U);
}

// The event with some of its signatures.
v1::SignedEvent OnlyOf(const v1::SignedEvent& event, const std::vector<int>& kept) {
  v1::SignedEvent made;
  made.set_event(event.event());
  for (const int place : kept) *made.add_signatures() = event.signatures(place);
  return made;
}

// The answer to a Cosign may be lost: the same bytes again must not read as an accusation.
TEST_F(LedgerPendingTest, CosignMayBeRepeated) {
  const v1::SignedEvent event = NewPerson();
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_THAT(LedgerKit::Propose(*ledger_, event), IsOk());
  // Still pending: the proposer's own signature changes nothing.
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome same,
                       LedgerKit::Cosign(*ledger_, digest, event.signatures(0)));
  ASSERT_TRUE(std::holds_alternative<v1::PendingEvent>(same.result));
  EXPECT_EQ(std::get<v1::PendingEvent>(same.result).signed_event().signatures_size(), 1);

  const v1::Signature second = kit_.SignatureOf(digest, kit_.quality);
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome recorded, LedgerKit::Cosign(*ledger_, digest, second));
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const ProposeOutcome again, LedgerKit::Cosign(*ledger_, digest, second));
    ASSERT_TRUE(std::holds_alternative<RecordOutcome>(again.result));
    EXPECT_TRUE(std::get<RecordOutcome>(again.result).already_recorded);
    EXPECT_EQ(std::get<RecordOutcome>(again.result).receipt.index(),
              std::get<RecordOutcome>(recorded.result).receipt.index());
    Reopen();  // The second time from the store.
  }
  kit_.clock.Advance(1'000);
  const auto other = LedgerKit::Cosign(*ledger_, digest, kit_.SignatureOf(digest, kit_.quality));
  EXPECT_EQ(ReasonOf(other.status()), v1::REASON_CODE_E_ALREADY_SIGNED);
}

// Two people who each send the whole decision have signed it both.
TEST_F(LedgerPendingTest, AProposalBringsItsSignaturesToThePendingOne) {
  const v1::SignedEvent both =
      kit_.Sign(kit_.PersonEvent({std::string(16, 'N'), v1::ROLE_AUDITOR, TestKey('n')}),
                {kit_.admin, kit_.quality});
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome first, LedgerKit::Propose(*ledger_, OnlyOf(both, {0})));
  ASSERT_TRUE(std::holds_alternative<v1::PendingEvent>(first.result));
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome same, LedgerKit::Propose(*ledger_, OnlyOf(both, {0})));
  ASSERT_TRUE(std::holds_alternative<v1::PendingEvent>(same.result));
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome second,
                       LedgerKit::Propose(*ledger_, OnlyOf(both, {1})));
  ASSERT_TRUE(std::holds_alternative<RecordOutcome>(second.result));
  const RecordOutcome& outcome = std::get<RecordOutcome>(second.result);
  const v1::Entry entry = LedgerKit::EntryAt(*ledger_, outcome.receipt.index());
  EXPECT_EQ(entry.signed_event().SerializeAsString(), both.SerializeAsString());
  EXPECT_TRUE(LedgerReader(ledger_->Snapshot()).ListPending("", 0, "", 10)->empty());
}

// A caller of one site signs nothing of another, not even what no snapshot shows yet.
TEST_F(LedgerPendingTest, ASignatureIsForAnEventOfTheCallersSites) {
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(1)), IsOk());
  const auto only = [](std::string_view allowed) {
    return [allowed = std::string(allowed)](std::string_view site_id) -> absl::Status {
      if (site_id == allowed) return absl::OkStatus();
      return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                           "another site", "ask there");
    };
  };
  v1::Event event;
  event.set_site_id(LedgerKit::SiteId(1));
  v1::CaseOpened* opened = event.mutable_case_opened();
  opened->set_case_id(std::string(16, 'c'));
  opened->set_kind(v1::CASE_KIND_COMPLAINT);
  opened->set_severity(v1::SEVERITY_MAJOR);
  *opened->add_scope() =
      RefOf({v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(1)}, v1::SUBJECT_ROLE_SCOPE);
  const v1::SignedEvent signed_event = kit_.Sign(event, {kit_.admin});
  const Digest digest = LedgerKit::DigestOf(signed_event);
  const v1::Signature signature = kit_.SignatureOf(digest, kit_.quality);

  std::promise<absl::Status> recorded;
  ledger_->Record(signed_event, Lane::kSingle, [&](absl::StatusOr<RecordOutcome> outcome) {
    recorded.set_value(outcome.status());
  });
  const auto early = LedgerKit::Cosign(*ledger_, digest, signature, only(LedgerKit::SiteId(2)));
  EXPECT_EQ(ReasonOf(early.status()), v1::REASON_CODE_E_PERMISSION) << early.status();
  ASSERT_THAT(recorded.get_future().get(), IsOk());
  const auto late = LedgerKit::Cosign(*ledger_, digest, signature, only(LedgerKit::SiteId(2)));
  EXPECT_EQ(ReasonOf(late.status()), v1::REASON_CODE_E_PERMISSION) << late.status();
  EXPECT_THAT(LedgerKit::Cosign(*ledger_, digest, signature, only(LedgerKit::SiteId(1))), IsOk());
}

TEST_F(LedgerPendingTest, ASignatureForAPendingDecisionIsJudgedBySite) {
  const v1::SignedEvent event = NewPerson();
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_THAT(LedgerKit::Propose(*ledger_, event), IsOk());
  const auto none = [](std::string_view) -> absl::Status {
    return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                         "another site", "ask there");
  };
  const auto refused =
      LedgerKit::Cosign(*ledger_, digest, kit_.SignatureOf(digest, kit_.quality), none);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CODE_E_PERMISSION);
}

TEST_F(LedgerPendingTest, AnIncompleteDecisionIsNotRecorded) {
  const auto refused = LedgerKit::Record(*ledger_, NewPerson());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LedgerPendingTest, LapsesAtItsDeadline) {
  const v1::SignedEvent event = NewPerson();
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_THAT(LedgerKit::Propose(*ledger_, event), IsOk());
  for (int i = 0; i < 24 * 61; ++i) kit_.clock.Advance(60'000);
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(1)), IsOk());
  const auto late = LedgerKit::Cosign(*ledger_, digest, kit_.SignatureOf(digest, kit_.quality));
  EXPECT_EQ(late.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LedgerPendingTest, AddsASignatureToARecordedEvent) {
  const v1::SignedEvent event = kit_.Site(1);
  const Digest digest = LedgerKit::DigestOf(event);
  ASSERT_OK_AND_ASSIGN(const RecordOutcome recorded, LedgerKit::Record(*ledger_, event));
  const v1::Signature signature = kit_.SignatureOf(digest, kit_.quality);
  const auto added = LedgerKit::Cosign(*ledger_, digest, signature);
  ASSERT_THAT(added, IsOk());
  const RecordOutcome& outcome = std::get<RecordOutcome>(added->result);
  EXPECT_GT(outcome.receipt.index(), recorded.receipt.index());
  v1::Entry entry;
  v1::Event body;
  ASSERT_TRUE(entry.ParseFromString(outcome.receipt.entry()));
  ASSERT_TRUE(body.ParseFromString(entry.signed_event().event()));
  EXPECT_EQ(body.signature_added().event(), digest.view());
  // Again: the same entry.
  ASSERT_OK_AND_ASSIGN(const ProposeOutcome again, LedgerKit::Cosign(*ledger_, digest, signature));
  EXPECT_EQ(std::get<RecordOutcome>(again.result).receipt.index(), outcome.receipt.index());
}

// An observation that breaks a rule is recorded; the case that it opens stands right behind it,
// with an id that follows from it.
TEST_F(LedgerPendingTest, ConsequencesStandRightBehindTheirCause) {
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(1)), IsOk());
  ASSERT_OK_AND_ASSIGN(const RecordOutcome cause,
                       LedgerKit::Record(*ledger_, kit_.CaseWithoutAuthority()));
  const v1::Entry cause_entry = LedgerKit::EntryAt(*ledger_, cause.receipt.index());
  ASSERT_GT(cause_entry.findings_size(), 0);
  const v1::Entry next = LedgerKit::EntryAt(*ledger_, cause.receipt.index() + 1);
  ASSERT_TRUE(next.has_signed_event());
  v1::Event consequence;
  ASSERT_TRUE(consequence.ParseFromString(next.signed_event().event()));
  EXPECT_TRUE(consequence.has_case_opened());
  EXPECT_EQ(consequence.event_id(),
            ConsequenceEventId(LeafHash(cause.receipt.entry()), 0, cause_entry.recorded_at_ms()));
  EXPECT_EQ(consequence.occurred_at().utc_ms(), cause_entry.recorded_at_ms());
  const LedgerReader reader(ledger_->Snapshot());
  ASSERT_OK_AND_ASSIGN(const auto cases, reader.ListCases(std::nullopt, false, "", 10));
  EXPECT_GE(cases.size(), 1U);
}

}  // namespace
}  // namespace custody
