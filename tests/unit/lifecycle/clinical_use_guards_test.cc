// Administration and what follows (CLN-11 to CLN-13, CLN-15): reality is recorded, with findings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/spoiled_step.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using World = DoseWorld;
constexpr auto kMinute = DoseWorld::kMinuteMs;

class RecordedUseTest : public testing::TestWithParam<SpoiledStep> {};

TEST_P(RecordedUseTest, NamesTheFindings) { ExpectRecorded(GetParam()); }

// CLN-11. The permit of PlayUntil is one minute old.
INSTANTIATE_TEST_SUITE_P(
    Start, RecordedUseTest,
    testing::Values(
        SpoiledStep{"InOrder", DoseStep::kStarted, [](World&, v1::Event&) {}, {}},
        SpoiledStep{"LastMomentOfThePermit",
                    DoseStep::kStarted,
                    [](World& world, v1::Event&) { world.ledger().Advance(29 * kMinute); },
                    {}},
        SpoiledStep{"AfterThePermit",
                    DoseStep::kStarted,
                    [](World& world, v1::Event&) { world.ledger().Advance(29 * kMinute + 1); },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"BeforeThePermit",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms() - kMinute - 1);
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"FutureTimesDoNotCount",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms() + 120'001);
                    },
                    {"TIME_FUTURE"}},
        SpoiledStep{"NoPermit",
                    DoseStep::kStarted,
                    [](World&, v1::Event& event) {
                      event.mutable_administration_started()->clear_authorisation();
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"AnotherPermit",
                    DoseStep::kStarted,
                    [](World&, v1::Event& event) {
                      event.mutable_administration_started()->set_authorisation(
                          std::string(32, 'x'));
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"UsedPermit",
                    DoseStep::kStarted,
                    [](World& world, v1::Event&) {
                      world.Order().mutable_authorisations(0)->set_used(true);
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{
            "AnotherSite",
            DoseStep::kStarted,
            [](World& world, v1::Event& event) { event.set_site_id(world.ledger().site_id()); },
            {"E_NOT_AUTHORISED"}},
        SpoiledStep{"OneVialMore",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_administration_started()->add_container_ids(world.vial(1));
                      world.Vial(1).set_life(v1::CONTAINER_LIFE_THAWED);
                    },
                    // The second one was never thawed for anybody nor matched to this order.
                    {"E_ALLOCATION", "E_NOT_AUTHORISED"}},
        SpoiledStep{"AnotherPatient",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_administration_started()->set_patient_id(
                          world.ledger().NewId());
                    },
                    {"E_PATIENT_MISMATCH", "E_UNKNOWN_SUBJECT"}},
        SpoiledStep{"UnknownOrder",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_administration_started()->set_order_id(world.ledger().NewId());
                    },
                    {"E_ALLOCATION", "E_NOT_AUTHORISED", "E_UNKNOWN_SUBJECT"}},
        SpoiledStep{
            "StillFrozen",
            DoseStep::kStarted,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_STORED); },
            {"E_STATE"}},
        SpoiledStep{"AnotherRoute",
                    DoseStep::kStarted,
                    [](World&, v1::Event& event) {
                      event.mutable_administration_started()->set_route(v1::ROUTE_INTRATHECAL);
                    },
                    {"E_MATCH"}},
        // The clock after thaw is the ledger's: nobody reports a start of an hour ago.
        SpoiledStep{"RecordedAfterTheTimeAfterThaw",
                    DoseStep::kStarted,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms());
                      world.ledger().set_now_ms(world.Vial().thawed_recorded_at_ms() +
                                                4 * DoseWorld::kHourMs);
                      event.mutable_reason()->set_code("DOWNTIME");
                    },
                    {"E_EXPIRED"}},
        SpoiledStep{"HoldSinceThePermit",
                    DoseStep::kStarted,
                    [](World& world, v1::Event&) {
                      world.State(v1::SUBJECT_KIND_DONATION, world.donation_id).add_holds();
                    },
                    {"E_HOLD"}},
        SpoiledStep{"LastMomentBeforeTheExpiry",
                    DoseStep::kStarted,
                    [](World& world, v1::Event&) {
                      world.Vial().set_label_expires_at_ms(world.now_ms() + 1);
                    },
                    {}},
        SpoiledStep{
            "Expired",
            DoseStep::kStarted,
            [](World& world, v1::Event&) { world.Vial().set_label_expires_at_ms(world.now_ms()); },
            {"E_EXPIRED"}}),
    NameOfStep);

