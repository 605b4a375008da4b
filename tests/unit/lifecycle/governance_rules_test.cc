// Governance and vigilance: refusals of what must not be enrolled, and the order of holds.

#include <algorithm>
#include <functional>
#include <string>

#include "lifecycle/refusal.h"
#include "lifecycle/rules.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

bool Refuses(const absl::Status& status, v1::ReasonCode code) {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (!refusal.has_value()) return false;
  const auto& reasons = refusal->reasons();
  return std::any_of(reasons.begin(), reasons.end(),
                     [&](const v1::RefusalReason& reason) { return reason.code() == code; });
}

class GovernanceRulesTest : public testing::Test {
 protected:
  absl::Status Try(const v1::Event& event) { return ledger_.RecordAsRequired(event).status(); }
  v1::PersonEnrolment NewPerson() {
    v1::PersonEnrolment person;
    person.set_person_id(ledger_.NewId());
    person.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
    *person.add_keys() = ledger_.Person(ledger_.administrator())->keys(0).key();
    person.mutable_keys(0)->set_spki(
        SigningKey::Generate(KeyAlgorithm::kEcdsaP256)->verify_key().spki());
    person.mutable_keys(0)->set_algorithm(v1::KEY_ALGORITHM_ECDSA_P256);
    return person;
  }
  absl::Status Enrol(const std::function<void(v1::PersonEnrolment*)>& change) {
    v1::Event event;
    *event.mutable_actor_enrolled()->mutable_person() = NewPerson();
    change(event.mutable_actor_enrolled()->mutable_person());
    return Try(event);
  }

  TestLedger ledger_;
};

TEST_F(GovernanceRulesTest, EnrolsPersonOnce) {
  v1::Event event;
  *event.mutable_actor_enrolled()->mutable_person() = NewPerson();
  EXPECT_OK(Try(event));
  EXPECT_TRUE(Refuses(Try(event), v1::REASON_CODE_E_SUBJECT_EXISTS));
}

TEST_F(GovernanceRulesTest, ASiteIsDescribed) {
  const auto register_site = [this](void (*spoil)(v1::SiteRegistered & site)) {
    v1::Event event;
    v1::SiteRegistered& site = *event.mutable_site_registered();
    site.set_site_id(ledger_.NewId());
    site.set_organisation("Example Clinic");
    site.set_country("TH");
    site.set_time_zone("Asia/Bangkok");
    site.add_functions(v1::SITE_FUNCTION_CLINIC);
    spoil(site);
    return Try(event);
  };
  using Site = v1::SiteRegistered;
  EXPECT_OK(register_site([](Site&) {}));
  for (void (*const spoil)(Site&) : {+[](Site& site) { site.clear_organisation(); },
                                     +[](Site& site) { site.set_country("Thailand"); },
                                     +[](Site& site) { site.clear_time_zone(); },
                                     +[](Site& site) { site.set_time_zone("Mars/Olympus"); },
                                     +[](Site& site) { site.clear_functions(); }}) {
    EXPECT_TRUE(Refuses(register_site(spoil), v1::REASON_CODE_E_FIELD));
  }
}

