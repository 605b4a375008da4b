// Holds, recalls and cases (VIG-01, VIG-02, VIG-04, CAS-01, CAS-02): each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "lifecycle/effective_quality.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VigilanceTest : public testing::Test {
 protected:
  DoseWorld world_{DefaultPolicy("")};

  v1::SubjectRef Lot() const {
    return RefOf({v1::SUBJECT_KIND_BATCH, world_.lot_id}, v1::SUBJECT_ROLE_SCOPE);
  }
  v1::SubjectState& LotSubject() { return world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id); }
  SignAs Quality() {
    return {world_.ledger().quality_assurance(), v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED};
  }
  SignAs Release() {
    return {world_.ledger().release_authority(), v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED};
  }
  v1::Event Place() const {
    v1::Event event;
    v1::HoldPlaced* const body = event.mutable_hold_placed();
    body->set_hold_id(std::string(16, 'h'));
    *body->mutable_scope() = Lot();
    body->set_authority(v1::HOLD_AUTHORITY_QUALITY_ASSURANCE);
    body->set_hold_reason_code("SUSPICION");
    return event;
  }
  v1::Event Lift() const {
    v1::Event event;
    event.mutable_reason()->set_code("CLEARED");
    event.mutable_hold_lifted()->set_hold_id(std::string(16, 'h'));
    *event.mutable_hold_lifted()->mutable_scope() = Lot();
    event.mutable_hold_lifted()->mutable_investigation()->set_sha256(std::string(32, 'i'));
    return event;
  }
  v1::Event Recall() const {
    v1::Event event;
    v1::RecallInitiated* const body = event.mutable_recall_initiated();
    body->set_case_id(std::string(16, 'r'));
    body->set_recall_class(v1::RECALL_CLASS_CLASS_2);
    *body->add_scope() = Lot();
    return event;
  }
  v1::Event Open(v1::Severity severity) const {
    v1::Event event;
    v1::CaseOpened* const body = event.mutable_case_opened();
    body->set_case_id(std::string(16, 'c'));
    body->set_kind(v1::CASE_KIND_COMPLAINT);
    body->set_severity(severity);
    *body->add_scope() = Lot();
    return event;
  }
  v1::Event Close() const {
    v1::Event event;
    event.mutable_case_closed()->set_case_id(std::string(16, 'c'));
    event.mutable_case_closed()->set_conclusion("unfounded");
    v1::ScopeDisposition* const disposed = event.mutable_case_closed()->add_dispositions();
    *disposed->mutable_subject() = Lot();
    disposed->set_disposition(v1::DISPOSITION_NO_ACTION);
    return event;
  }
};

// --- VIG-01

TEST_F(VigilanceTest, AnybodyHoldsWithOneSignature) {
  const std::string nurse = world_.ledger().Actor(v1::ROLE_NURSE, world_.clinic_id);
  v1::Event event = Place();
  event.set_site_id(world_.clinic_id);
  EXPECT_THAT(world_.Play(event, {{nurse, v1::ROLE_NURSE, v1::MEANING_AUTHORED}}).codes, IsEmpty());
  ASSERT_EQ(LotSubject().holds_size(), 1);
  EXPECT_EQ(LotSubject().holds(0).hold_reason_code(), "SUSPICION");
}

TEST_F(VigilanceTest, NothingHindersAHold) {
  world_.ledger().Actor(v1::ROLE_DONOR_COORDINATOR);
  world_.ledger().set_clock_healthy(false);
  LotSubject().add_open_cases()->set_severity(v1::SEVERITY_CRITICAL);
  v1::Event event = Place();
  event.set_policy_hash(std::string(32, 'x'));
  event.mutable_occurred_at()->set_utc_ms(world_.now_ms() + 100 * DoseWorld::kHourMs);
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_EQ(LotSubject().holds_size(), 1);
}

// Whoever carries the dose or guards its data may know what others do not.
TEST_F(VigilanceTest, CarrierAndDataProtectionHoldToo) {
  for (const v1::Role role : {v1::ROLE_CARRIER, v1::ROLE_DATA_PROTECTION_OFFICER}) {
    const std::string person = world_.ledger().AddPerson({role});
    v1::Event event = Place();
    event.mutable_hold_placed()->set_hold_id(std::string(16, static_cast<char>('a' + role)));
    EXPECT_THAT(world_.Play(event, {{person, role, v1::MEANING_AUTHORED}}).codes, IsEmpty());
  }
  EXPECT_EQ(LotSubject().holds_size(), 2);
}

TEST_F(VigilanceTest, WithoutTheRoleNoHold) {
  const std::string auditor = world_.ledger().AddPerson({v1::ROLE_AUDITOR});
  const PlayedEvent played =
      world_.Play(Place(), {{auditor, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_AUTHORED}});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, Contains("E_AUTHORITY"));
}

TEST_F(VigilanceTest, AHoldHasAnIdAndAnAuthorityOnce) {
  v1::Event event = Place();
  event.mutable_hold_placed()->clear_authority();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  ASSERT_THAT(world_.Play(Place()).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Place()).codes, ElementsAre("E_SUBJECT_EXISTS"));
}