// CLN-12.
INSTANTIATE_TEST_SUITE_P(
    End, RecordedUseTest,
    testing::Values(
        SpoiledStep{"InOrder", DoseStep::kEnded, [](World&, v1::Event&) {}, {}},
        SpoiledStep{
            "LeastThatIsComplete",
            DoseStep::kEnded,
            [](World&, v1::Event& event) {
              event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(
                  9'500);
            },
            {}},
        SpoiledStep{
            "TooLittleToBeComplete",
            DoseStep::kEnded,
            [](World&, v1::Event& event) {
              event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(
                  9'499);
            },
            {"E_AMOUNT"}},
        SpoiledStep{
            "MoreThanThereIs",
            DoseStep::kEnded,
            [](World&, v1::Event& event) {
              event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(
                  10'001);
            },
            {"E_AMOUNT"}},
        SpoiledStep{"StoppedEarly",
                    DoseStep::kEnded,
                    [](World&, v1::Event& event) {
                      v1::AdministrationEnded* const body = event.mutable_administration_ended();
                      body->set_outcome(v1::ADMINISTRATION_OUTCOME_STOPPED);
                      body->mutable_containers(0)->set_volume_given_ul(1);
                    },
                    {}},
        SpoiledStep{
            "NeverStarted",
            DoseStep::kEnded,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_THAWED); },
            {"E_STATE"}},
        SpoiledStep{"AnotherPatient",
                    DoseStep::kEnded,
                    [](World& world, v1::Event& event) {
                      event.mutable_administration_ended()->set_patient_id(world.ledger().NewId());
                    },
                    {"E_PATIENT_MISMATCH", "E_UNKNOWN_SUBJECT"}}),
    NameOfStep);

class UseRulesTest : public testing::Test {
 protected:
  DoseWorld world_{DefaultPolicy("")};
};

TEST_F(UseRulesTest, FindingsAtTheBedsideAreCriticalAndOpenACase) {
  world_.PlayUntil(DoseStep::kAuthorised);
  v1::Event event = world_.MakeStart();
  event.mutable_administration_started()->clear_authorisation();
  const PlayedEvent played = world_.Play(event);
  EXPECT_EQ(played.Finding("E_NOT_AUTHORISED")->severity(), v1::SEVERITY_CRITICAL);
  ASSERT_EQ(played.entry->consequences.size(), 1U);
  EXPECT_EQ(played.entry->consequences[0].code, "CAS-01");
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERING);
}

TEST_F(UseRulesTest, AStartConsumesTheVialAndThePermit) {
  world_.PlayUntil(DoseStep::kStarted);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERING);
  EXPECT_EQ(world_.Vial().allocation(), v1::CONTAINER_ALLOCATION_CONSUMED);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_ADMINISTERING);
  EXPECT_TRUE(world_.Order().authorisations(0).used());
}

TEST_F(UseRulesTest, AStartWithoutAuthorityStillConsumes) {
  world_.PlayUntil(DoseStep::kAuthorised);
  const std::string nurse = world_.ledger().Actor(v1::ROLE_NURSE, world_.clinic_id);
  const PlayedEvent played =
      world_.Play(world_.MakeStart(), {{nurse, v1::ROLE_NURSE, v1::MEANING_PERFORMED}});
  EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERING);
  EXPECT_EQ(world_.Vial().allocation(), v1::CONTAINER_ALLOCATION_CONSUMED);
}

TEST_F(UseRulesTest, TheEndSettlesVialOrderAndPatient) {
  world_.PlayUntil(DoseStep::kEnded);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERED);
  EXPECT_EQ(world_.Vial().volume_given_ul(), 10'000U);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_ADMINISTERED);
  EXPECT_EQ(world_.Order().administered_at_ms(), world_.now_ms());
  ASSERT_EQ(world_.Patient().dmso_given_size(), 1);
  EXPECT_EQ(world_.Patient().dmso_given(0).volume_ul(), 10'000U);
}

TEST_F(UseRulesTest, WhatIsNotCompleteIsPartlyGivenUntilTheRestIsDiscarded) {
  world_.PlayUntil(DoseStep::kStarted);
  v1::Event event = world_.MakeEnd();
  event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(9'499);
  EXPECT_EQ(world_.Play(event).Finding("E_AMOUNT")->severity(), v1::SEVERITY_MAJOR);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED);
  v1::Event rest = world_.MakeDiscard();
  rest.mutable_container_discarded()->set_residual_only(true);
  EXPECT_THAT(world_.Play(rest).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL);
}

// The rest was thrown away before anybody wrote down how much was given: one use, not two.
TEST_F(UseRulesTest, AnEndThatIsRecordedAfterTheDiscardIsNoSecondUse) {
  world_.PlayUntil(DoseStep::kStarted);
  v1::Event rest = world_.MakeDiscard();
  rest.mutable_container_discarded()->set_residual_only(true);
  ASSERT_TRUE(world_.Play(rest).recorded);
  ASSERT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL);
  v1::Event event = world_.MakeEnd();
  event.mutable_administration_ended()->set_outcome(v1::ADMINISTRATION_OUTCOME_STOPPED);
  event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(5'000);
  const PlayedEvent played = world_.Play(event);
  EXPECT_EQ(played.Finding("E_AFTER_FINAL")->severity(), v1::SEVERITY_MINOR);
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id).holds_size(), 0);
  EXPECT_EQ(world_.Vial().volume_given_ul(), 5'000U);
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id).holds_size(), 1);
}

