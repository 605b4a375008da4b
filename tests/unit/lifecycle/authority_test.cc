#include "lifecycle/authority.h"

#include <algorithm>
#include <string>
#include <vector>

#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

std::vector<v1::ReasonCode> ReasonsOf(const absl::Status& status) {
  std::vector<v1::ReasonCode> reasons;
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (!refusal.has_value()) return reasons;
  for (const v1::RefusalReason& reason : refusal->reasons()) reasons.push_back(reason.code());
  return reasons;
}

// ActorEnrolled needs an administrator and quality assurance: the smallest four-eyes sheet.
class AuthorityTest : public testing::Test {
 protected:
  v1::Event Enrolment() {
    v1::Event event;
    event.mutable_product_registered()->set_product_id(ledger_.NewId());
    event.mutable_product_registered()->set_name("Cells");
    event.mutable_product_registered()->add_regimes(v1::REGIME_TH);
    event.mutable_product_registered()->set_presentation(v1::PRESENTATION_FROZEN);
    return event;
  }
  SignAs Quality(const std::string& id = "") const {
    return {id.empty() ? ledger_.quality_assurance() : id, v1::ROLE_QUALITY_ASSURANCE,
            v1::MEANING_APPROVED};
  }
  SignAs Release(const std::string& id = "") const {
    return {id.empty() ? ledger_.release_authority() : id, v1::ROLE_RELEASE_AUTHORITY,
            v1::MEANING_APPROVED};
  }
  Evaluation Judge(const std::vector<SignAs>& signers) {
    absl::StatusOr<Evaluation> evaluation = ledger_.EvaluateOnly(Enrolment(), signers);
    EXPECT_OK(evaluation);
    return *std::move(evaluation);
  }
  static v1::RoleGrant Everywhere(v1::Role role) {
    v1::RoleGrant grant;
    grant.set_role(role);
    return grant;
  }

  TestLedger ledger_;
};

using Reasons = std::vector<v1::ReasonCode>;

TEST_F(AuthorityTest, TwoPersonsWithBothRolesAreEnough) {
  EXPECT_OK(Judge({Quality(), Release()}).verdict);
}

TEST_F(AuthorityTest, OneSignatureIsPendingWithTheOtherPlaceOpen) {
  const Evaluation evaluation = Judge({Quality()});
  EXPECT_EQ(ReasonsOf(evaluation.verdict), Reasons{v1::REASON_CODE_E_FOUR_EYES});
  EXPECT_TRUE(evaluation.pending);
  EXPECT_EQ(evaluation.open_places, std::vector<std::uint32_t>{1});
}

TEST_F(AuthorityTest, OnePersonWithTwoKeysIsOnePerson) {
  const std::string person = ledger_.AddPersonWith(
      {Everywhere(v1::ROLE_QUALITY_ASSURANCE), Everywhere(v1::ROLE_RELEASE_AUTHORITY)});
  SignAs second = Release(person);
  second.key = ledger_.AddKey(person);
  const Evaluation evaluation = Judge({Quality(person), second});
  EXPECT_EQ(ReasonsOf(evaluation.verdict).front(), v1::REASON_CODE_E_SAME_PERSON);
  EXPECT_FALSE(evaluation.pending);
}

TEST_F(AuthorityTest, PersonWithBothRolesTakesThePlaceThatTheOtherCannot) {
  const std::string both = ledger_.AddPersonWith(
      {Everywhere(v1::ROLE_QUALITY_ASSURANCE), Everywhere(v1::ROLE_RELEASE_AUTHORITY)});
  SignAs as_release = Release(both);
  as_release.key = ledger_.AddKey(both);
  EXPECT_OK(Judge({Quality(both), as_release, Quality()}).verdict);
}