TEST_F(GovernanceRulesTest, RefusesBadEnrolments) {
  using Person = v1::PersonEnrolment;
  EXPECT_OK(Enrol([](Person*) {}));
  EXPECT_TRUE(Refuses(Enrol([](Person* p) { p->clear_keys(); }), v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(Refuses(Enrol([](Person* p) { p->mutable_keys(0)->set_spki("no key"); }),
                      v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(Refuses(
      Enrol([](Person* p) { p->mutable_keys(0)->set_algorithm(v1::KEY_ALGORITHM_ED25519); }),
      v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(Refuses(Enrol([](Person* p) { p->mutable_keys(0)->set_certificate("no"); }),
                      v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(
      Refuses(Enrol([](Person* p) { *p->add_keys() = p->keys(0); }), v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(Refuses(Enrol([](Person* p) { p->add_roles()->set_role(v1::ROLE_NURSE); }),
                      v1::REASON_CODE_E_FIELD));
  EXPECT_TRUE(Refuses(Enrol([](Person* p) {
                        p->add_roles()->set_role(v1::ROLE_NURSE);
                        p->mutable_roles(0)->set_site_id(std::string(16, 'x'));
                      }),
                      v1::REASON_CODE_E_UNKNOWN_SUBJECT));
}

TEST_F(GovernanceRulesTest, WhatIsClaimedHasItsDocument) {
  EXPECT_TRUE(Refuses(Enrol([](v1::PersonEnrolment* p) { p->clear_identity_proof(); }),
                      v1::REASON_CODE_E_MISSING));
  v1::Event licence;
  licence.mutable_licence_recorded()->set_site_id(ledger_.AddSite({}, {}));
  licence.mutable_licence_recorded()->set_licence_type(v1::LICENCE_TYPE_CLINIC);
  EXPECT_TRUE(Refuses(Try(licence), v1::REASON_CODE_E_MISSING));
  licence.mutable_licence_recorded()->mutable_document()->set_sha256(std::string(32, 'l'));
  EXPECT_OK(Try(licence));
  v1::Event calibration;
  v1::DeviceCalibrated& body = *calibration.mutable_device_calibrated();
  body.set_device_id(ledger_.AddDevice(v1::DEVICE_TYPE_STORAGE, ""));
  body.set_calibrated_at_ms(1);
  body.set_valid_to_ms(2);
  EXPECT_TRUE(Refuses(Try(calibration), v1::REASON_CODE_E_MISSING));
  body.mutable_certificate()->set_sha256(std::string(32, 'c'));
  EXPECT_OK(Try(calibration));
}

TEST_F(GovernanceRulesTest, LedgerIsCreatedOnce) {
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(ledger_.log().front().signed_event.event()));
  EXPECT_TRUE(Refuses(ledger_.RecordFromLedger(event).status(), v1::REASON_CODE_E_SUBJECT_EXISTS));
}

TEST_F(GovernanceRulesTest, KeyCanBeRevokedTwice) {
  const std::string person = ledger_.AddPerson({v1::ROLE_NURSE});
  ledger_.RevokeKey(person);
  const std::uint64_t first = ledger_.Person(person)->keys(0).revoked_index();
  EXPECT_NE(first, 0U);
  ledger_.RevokeKey(person);
  EXPECT_EQ(ledger_.Person(person)->keys(0).revoked_index(), first);
}

TEST_F(GovernanceRulesTest, RefusesRulesVersionThatDoesNotExist) {
  v1::Event event;
  event.mutable_rules_version_activated()->set_ledger_id(
      std::string(Sha256(std::string_view(ledger_.origin())).view().substr(0, 16)));
  event.mutable_rules_version_activated()->set_rules_version(kRulesVersion + 1);
  EXPECT_TRUE(Refuses(Try(event), v1::REASON_CODE_UNIMPLEMENTED));
}

TEST_F(GovernanceRulesTest, HoldIsLiftedByQualityAssuranceAndReleaseAuthorityOnly) {
  v1::Event placed;
  v1::HoldPlaced& hold = *placed.mutable_hold_placed();
  hold.set_hold_id(ledger_.NewId());
  hold.mutable_scope()->set_kind(v1::SUBJECT_KIND_DONOR);
  hold.mutable_scope()->set_id(ledger_.NewId());
  hold.mutable_scope()->set_role(v1::SUBJECT_ROLE_PRIMARY);
  hold.set_authority(v1::HOLD_AUTHORITY_REGULATOR);
  ASSERT_OK(ledger_.Record(
      placed, {{ledger_.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_AUTHORED}}));
  const auto holds = [&] {
    return ledger_.State(v1::SUBJECT_KIND_DONOR, hold.scope().id())->holds();
  };
  EXPECT_EQ(holds().size(), 1);

  v1::Event lifted;
  lifted.mutable_hold_lifted()->set_hold_id(hold.hold_id());
  *lifted.mutable_hold_lifted()->mutable_scope() = hold.scope();
  EXPECT_TRUE(Refuses(Try(lifted), v1::REASON_CODE_E_REASON_MISSING));
  lifted.mutable_reason()->set_code("CLEARED");
  lifted.mutable_hold_lifted()->mutable_investigation()->set_sha256(std::string(32, 'd'));
  EXPECT_TRUE(Refuses(ledger_
                          .Record(lifted, {{ledger_.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE,
                                            v1::MEANING_APPROVED}})
                          .status(),
                      v1::REASON_CODE_E_FOUR_EYES));
  EXPECT_EQ(holds().size(), 1);
  EXPECT_OK(Try(lifted));
  EXPECT_EQ(holds().size(), 0);
  EXPECT_TRUE(Refuses(Try(lifted), v1::REASON_CODE_E_STATE));
}

TEST_F(GovernanceRulesTest, RecallBlocksAndIsNotClosedAsCase) {
  v1::Event recall;
  v1::RecallInitiated& body = *recall.mutable_recall_initiated();
  body.set_case_id(ledger_.NewId());
  body.set_recall_class(v1::RECALL_CLASS_CLASS_2);
  v1::SubjectRef& scope = *body.add_scope();
  scope.set_kind(v1::SUBJECT_KIND_BATCH);
  scope.set_id(ledger_.NewId());
  scope.set_role(v1::SUBJECT_ROLE_SCOPE);
  ASSERT_OK(Try(recall));
  ASSERT_EQ(ledger_.State(v1::SUBJECT_KIND_BATCH, scope.id())->open_cases_size(), 1);
  v1::Event closed;
  closed.mutable_case_closed()->set_case_id(body.case_id());
  closed.mutable_case_closed()->set_conclusion("done");
  EXPECT_TRUE(Refuses(Try(closed), v1::REASON_CODE_E_RECALLED));
}

TEST(RulesTest, EveryEvaluatedEventOfTheseAreasHasItsRule) {
  for (const CatalogueEntry& entry : Catalogue()) {
    const std::string& code = entry.row.code();
    const bool mine = code.starts_with("GOV-") || code.starts_with("REC-") ||
                      code.starts_with("VIG-") || code.starts_with("CAS-") ||
                      code.starts_with("PRD-") || code.starts_with("TRN-");
    if (!mine) continue;
    EXPECT_EQ(FindRule(entry.body_case) != nullptr, entry.row.evaluated()) << code;
  }
}

TEST(CatalogueTest, CodesAndNamesAreUniqueAndFound) {
  EXPECT_GT(Catalogue().size(), 130U);
  for (const CatalogueEntry& entry : Catalogue()) {
    EXPECT_EQ(FindCatalogueEntry(entry.row.code()), &entry) << entry.row.code();
    EXPECT_EQ(FindCatalogueEntry(entry.name), &entry);
    EXPECT_EQ(FindCatalogueEntry(entry.body_case), &entry);
    EXPECT_NE(entry.row.admission(), v1::ADMISSION_CLASS_UNSPECIFIED);
    EXPECT_GT(entry.row.signatures_size(), 0) << entry.row.code();
  }
  EXPECT_EQ(FindCatalogueEntry("no such event"), nullptr);
}

TEST(RefusalTest, EveryReasonHasANameAndARemedy) {
  for (int number = 1; number <= v1::ReasonCode_MAX; ++number) {
    if (!v1::ReasonCode_IsValid(number)) continue;
    const auto code = static_cast<v1::ReasonCode>(number);
    EXPECT_EQ(ReasonFromName(ReasonName(code)), code);
    EXPECT_EQ(DefaultRemedy(code).find("look the reason code up"), std::string_view::npos)
        << ReasonName(code);
  }
}

}  // namespace
}  // namespace custody