// The 24 hours of dimethyl sulfoxide count from a time that can be true.
TEST_F(UseRulesTest, TheEndLiesBetweenTheEventAndItsRecord) {
  for (const std::int64_t hours : {-48, 48}) {
    DoseWorld world(DefaultPolicy(""));
    world.PlayUntil(DoseStep::kStarted);
    world.ledger().Advance(kMinute);
    v1::Event event = world.MakeEnd();
    event.mutable_administration_ended()->set_ended_at_ms(world.now_ms() +
                                                          hours * DoseWorld::kHourMs);
    ASSERT_TRUE(world.Play(event).recorded);
    EXPECT_EQ(world.Patient().dmso_given(0).at_ms(), world.now_ms());
    EXPECT_EQ(world.Order().administered_at_ms(), world.now_ms());
  }
}

TEST_F(UseRulesTest, AnOrderOfTwoVialsEndsWithTheSecond) {
  world_.PlayUntil(DoseStep::kStarted);
  world_.Order().add_container_ids(world_.vial(1));
  ASSERT_THAT(world_.Play(world_.MakeEnd()).codes, IsEmpty());
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_MATCHED);
  v1::Event discard = world_.MakeDiscard();
  discard.mutable_container_discarded()->set_container_ids(0, world_.vial(1));
  ASSERT_THAT(world_.Play(discard).codes, IsEmpty());
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_ADMINISTERED);
}

// Which bag was it? The lot is held, and a case names both orders and the vial next to it.
TEST_F(UseRulesTest, TheSameVialGivenTwiceHoldsTheLot) {
  world_.PlayUntil(DoseStep::kEnded);
  world_.ledger().Advance(kMinute);
  const PlayedEvent again = world_.Play(world_.MakeStart());
  ASSERT_TRUE(again.recorded);
  EXPECT_THAT(again.codes, Contains("E_AFTER_FINAL"));
  EXPECT_THAT(again.codes, Contains("E_CONSUMED"));
  EXPECT_EQ(again.Finding("E_AFTER_FINAL")->severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERED);
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id).holds_size(), 1);
  ASSERT_FALSE(again.entry->consequences.empty());
  EXPECT_EQ(again.entry->consequences[0].code, "VIG-01");
  // The vial whose label comes next is the likely other half of a mix-up.
  const v1::SubjectState& neighbour = world_.State(v1::SUBJECT_KIND_CONTAINER, world_.vial(1));
  ASSERT_EQ(neighbour.open_cases_size(), 1);
  EXPECT_EQ(neighbour.open_cases(0).kind(), v1::CASE_KIND_IDENTITY);
  EXPECT_EQ(neighbour.open_cases(0).severity(), v1::SEVERITY_CRITICAL);
}

// A report without its order is no reason to lose the report.
TEST_F(UseRulesTest, ASecondUseForNobodyIsRecordedToo) {
  world_.PlayUntil(DoseStep::kEnded);
  v1::Event event = world_.MakeStart();
  event.mutable_administration_started()->clear_order_id();
  const PlayedEvent played = world_.Play(event);
  EXPECT_TRUE(played.recorded) << played.status;
  EXPECT_THAT(played.codes, Contains("E_AFTER_FINAL"));
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id).holds_size(), 1);
}

// The second clinic reports late, and only the end.
TEST_F(UseRulesTest, AnEndForAnotherOrderIsASecondUse) {
  world_.PlayUntil(DoseStep::kEnded);
  v1::Event event = world_.MakeEnd();
  event.mutable_administration_ended()->set_order_id(world_.ledger().NewId());
  const PlayedEvent played = world_.Play(event);
  EXPECT_THAT(played.codes, ElementsAre("E_AFTER_FINAL", "E_UNKNOWN_SUBJECT"));
  EXPECT_EQ(world_.State(v1::SUBJECT_KIND_BATCH, world_.lot_id).holds_size(), 1);
  EXPECT_EQ(world_.Vial().order_id(), world_.order_id);
}

