// Corrections, annulments, attestations and added signatures: what waits, and what lets it count.

#include <algorithm>
#include <string>

#include "lifecycle/held_events.h"
#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

class RecordRulesTest : public testing::Test {
 protected:
  RecordRulesTest() {
    v1::Event event;
    event.mutable_material_received()->set_material_id(material_);
    event.mutable_material_received()->set_lot_number("LOT-1");
    event.mutable_material_received()->set_supplier("supplier");
    event.mutable_material_received()->set_expires_at_ms(ledger_.now_ms() + 1'000'000);
    absl::StatusOr<RecordedEntry> entry = ledger_.RecordAsRequired(event);
    EXPECT_OK(entry);
    received_ = *std::move(entry);
  }

  v1::SubjectRef Target() const {
    v1::SubjectRef ref;
    ref.set_kind(v1::SUBJECT_KIND_MATERIAL);
    ref.set_id(material_);
    ref.set_role(v1::SUBJECT_ROLE_SCOPE);
    return ref;
  }
  // Annuls the receipt: the favourable effect is the mark on the event named.
  v1::Event Annulment() const {
    v1::Event event;
    event.set_annuls(std::string(received_.event_digest.view()));
    event.mutable_reason()->set_code("ERROR");
    *event.mutable_event_annulled()->add_targets() = Target();
    event.mutable_event_annulled()->set_annul_reason(v1::ANNUL_REASON_DID_NOT_OCCUR);
    return event;
  }
  SignAs Quality() const {
    return {ledger_.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED};
  }
  const v1::SubjectState& Material() const {
    return *ledger_.State(v1::SUBJECT_KIND_MATERIAL, material_);
  }
  bool Annulled() const {
    const auto& annulled = Material().annulled_events();
    return std::find(annulled.begin(), annulled.end(), received_.event_digest.view()) !=
           annulled.end();
  }

  TestLedger ledger_;
  std::string material_ = ledger_.NewId();
  RecordedEntry received_;
};

TEST_F(RecordRulesTest, AnnulmentNeedsRoleOfTheOriginalBesideQualityAssurance) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry entry, ledger_.Record(Annulment(), {Quality()}));
  EXPECT_TRUE(entry.Found(v1::REASON_CODE_E_FOUR_EYES));
  EXPECT_TRUE(entry.HasAuthorityFinding());
  EXPECT_FALSE(Annulled());
  EXPECT_EQ(Material().held_events_size(), 1);
  const SignAs receiver{ledger_.Actor(v1::ROLE_OPERATOR), v1::ROLE_OPERATOR, v1::MEANING_APPROVED};
  ASSERT_OK_AND_ASSIGN(const RecordedEntry both,
                       ledger_.Record(Annulment(), {Quality(), receiver}));
  EXPECT_FALSE(both.HasAuthorityFinding());
  EXPECT_TRUE(Annulled());
}

TEST_F(RecordRulesTest, AnnulmentBlocksUntilPeopleHaveLooked) {
  const SignAs receiver{ledger_.Actor(v1::ROLE_OPERATOR), v1::ROLE_OPERATOR, v1::MEANING_APPROVED};
  ASSERT_OK(ledger_.Record(Annulment(), {Quality(), receiver}));
  ASSERT_EQ(Material().open_cases_size(), 1);
  EXPECT_EQ(Material().open_cases(0).severity(), v1::SEVERITY_CRITICAL);
}

TEST_F(RecordRulesTest, AttestationReleasesTheHeldEvent) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(Annulment(), {Quality()}));
  ASSERT_OK_AND_ASSIGN(const RecordedEntry attested, ledger_.Attest(held));
  EXPECT_FALSE(attested.HasAuthorityFinding());
  EXPECT_TRUE(Annulled());
  EXPECT_TRUE(Material().held_events().empty());
}

TEST_F(RecordRulesTest, NobodyAttestsWhatTheySigned) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(Annulment(), {Quality()}));
  v1::Event event;
  event.mutable_attested()->add_events(std::string(held.event_digest.view()));
  *event.mutable_attested()->add_targets() = Target();
  ASSERT_OK_AND_ASSIGN(const RecordedEntry attested, ledger_.Record(event, {Quality()}));
  EXPECT_TRUE(attested.Found(v1::REASON_CODE_E_SAME_PERSON));
  EXPECT_FALSE(Annulled());
  EXPECT_EQ(FindHeldEvent(Material(), held.event_digest.view()) == nullptr, false);
}

