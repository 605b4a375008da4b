// Keys and roles at the position of each event: an operator who skips the rules is caught.

#include <string>
#include <vector>

#include "tests/unit/daemon/witness/auditor_kit.h"

namespace custody {
namespace {

class AuditorKeysTest : public AuditorKit {
 protected:
  AuditorKeysTest()
      : manager_{std::string(16, 'M'), v1::ROLE_QUALITY_ASSURANCE, TestKey('m')},
        officer_{std::string(16, 'O'), v1::ROLE_VIGILANCE_OFFICER, TestKey('c')} {
    Enrol(manager_);
    Enrol(officer_);
    before_ = Extend({kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(20)), {manager_})});
    revocation_ = Extend({Revocation()});
    slot_ = Extend({kit_.Site(21)});
    observation_ = Extend({CaseBy(manager_)});
  }

  void Enrol(const TestSigner& signer) {
    Extend({kit_.Sign(kit_.PersonEvent(signer), {kit_.admin, kit_.quality})});
  }
  v1::SignedEvent Revocation() const {
    v1::Event event;
    event.mutable_key_revoked()->set_person_id(manager_.id);
    event.mutable_key_revoked()->set_key_id(std::string(manager_.key.verify_key().key_id().view()));
    return kit_.Sign(event, {kit_.admin});
  }
  v1::SignedEvent CaseBy(TestSigner signer) const {
    v1::Event event;
    event.set_site_id(LedgerKit::SiteId(1));
    v1::CaseOpened* opened = event.mutable_case_opened();
    opened->set_case_id(std::string(16, 'd'));
    opened->set_kind(v1::CASE_KIND_COMPLAINT);
    opened->set_severity(v1::SEVERITY_MAJOR);
    *opened->add_scope() =
        RefOf({v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(1)}, v1::SUBJECT_ROLE_SCOPE);
    signer.meaning = v1::MEANING_AUTHORED;
    return kit_.Sign(event, {signer});
  }
  // The log with another one's signature under the site that an administrator has registered.
  std::vector<std::string> WithSlotSignedBy(const TestSigner& signer) const {
    return Remade(slot_, [&](v1::Entry* entry) {
      *entry->mutable_signed_event() = kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(21)), {signer});
    });
  }

  TestSigner manager_;
  TestSigner officer_;
  std::size_t before_ = 0;  // Signed by the manager, whose key was revoked afterwards.
  std::size_t revocation_ = 0;
  std::size_t slot_ = 0;         // A governance event.
  std::size_t observation_ = 0;  // By the revoked key.
};

// With what the key has signed in its time, and what it has observed since.
TEST_F(AuditorKeysTest, AnEventOfAKeyBeforeItsRevocationStaysTrue) {
  ASSERT_LT(before_, revocation_);
  ASSERT_LT(revocation_, slot_);
  EXPECT_EQ(Entry(before_).findings_size(), 0);
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().unrepeated, 0U);
}

TEST_F(AuditorKeysTest, ADecisionOfARevokedKeyIsAnAlarm) {
  ExpectCaught(WithSlotSignedBy(manager_), slot_, "was revoked");
}

TEST_F(AuditorKeysTest, ADecisionOfARoleThatMayNotTakeItIsAnAlarm) {
  ExpectCaught(WithSlotSignedBy(officer_), slot_, "does not sign GOV-03a");
}

TEST_F(AuditorKeysTest, ADecisionInARoleThatItsSignerDoesNotHoldIsAnAlarm) {
  TestSigner boaster = officer_;
  boaster.role = v1::ROLE_ADMINISTRATOR;
  ExpectCaught(WithSlotSignedBy(boaster), slot_, "ADMINISTRATOR is not held");
}

// An observation is recorded whoever signs it; that the key was revoked must then stand there.
TEST_F(AuditorKeysTest, AnObservationOfARevokedKeyWithoutItsFindingIsAnAlarm) {
  ASSERT_EQ(Entry(observation_).findings_size(), 1);
  EXPECT_EQ(Entry(observation_).findings(0).code(), v1::REASON_CODE_E_KEY_REVOKED);
  ExpectCaught(Remade(observation_, [](v1::Entry* entry) { entry->clear_findings(); }),
               observation_, "states the findings none, the rules give E_KEY_REVOKED");
}

// So must it that the role is not held.
TEST_F(AuditorKeysTest, AnObservationInARoleThatItsSignerDoesNotHoldIsAnAlarmWithoutItsFinding) {
  const std::size_t flagged = FindFlagged();
  EXPECT_EQ(Entry(flagged).findings(0).code(), v1::REASON_CODE_E_AUTHORITY);
  ExpectCaught(Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); }), flagged,
               "E_AUTHORITY");
}

}  // namespace
}  // namespace custody