// --- VIG-02

TEST_F(VigilanceTest, QualityAssuranceAndReleaseAuthorityLift) {
  ASSERT_THAT(world_.Play(Place()).codes, IsEmpty());
  for (const SignAs& alone : {Quality(), Release()}) {
    const PlayedEvent played = world_.Play(Lift(), {alone});
    EXPECT_FALSE(played.recorded);
    EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  }
  EXPECT_THAT(world_.Play(Lift(), {Quality(), Release()}).codes, IsEmpty());
  EXPECT_TRUE(LotSubject().holds().empty());
}

TEST_F(VigilanceTest, OnePersonOfBothRolesDoesNotLift) {
  ASSERT_THAT(world_.Play(Place()).codes, IsEmpty());
  const std::string both =
      world_.ledger().AddPerson({v1::ROLE_QUALITY_ASSURANCE, v1::ROLE_RELEASE_AUTHORITY});
  SignAs again{both, v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED};
  again.key = world_.ledger().AddKey(both);
  const PlayedEvent played =
      world_.Play(Lift(), {{both, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}, again});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, Contains("E_SAME_PERSON"));
}

TEST_F(VigilanceTest, ALiftNamesReasonInvestigationAndAHoldThatIsThere) {
  ASSERT_THAT(world_.Play(Place()).codes, IsEmpty());
  v1::Event event = Lift();
  event.clear_reason();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_REASON_MISSING"));
  event = Lift();
  event.mutable_hold_lifted()->clear_investigation();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MISSING"));
  event = Lift();
  event.mutable_hold_lifted()->set_hold_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_STATE"));
  event = Lift();
  *event.mutable_hold_lifted()->mutable_scope() =
      RefOf({v1::SUBJECT_KIND_BATCH, world_.bank_id}, v1::SUBJECT_ROLE_SCOPE);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(LotSubject().holds_size(), 1);
  EXPECT_THAT(world_.Play(Lift()).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Lift()).codes, ElementsAre("E_STATE"));
}

// --- VIG-04

TEST_F(VigilanceTest, ARecallBlocksOnOneSignature) {
  EXPECT_THAT(world_.Play(Recall(), {Quality()}).codes, IsEmpty());
  EXPECT_EQ(world_.Lot().phase(), v1::BATCH_PHASE_RECALLED);
  ASSERT_EQ(LotSubject().open_cases_size(), 1);
  EXPECT_EQ(LotSubject().open_cases(0).kind(), v1::CASE_KIND_RECALL);
  EXPECT_EQ(LotSubject().open_cases(0).severity(), v1::SEVERITY_CRITICAL);
}

TEST_F(VigilanceTest, ARecallHasACaseAClassAndAScope) {
  for (void (*const spoil)(v1::RecallInitiated&) :
       {+[](v1::RecallInitiated& body) { body.clear_recall_class(); },
        +[](v1::RecallInitiated& body) { body.clear_scope(); }}) {
    v1::Event event = Recall();
    spoil(*event.mutable_recall_initiated());
    EXPECT_THAT(world_.Play(event, {Quality(), Release()}).codes, ElementsAre("E_FIELD"));
  }
  ASSERT_THAT(world_.Play(Recall(), {Quality(), Release()}).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Recall(), {Quality(), Release()}).codes, ElementsAre("E_SUBJECT_EXISTS"));
}

TEST_F(VigilanceTest, ARecallIsNotClosedAsACase) {
  ASSERT_TRUE(world_.Play(Recall(), {Quality(), Release()}).recorded);
  v1::Event event = Close();
  event.mutable_case_closed()->set_case_id(std::string(16, 'r'));
  EXPECT_THAT(world_.Play(event, {Quality(), Release()}).codes, ElementsAre("E_RECALLED"));
  EXPECT_EQ(LotSubject().open_cases_size(), 1);
}

// --- CAS-01, CAS-02

TEST_F(VigilanceTest, ACaseIsOpenOnEverySubjectInItsScope) {
  v1::Event event = Open(v1::SEVERITY_MAJOR);
  *event.mutable_case_opened()->add_scope() =
      RefOf({v1::SUBJECT_KIND_CONTAINER, world_.vial()}, v1::SUBJECT_ROLE_SCOPE);
  ASSERT_TRUE(world_.ledger().RecordFromLedger(event).ok());
  EXPECT_EQ(LotSubject().open_cases_size(), 1);
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_CONTAINER, world_.vial()).open_cases_size(), 1);
  v1::Event close = Close();
  EXPECT_THAT(world_.Play(close, {Quality()}).codes, ElementsAre("E_MISSING"));
  v1::ScopeDisposition* const disposed = close.mutable_case_closed()->add_dispositions();
  *disposed->mutable_subject() =
      RefOf({v1::SUBJECT_KIND_CONTAINER, world_.vial()}, v1::SUBJECT_ROLE_SCOPE);
  disposed->set_disposition(v1::DISPOSITION_MONITOR);
  close.clear_subjects();
  EXPECT_THAT(world_.Play(close, {Quality()}).codes, IsEmpty());
  EXPECT_TRUE(LotSubject().open_cases().empty());
  EXPECT_TRUE(world_.State(v1::SUBJECT_KIND_CONTAINER, world_.vial()).open_cases().empty());
}