TEST_F(AuthorityTest, WrongRoleOrSiteOrMeaningIsRefused) {
  const std::string nurse = ledger_.AddPerson({v1::ROLE_NURSE});
  v1::RoleGrant here = Everywhere(v1::ROLE_RELEASE_AUTHORITY);
  here.set_site_id(ledger_.site_id());
  const std::string local = ledger_.AddPersonWith({here});
  SignAs reviewed = Release();
  reviewed.meaning = v1::MEANING_REVIEWED;
  for (const SignAs& second : {Release(nurse), Release(local), reviewed}) {
    const Evaluation evaluation = Judge({Quality(), second});
    const Reasons reasons = ReasonsOf(evaluation.verdict);
    EXPECT_TRUE(std::count(reasons.begin(), reasons.end(), v1::REASON_CODE_E_AUTHORITY) == 1);
    EXPECT_EQ(evaluation.verdict.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_FALSE(evaluation.pending);
  }
}

TEST_F(AuthorityTest, ExpiredRoleIsNoRole) {
  v1::RoleGrant past = Everywhere(v1::ROLE_RELEASE_AUTHORITY);
  past.set_valid_to_ms(ledger_.now_ms());
  const std::string person = ledger_.AddPersonWith({past});
  EXPECT_EQ(ReasonsOf(Judge({Quality(), Release(person)}).verdict).front(),
            v1::REASON_CODE_E_AUTHORITY);
}

TEST_F(AuthorityTest, ExpiredKeyIsRefusedForDecisions) {
  const std::string person =
      ledger_.AddPersonWith({Everywhere(v1::ROLE_RELEASE_AUTHORITY)}, ledger_.now_ms() + 1'000);
  EXPECT_OK(Judge({Quality(), Release(person)}).verdict);
  ledger_.Advance(1'000);
  EXPECT_EQ(ReasonsOf(Judge({Quality(), Release(person)}).verdict).front(),
            v1::REASON_CODE_E_CERT_EXPIRED);
}

TEST_F(AuthorityTest, RevokedKeyIsRefusedFromItsPositionOn) {
  const std::string person = ledger_.AddPersonWith({Everywhere(v1::ROLE_RELEASE_AUTHORITY)});
  EXPECT_OK(Judge({Quality(), Release(person)}).verdict);
  ledger_.RevokeKey(person);
  EXPECT_EQ(ReasonsOf(Judge({Quality(), Release(person)}).verdict).front(),
            v1::REASON_CODE_E_KEY_REVOKED);
}

TEST_F(AuthorityTest, KeyOfAnotherPersonIsUnknown) {
  v1::Event event = Enrolment();
  ledger_.FillHeader(&event);
  v1::SignedEvent signed_event = ledger_.Sign(event, {Quality(), Release()});
  for (v1::Signature& signature : *signed_event.mutable_signatures()) {
    v1::SignatureStatement statement;
    ASSERT_TRUE(statement.ParseFromString(signature.statement()));
    statement.set_person_id(ledger_.NewId());
    signature.set_statement(statement.SerializeAsString());
  }
  const absl::Status status = ledger_.Submit(signed_event).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonsOf(status), Reasons{v1::REASON_CODE_E_UNKNOWN_KEY});
}

TEST_F(AuthorityTest, HoardedSignatureIsOutsideTheWindow) {
  SignAs old = Release();
  old.signed_at_ms = ledger_.now_ms() - kDayMs - 1;
  EXPECT_EQ(ReasonsOf(Judge({Quality(), old}).verdict),
            Reasons{v1::REASON_CODE_E_SIGNATURE_WINDOW});
  old.signed_at_ms = ledger_.now_ms() - kDayMs;
  EXPECT_OK(Judge({Quality(), old}).verdict);
  SignAs future = Release();
  future.signed_at_ms = ledger_.now_ms() + 120'001;
  EXPECT_EQ(ReasonsOf(Judge({Quality(), future}).verdict),
            Reasons{v1::REASON_CODE_E_SIGNATURE_WINDOW});
}

TEST_F(AuthorityTest, AdministratorSignsNothingButGovernance) {
  v1::Event event;
  event.mutable_material_received()->set_material_id(ledger_.NewId());
  ASSERT_OK_AND_ASSIGN(const RecordedEntry entry,
                       ledger_.Record(event, {{ledger_.administrator(), v1::ROLE_ADMINISTRATOR,
                                               v1::MEANING_RECEIVED}}));
  EXPECT_TRUE(entry.Found(v1::REASON_CODE_E_AUTHORITY));
  EXPECT_TRUE(entry.HasAuthorityFinding());
}

TEST_F(AuthorityTest, DeviceSignsNoDecisionButPlacesHolds) {
  const std::string device = ledger_.AddDevice(v1::DEVICE_TYPE_STORAGE);
  v1::Event hold;
  hold.mutable_hold_placed()->set_hold_id(ledger_.NewId());
  hold.mutable_hold_placed()->mutable_scope()->set_kind(v1::SUBJECT_KIND_MATERIAL);
  hold.mutable_hold_placed()->mutable_scope()->set_id(ledger_.NewId());
  hold.mutable_hold_placed()->set_authority(v1::HOLD_AUTHORITY_SYSTEM);
  EXPECT_OK(ledger_.Record(hold, {{device, v1::ROLE_DEVICE, v1::MEANING_DERIVED}}));
  v1::Event release;
  release.mutable_material_released()->set_material_id(ledger_.NewId());
  EXPECT_EQ(
      ledger_.Record(release, {{device, v1::ROLE_DEVICE, v1::MEANING_APPROVED}}).status().code(),
      absl::StatusCode::kPermissionDenied);
}

TEST_F(AuthorityTest, ProtectiveActNeedsOneSignatureWhateverClockAndWindow) {
  ledger_.set_clock_healthy(false);
  v1::Event event;
  v1::RecallInitiated& recall = *event.mutable_recall_initiated();
  recall.set_case_id(ledger_.NewId());
  recall.set_recall_class(v1::RECALL_CLASS_CLASS_1);
  v1::SubjectRef& scope = *recall.add_scope();
  scope.set_kind(v1::SUBJECT_KIND_BATCH);
  scope.set_id(ledger_.NewId());
  scope.set_role(v1::SUBJECT_ROLE_SCOPE);
  SignAs old = Release();
  old.signed_at_ms = ledger_.now_ms() - 10 * kDayMs;
  EXPECT_OK(ledger_.Record(event, {old}));
  EXPECT_TRUE(ledger_.Case(recall.case_id()) != nullptr);
}

}  // namespace
}  // namespace custody