TEST_F(RecordRulesTest, AttestationWithoutAuthorityReleasesNothing) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(Annulment(), {Quality()}));
  const std::string nurse = ledger_.AddPerson({v1::ROLE_NURSE});
  v1::Event event;
  event.mutable_attested()->add_events(std::string(held.event_digest.view()));
  *event.mutable_attested()->add_targets() = Target();
  ASSERT_OK(ledger_.Record(event, {{nurse, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}}));
  EXPECT_FALSE(Annulled());
}

TEST_F(RecordRulesTest, ExpiredKeyIsHeldAndOpensCriticalCase) {
  v1::RoleGrant grant;
  grant.set_role(v1::ROLE_OPERATOR);
  grant.set_site_id(ledger_.site_id());
  const std::string person = ledger_.AddPersonWith({grant}, ledger_.now_ms() + 1);
  ledger_.Advance(1);
  v1::Event event;
  event.mutable_material_received()->set_material_id(material_);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry entry,
                       ledger_.Record(event, {{person, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}}));
  EXPECT_TRUE(entry.Found(v1::REASON_CODE_E_CERT_EXPIRED));
  EXPECT_TRUE(entry.HasAuthorityFinding());
  ASSERT_EQ(entry.consequences.size(), 1U);
  ASSERT_EQ(Material().open_cases_size(), 1);
  EXPECT_EQ(Material().open_cases(0).kind(), v1::CASE_KIND_AUTHORITY);
  EXPECT_EQ(Material().held_events_size(), 1);
}

TEST_F(RecordRulesTest, AddedSignatureReleasesOnlyWhenTheSheetIsFull) {
  v1::Event event;
  event.mutable_line_clearance()->set_batch_id(ledger_.NewId());
  const std::string& batch = event.line_clearance().batch_id();
  const SignAs performed{ledger_.Actor(v1::ROLE_OPERATOR), v1::ROLE_OPERATOR,
                         v1::MEANING_PERFORMED};
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(event, {performed}));
  EXPECT_TRUE(held.Found(v1::REASON_CODE_E_FOUR_EYES));
  const auto held_count = [&] {
    return ledger_.State(v1::SUBJECT_KIND_BATCH, batch)->held_events_size();
  };
  EXPECT_EQ(held_count(), 1);
  const std::string nurse = ledger_.AddPerson({v1::ROLE_NURSE});
  ASSERT_OK_AND_ASSIGN(const RecordedEntry wrong,
                       ledger_.Cosign(held, {nurse, v1::ROLE_SUPERVISOR, v1::MEANING_VERIFIED}));
  EXPECT_TRUE(wrong.HasAuthorityFinding());
  EXPECT_EQ(held_count(), 1);
}

TEST_F(RecordRulesTest, SecondSignatureReleasesTheHeldEvent) {
  v1::Event event;
  event.mutable_line_clearance()->set_batch_id(ledger_.NewId());
  const std::string& batch = event.line_clearance().batch_id();
  const SignAs performed{ledger_.Actor(v1::ROLE_OPERATOR), v1::ROLE_OPERATOR,
                         v1::MEANING_PERFORMED};
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(event, {performed}));
  ASSERT_OK_AND_ASSIGN(const RecordedEntry added,
                       ledger_.Cosign(held, {ledger_.Actor(v1::ROLE_SUPERVISOR),
                                             v1::ROLE_SUPERVISOR, v1::MEANING_VERIFIED}));
  EXPECT_FALSE(added.HasAuthorityFinding());
  EXPECT_TRUE(ledger_.State(v1::SUBJECT_KIND_BATCH, batch)->held_events().empty());
}

TEST_F(RecordRulesTest, OldestHeldEventGoesWhenTooManyWait) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry first, ledger_.Record(Annulment(), {Quality()}));
  for (int i = 0; i < kHeldEventsMax; ++i) {
    ASSERT_OK(ledger_.Record(Annulment(), {Quality()}));
  }
  EXPECT_EQ(Material().held_events_size(), kHeldEventsMax);
  EXPECT_EQ(FindHeldEvent(Material(), first.event_digest.view()), nullptr);
}

TEST_F(RecordRulesTest, ReplayGivesTheSameBytes) {
  ASSERT_OK_AND_ASSIGN(const RecordedEntry held, ledger_.Record(Annulment(), {Quality()}));
  ASSERT_OK(ledger_.Attest(held));
  const auto replayed = ledger_.Replay();
  ASSERT_EQ(replayed.size(), ledger_.mutable_view().states().size());
  for (const auto& [key, state] : ledger_.mutable_view().states()) {
    EXPECT_EQ(replayed.at(key).SerializeAsString(), state.SerializeAsString()) << Describe(key);
  }
}

}  // namespace
}  // namespace custody