TEST_F(VigilanceTest, ACriticalCaseIsClosedByTwo) {
  ASSERT_TRUE(world_.ledger().RecordFromLedger(Open(v1::SEVERITY_CRITICAL)).ok());
  const PlayedEvent alone = world_.Play(Close(), {Quality()});
  EXPECT_FALSE(alone.recorded);
  EXPECT_THAT(alone.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_THAT(world_.Play(Close(), {Quality(), Release()}).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Close(), {Quality(), Release()}).codes, ElementsAre("E_STATE"));
}

TEST_F(VigilanceTest, OnePersonOfBothRolesClosesNoCriticalCase) {
  ASSERT_TRUE(world_.ledger().RecordFromLedger(Open(v1::SEVERITY_CRITICAL)).ok());
  const std::string both =
      world_.ledger().AddPerson({v1::ROLE_QUALITY_ASSURANCE, v1::ROLE_RELEASE_AUTHORITY});
  const SignAs quality{both, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED};
  SignAs release{both, v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED};
  release.key = world_.ledger().AddKey(both);
  const PlayedEvent alone = world_.Play(Close(), {quality, release});
  EXPECT_FALSE(alone.recorded);
  EXPECT_THAT(alone.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_THAT(world_.Play(Close(), {Quality(), release}).codes, IsEmpty());
}

// A closing in parts frees nobody before every subject has its disposition.
class ClosingInPartsTest : public VigilanceTest {
 protected:
  ClosingInPartsTest() {
    v1::Event event = Open(v1::SEVERITY_CRITICAL);
    *event.mutable_case_opened()->add_scope() =
        RefOf({v1::SUBJECT_KIND_CONTAINER, world_.vial()}, v1::SUBJECT_ROLE_SCOPE);
    CUSTODY_CHECK(world_.ledger().RecordFromLedger(event).ok());
  }
  v1::Event Part(std::uint32_t part, std::uint32_t parts, const SubjectKey& subject) const {
    v1::Event event = Close();
    event.mutable_group()->set_id(std::string(16, 'g'));
    event.mutable_group()->set_part(part);
    event.mutable_group()->set_parts(parts);
    *event.mutable_case_closed()->mutable_dispositions(0)->mutable_subject() =
        RefOf(subject, v1::SUBJECT_ROLE_SCOPE);
    return event;
  }
  bool IsBlocked(const SubjectKey& subject) {
    const absl::StatusOr<EffectiveQuality> quality = ComputeEffectiveQuality(
        world_.ledger().view(), world_.vial(), v1::REGIME_EU, world_.now_ms());
    CUSTODY_CHECK(quality.ok());
    return std::any_of(quality->blockers.begin(), quality->blockers.end(),
                       [&](const Blocker& blocker) { return blocker.subject == subject; });
  }
  SubjectKey LotKey() const { return {v1::SUBJECT_KIND_BATCH, world_.lot_id}; }
  SubjectKey VialKey() const { return {v1::SUBJECT_KIND_CONTAINER, world_.vial()}; }
};

TEST_F(ClosingInPartsTest, OnePartIsTheWhole) {
  EXPECT_THAT(world_.Play(Part(1, 1, LotKey()), {Quality(), Release()}).codes,
              ElementsAre("E_MISSING"));
}

TEST_F(ClosingInPartsTest, TheLastPartFreesAll) {
  ASSERT_TRUE(world_.Play(Part(1, 2, LotKey()), {Quality(), Release()}).recorded);
  EXPECT_TRUE(IsBlocked(LotKey()));
  EXPECT_TRUE(IsBlocked(VialKey()));
  ASSERT_TRUE(world_.Play(Part(2, 2, VialKey()), {Quality(), Release()}).recorded);
  EXPECT_FALSE(IsBlocked(LotKey()));
  EXPECT_FALSE(IsBlocked(VialKey()));
}

TEST_F(VigilanceTest, AClosingSaysWhatAndWhy) {
  ASSERT_TRUE(world_.ledger().RecordFromLedger(Open(v1::SEVERITY_MAJOR)).ok());
  v1::Event event = Close();
  event.mutable_case_closed()->clear_conclusion();
  EXPECT_THAT(world_.Play(event, {Quality()}).codes, ElementsAre("E_REASON_MISSING"));
  event = Close();
  event.mutable_case_closed()->mutable_dispositions(0)->clear_disposition();
  EXPECT_THAT(world_.Play(event, {Quality()}).codes, ElementsAre("E_FIELD", "E_MISSING"));
  event = Close();
  event.mutable_case_closed()->set_case_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(event, {Quality()}).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
  EXPECT_EQ(LotSubject().open_cases_size(), 1);
}

}  // namespace
}  // namespace custody