TEST_F(UseRulesTest, AnUnknownContainerIsRecordedAsCritical) {
  world_.PlayUntil(DoseStep::kAuthorised);
  v1::Event event = world_.MakeStart();
  event.mutable_administration_started()->set_container_ids(0, world_.ledger().NewId());
  const PlayedEvent played = world_.Play(event);
  ASSERT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_NOT_AUTHORISED", "E_UNKNOWN_SUBJECT"));
  EXPECT_EQ(played.Finding("E_UNKNOWN_SUBJECT")->severity(), v1::SEVERITY_CRITICAL);
}

TEST_F(UseRulesTest, GivenVolumesDoNotStartAgainFromZero) {
  world_.PlayUntil(DoseStep::kEnded);
  v1::Event event = world_.MakeEnd();
  event.mutable_administration_ended()->mutable_containers(0)->set_volume_given_ul(~0U);
  ASSERT_TRUE(world_.Play(event).recorded);
  EXPECT_EQ(world_.Vial().volume_given_ul(), ~0U);
}

// --- CLN-13

TEST_F(UseRulesTest, AVialIsDiscardedFromAnywhereBeforeTheEnd) {
  for (const v1::ContainerLife life :
       {v1::CONTAINER_LIFE_STORED, v1::CONTAINER_LIFE_THAWED, v1::CONTAINER_LIFE_THAWED_UNUSABLE}) {
    world_.Vial().set_life(life);
    v1::Event event = world_.MakeDiscard();
    event.mutable_container_discarded()->clear_order_id();
    EXPECT_THAT(world_.Play(event).codes, IsEmpty());
    EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_DISCARDED);
  }
}

TEST_F(UseRulesTest, DiscardingAnEmptyBagIsOnlyOnRecord) {
  world_.PlayUntil(DoseStep::kEnded);
  const PlayedEvent played = world_.Play(world_.MakeDiscard());
  EXPECT_THAT(played.codes, ElementsAre("E_AFTER_FINAL"));
  EXPECT_EQ(played.Finding("E_AFTER_FINAL")->severity(), v1::SEVERITY_MINOR);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_ADMINISTERED);
}

TEST_F(UseRulesTest, ARestOfWhatWasNotGivenIsFound) {
  v1::Event event = world_.MakeDiscard();
  event.mutable_container_discarded()->clear_order_id();
  event.mutable_container_discarded()->set_residual_only(true);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_DISCARDED);
}

// --- CLN-15

TEST_F(UseRulesTest, FollowUpOfAnAdministration) {
  world_.PlayUntil(DoseStep::kEnded);
  EXPECT_THAT(world_.Play(world_.MakeFollowUp()).codes, IsEmpty());
  EXPECT_THAT(world_.Order().follow_ups(), ElementsAre(v1::FOLLOW_UP_MILESTONE_M1));
}

TEST_F(UseRulesTest, FollowUpOfNothingIsFound) {
  world_.PlayUntil(DoseStep::kMatched);
  const PlayedEvent played = world_.Play(world_.MakeFollowUp());
  EXPECT_THAT(played.codes, ElementsAre("E_STATE"));
  EXPECT_EQ(played.Finding("E_STATE")->severity(), v1::SEVERITY_MINOR);
}

TEST_F(UseRulesTest, FollowUpOfAnotherPatientIsFound) {
  world_.PlayUntil(DoseStep::kEnded);
  v1::Event event = world_.MakeFollowUp();
  event.mutable_follow_up_recorded()->set_patient_id(world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_PATIENT_MISMATCH", "E_UNKNOWN_SUBJECT"));
}

TEST_F(UseRulesTest, FollowUpNeedsADate) {
  world_.PlayUntil(DoseStep::kEnded);
  for (const char* date :
       {"", "2026-1-5", "05.01.2027", "2027-13-01", "2027-02-29", "2027-00-10"}) {
    v1::Event event = world_.MakeFollowUp();
    event.mutable_follow_up_recorded()->set_seen_on(date);
    EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD")) << date;
  }
  v1::Event leap = world_.MakeFollowUp();
  leap.mutable_follow_up_recorded()->set_seen_on("2028-02-29");
  EXPECT_THAT(world_.Play(leap).codes, IsEmpty());
}

}  // namespace
}  // namespace custody
