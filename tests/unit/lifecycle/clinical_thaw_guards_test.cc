// Thaw, quality control after it, and preparation (CLN-07 to CLN-10, CLN-14): what is wrong is
// recorded all the same, with the findings that say so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/spoiled_step.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using World = DoseWorld;
constexpr auto kMinute = DoseWorld::kMinuteMs;

class RecordedThawTest : public testing::TestWithParam<SpoiledStep> {};

TEST_P(RecordedThawTest, NamesTheFindings) { ExpectRecorded(GetParam()); }

// CLN-07.
INSTANTIATE_TEST_SUITE_P(
    Start, RecordedThawTest,
    testing::Values(
        SpoiledStep{"InOrder", DoseStep::kThawing, [](World&, v1::Event&) {}, {}},
        SpoiledStep{"LastMomentOfThePermit",
                    DoseStep::kThawing,
                    [](World& world, v1::Event&) { world.ledger().Advance(29 * kMinute); },
                    {}},
        SpoiledStep{"AfterThePermit",
                    DoseStep::kThawing,
                    [](World& world, v1::Event&) { world.ledger().Advance(29 * kMinute + 1); },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"BeforeThePermit",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms() - kMinute - 1);
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"RecordedLate",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms());
                      world.ledger().Advance(60 * kMinute);
                    },
                    {}},
        SpoiledStep{"FromTheFuture",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_occurred_at()->set_utc_ms(world.now_ms() + 120'001);
                    },
                    {"TIME_FUTURE"}},
        SpoiledStep{"ForAnotherOrder",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_thaw_started()->set_order_id(world.ledger().NewId());
                    },
                    {"E_NOT_AUTHORISED", "E_UNKNOWN_SUBJECT"}},
        SpoiledStep{"AnotherVial",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_thaw_started()->set_container_ids(0, world.vial(1));
                    },
                    {"E_NOT_AUTHORISED"}},
        SpoiledStep{"UnknownContainer",
                    DoseStep::kThawing,
                    [](World& world, v1::Event& event) {
                      event.mutable_thaw_started()->set_container_ids(0, world.ledger().NewId());
                    },
                    {"E_UNKNOWN_SUBJECT"}},
        SpoiledStep{
            "InTransit",
            DoseStep::kThawing,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_IN_TRANSIT); },
            {"E_STATE"}},
        SpoiledStep{
            "AlreadyThawed",
            DoseStep::kThawing,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_THAWED); },
            {"E_STATE"}},
        SpoiledStep{
            "Discarded",
            DoseStep::kThawing,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_DISCARDED); },
            {"E_AFTER_FINAL"}},
        SpoiledStep{"ColdestBath",
                    DoseStep::kThawing,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_started()->set_bath_temperature_millicelsius(35'000);
                    },
                    {}},
        SpoiledStep{"TooCold",
                    DoseStep::kThawing,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_started()->set_bath_temperature_millicelsius(34'999);
                    },
                    {"E_POLICY"}},
        SpoiledStep{"WarmestBath",
                    DoseStep::kThawing,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_started()->set_bath_temperature_millicelsius(39'000);
                    },
                    {}},
        SpoiledStep{"TooWarm",
                    DoseStep::kThawing,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_started()->set_bath_temperature_millicelsius(39'001);
                    },
                    {"E_POLICY"}},
        SpoiledStep{"NoTemperature",
                    DoseStep::kThawing,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_started()->clear_bath_temperature_millicelsius();
                    },
                    {"E_POLICY"}},
        SpoiledStep{"LongestTimeOutOfTheTank",
                    DoseStep::kThawing,
                    [](World& world, v1::Event&) {
                      world.Vial().set_out_to_thaw_at_ms(world.now_ms() - 5 * kMinute);
                    },
                    {}},
        SpoiledStep{"TooLongOutOfTheTank",
                    DoseStep::kThawing,
                    [](World& world, v1::Event&) {
                      world.Vial().set_out_to_thaw_at_ms(world.now_ms() - 5 * kMinute - 1);
                    },
                    {"E_POLICY"}},
        SpoiledStep{"BathOutOfCalibration",
                    DoseStep::kThawing,
                    [](World& world, v1::Event&) {
                      world.State(v1::SUBJECT_KIND_DEVICE, world.bath_id)
                          .mutable_device()
                          ->mutable_calibrations(0)
                          ->set_valid_to_ms(world.now_ms());
                    },
                    {"DEVICE_OUT_OF_CAL"}}),
    NameOfStep);

// CLN-08.
INSTANTIATE_TEST_SUITE_P(
    End, RecordedThawTest,
    testing::Values(SpoiledStep{"InOrder", DoseStep::kThawed, [](World&, v1::Event&) {}, {}},
                    SpoiledStep{"DoesNotLookGood",
                                DoseStep::kThawed,
                                [](World&, v1::Event& event) {
                                  event.mutable_thaw_completed()->set_visual_check(
                                      v1::VISUAL_CHECK_DOES_NOT_CONFORM);
                                },
                                {"RESULT_OUT_OF_SPECIFICATION"}},
                    SpoiledStep{"NotLookedAt",
                                DoseStep::kThawed,
                                [](World&, v1::Event& event) {
                                  event.mutable_thaw_completed()->clear_visual_check();
                                },
                                {"RESULT_OUT_OF_SPECIFICATION"}},
                    SpoiledStep{"NotThawing",
                                DoseStep::kThawed,
                                [](World& world, v1::Event&) {
                                  world.Vial().set_life(v1::CONTAINER_LIFE_STORED);
                                },
                                {"E_STATE"}},
                    SpoiledStep{"AfterTheAbort",
                                DoseStep::kThawed,
                                [](World& world, v1::Event&) {
                                  world.Vial().set_life(v1::CONTAINER_LIFE_THAWED_UNUSABLE);
                                },
                                {"E_STATE"}}),
    NameOfStep);

// CLN-09.
INSTANTIATE_TEST_SUITE_P(
    Qc, RecordedThawTest,
    testing::Values(
        SpoiledStep{"InOrder", DoseStep::kTested, [](World&, v1::Event&) {}, {}},
        SpoiledStep{"JustAboveTheLimit",
                    DoseStep::kTested,
                    [](World&, v1::Event& event) {
                      event.mutable_post_thaw_qc()
                          ->mutable_results(0)
                          ->mutable_viability_percent()
                          ->set_coefficient(901);
                    },
                    {}},
        SpoiledStep{"TheLimitItself",
                    DoseStep::kTested,
                    [](World&, v1::Event& event) {
                      event.mutable_post_thaw_qc()
                          ->mutable_results(0)
                          ->mutable_viability_percent()
                          ->set_coefficient(900);
                    },
                    {"RESULT_OUT_OF_SPECIFICATION"}},
        SpoiledStep{
            "RoundedToTheLimit",
            DoseStep::kTested,
            [](World&, v1::Event& event) {
              v1::Decimal* const viability =
                  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent();
              viability->set_coefficient(9004);
              viability->set_decimals(2);
            },
            {"RESULT_OUT_OF_SPECIFICATION"}},
        SpoiledStep{
            "RoundedAboveTheLimit",
            DoseStep::kTested,
            [](World&, v1::Event& event) {
              v1::Decimal* const viability =
                  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent();
              viability->set_coefficient(9005);
              viability->set_decimals(2);
            },
            {}},
        SpoiledStep{
            "StillFrozen",
            DoseStep::kTested,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_STORED); },
            {"E_STATE"}},
        SpoiledStep{"UnknownOrder",
                    DoseStep::kTested,
                    [](World& world, v1::Event& event) {
                      event.mutable_post_thaw_qc()->set_order_id(world.ledger().NewId());
                    },
                    {"E_UNKNOWN_SUBJECT"}}),
    NameOfStep);

class ThawRulesTest : public testing::Test {
 protected:
  DoseWorld world_{DefaultPolicy("")};

  SignAs Receiver(std::size_t which, v1::Meaning meaning) {
    return {world_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, world_.clinic_id, which),
            v1::ROLE_CLINIC_RECEIVER, meaning};
  }
};

// A result of nobody is on record, but an investigation of nothing could not be recorded.
TEST(PostThawResultTest, OfNoContainerIsFoundWrongAndStartsNoInvestigation) {
  World world(DefaultPolicy(""));
  world.PlayUntil(DoseStep::kThawed);
  v1::Event event = world.MakeQc();
  *event.mutable_post_thaw_qc()->add_results() = event.post_thaw_qc().results(0);
  v1::PostThawResult* const result = event.mutable_post_thaw_qc()->mutable_results(0);
  result->clear_container_id();
  result->mutable_viability_percent()->set_coefficient(1);
  const PlayedEvent played = world.Play(event);
  EXPECT_TRUE(played.recorded) << played.status;
  EXPECT_THAT(played.codes, ElementsAre("E_FIELD"));
  // The case that every major finding opens, and no investigation.
  ASSERT_EQ(played.entry->consequences.size(), 1U);
  EXPECT_EQ(played.entry->consequences[0].code, "CAS-01");
}

TEST_F(ThawRulesTest, TheClockStartsOnceAndByTheLedgersTime) {
  world_.PlayUntil(DoseStep::kThawing);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWING);
  EXPECT_EQ(world_.Vial().stays(0).to_ms(), world_.now_ms());
  world_.ledger().Advance(kMinute);
  v1::Event event = world_.MakeThawEnd();
  event.mutable_occurred_at()->set_utc_ms(world_.now_ms() + kMinute);
  const std::int64_t recorded = world_.now_ms();
  ASSERT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWED);
  EXPECT_EQ(world_.Vial().thawed_recorded_at_ms(), recorded);
  world_.ledger().Advance(kMinute);
  EXPECT_THAT(world_.Play(world_.MakeThawEnd()).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().thawed_recorded_at_ms(), recorded);
}

TEST_F(ThawRulesTest, ThawingWithoutAuthorityStillThaws) {
  world_.PlayUntil(DoseStep::kThawAuthorised);
  const std::string nurse = world_.ledger().Actor(v1::ROLE_NURSE, world_.clinic_id);
  const PlayedEvent played = world_.Play(
      world_.MakeThawStart(), {{nurse, v1::ROLE_CLINIC_RECEIVER, v1::MEANING_PERFORMED}});
  EXPECT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_AUTHORITY"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWING);
}

TEST_F(ThawRulesTest, AbortedThawIsUnusable) {
  world_.PlayUntil(DoseStep::kThawing);
  EXPECT_THAT(world_.Play(world_.MakeThawAbort()).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWED_UNUSABLE);
  EXPECT_THAT(world_.Play(world_.MakeThawAbort()).codes, ElementsAre("E_STATE"));
}

TEST_F(ThawRulesTest, AbortOfWhatWasNeverThawingIsFoundAndBelieved) {
  world_.PlayUntil(DoseStep::kThawAuthorised);
  EXPECT_THAT(world_.Play(world_.MakeThawAbort()).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWED_UNUSABLE);
}

// --- CLN-09: results

TEST_F(ThawRulesTest, AFailureStartsAnInvestigation) {
  world_.PlayUntil(DoseStep::kThawed);
  v1::Event event = world_.MakeQc();
  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent()->set_coefficient(
      899);
  const PlayedEvent played = world_.Play(event);
  ASSERT_TRUE(played.recorded);
  ASSERT_EQ(played.entry->consequences.size(), 2U);
  EXPECT_EQ(played.entry->consequences[0].code, "QC-04a");
  EXPECT_EQ(played.entry->consequences[1].code, "CAS-01");
  EXPECT_EQ(world_.Vial().oos_size(), 1);
  EXPECT_EQ(world_.Lot().oos_size(), 1);
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, ElementsAre("E_OOS_OPEN", "E_POLICY"));
}

TEST_F(ThawRulesTest, AViabilityByAnotherMethodUnlocksNothing) {
  world_.PlayUntil(DoseStep::kThawed);
  v1::Event event = world_.MakeQc();
  event.mutable_post_thaw_qc()->set_method("Trypan Blue");
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_POLICY"));
  EXPECT_FALSE(world_.Vial().post_thaw().has_viability_percent());
  EXPECT_EQ(world_.Vial().post_thaw().viable_cells(), 68'000'000U);
  EXPECT_EQ(world_.Vial().oos_size(), 0);
}

TEST_F(ThawRulesTest, AFailureByAnotherMethodCounts) {
  world_.PlayUntil(DoseStep::kThawed);
  v1::Event event = world_.MakeQc();
  event.mutable_post_thaw_qc()->set_method("by eye");
  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent()->set_coefficient(
      899);
  world_.Play(event);
  EXPECT_EQ(world_.Vial().post_thaw().viability_percent().coefficient(), 899);
  EXPECT_EQ(world_.Vial().oos_size(), 1);
}

TEST_F(ThawRulesTest, TheWorseMeasurementStands) {
  world_.PlayUntil(DoseStep::kTested);
  v1::Event event = world_.MakeQc();
  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent()->set_coefficient(
      905);
  event.mutable_post_thaw_qc()->mutable_results(0)->set_viable_cells(69'000'000);
  ASSERT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().post_thaw().viability_percent().coefficient(), 905);
  EXPECT_EQ(world_.Vial().post_thaw().viable_cells(), 68'000'000U);
  ASSERT_THAT(world_.Play(world_.MakeQc()).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().post_thaw().viability_percent().coefficient(), 905);
}

TEST_F(ThawRulesTest, AResultWithoutItsSecondSignatureUnlocksNothing) {
  world_.PlayUntil(DoseStep::kThawed);
  const PlayedEvent held = world_.Play(world_.MakeQc(), {Receiver(0, v1::MEANING_PERFORMED)});
  ASSERT_TRUE(held.recorded);
  EXPECT_THAT(held.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, ElementsAre("E_POST_THAW_QC"));
  ASSERT_TRUE(world_.ledger().Cosign(*held.entry, Receiver(1, v1::MEANING_VERIFIED)).ok());
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, IsEmpty());
}

TEST_F(ThawRulesTest, NobodyVerifiesTheirOwnResult) {
  world_.PlayUntil(DoseStep::kThawed);
  SignAs again = Receiver(0, v1::MEANING_VERIFIED);
  again.key = world_.ledger().AddKey(again.id);
  const PlayedEvent played =
      world_.Play(world_.MakeQc(), {Receiver(0, v1::MEANING_PERFORMED), again});
  ASSERT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, testing::Contains("E_SAME_PERSON"));
  EXPECT_FALSE(world_.Vial().post_thaw().attested());
}

// A passing result that one person reported is not carried into force by the verified report of
// something else.
TEST_F(ThawRulesTest, AnotherVerifiedReportDoesNotVerifyTheFirst) {
  world_.PlayUntil(DoseStep::kThawed);
  ASSERT_TRUE(world_.Play(world_.MakeQc(), {Receiver(0, v1::MEANING_PERFORMED)}).recorded);
  v1::Event gram = world_.MakeQc();
  gram.mutable_post_thaw_qc()->mutable_results(0)->Clear();
  gram.mutable_post_thaw_qc()->mutable_results(0)->set_container_id(world_.vial());
  gram.mutable_post_thaw_qc()->mutable_results(0)->set_rapid_gram("NEGATIVE");
  ASSERT_TRUE(world_.Play(gram).recorded);
  const PlayedEvent permit = world_.Play(world_.MakePermit());
  EXPECT_FALSE(permit.recorded);
  EXPECT_THAT(permit.codes, ElementsAre("E_POST_THAW_QC"));
}

TEST_F(ThawRulesTest, AFailingResultWithoutItsSecondSignatureBlocksAtOnceAndForGood) {
  world_.PlayUntil(DoseStep::kThawed);
  v1::Event event = world_.MakeQc();
  event.mutable_post_thaw_qc()->mutable_results(0)->mutable_viability_percent()->set_coefficient(
      500);
  ASSERT_TRUE(world_.Play(event, {Receiver(0, v1::MEANING_PERFORMED)}).recorded);
  ASSERT_TRUE(world_.Play(world_.MakeQc()).recorded);
  const PlayedEvent permit = world_.Play(world_.MakePermit());
  EXPECT_FALSE(permit.recorded);
  EXPECT_THAT(permit.codes, testing::Contains("E_POLICY"));
}

TEST_F(ThawRulesTest, APositiveGramStainStands) {
  v1::Policy policy = DefaultPolicy("");
  v1::ReleaseRow* const row = policy.add_rows();
  row->set_id("ST-09");
  row->set_test("rapid Gram stain");
  row->set_scope(v1::ROW_SCOPE_CONTAINER);
  row->set_stage(v1::ROW_STAGE_POST_THAW);
  row->set_comparator(v1::COMPARATOR_IS);
  row->set_expected(v1::QUALITATIVE_RESULT_NEGATIVE);
  row->set_missing(v1::MISSING_RULE_BLOCK);
  DoseWorld world(policy);
  world.PlayUntil(DoseStep::kThawed);
  v1::Event event = world.MakeQc();
  event.mutable_post_thaw_qc()->mutable_results(0)->set_rapid_gram("POSITIVE");
  EXPECT_THAT(world.Play(event).codes, ElementsAre("RESULT_OUT_OF_SPECIFICATION"));
  event.mutable_post_thaw_qc()->mutable_results(0)->set_rapid_gram("NEGATIVE");
  EXPECT_THAT(world.Play(event).codes, IsEmpty());
  EXPECT_EQ(world.Vial().post_thaw().rapid_gram(), "POSITIVE");
}

// --- CLN-10

class PreparationTest : public ThawRulesTest {
 protected:
  PreparationTest() {
    world_.PlayUntil(DoseStep::kTested);
    world_.ledger().Advance(kMinute);
  }
  PlayedEvent Prepare(void (*spoil)(DoseWorld&, v1::DosePrepared&)) {
    v1::Event event = world_.MakePreparation();
    spoil(world_, *event.mutable_dose_prepared());
    return world_.Play(event);
  }
};

TEST_F(PreparationTest, ShortensTheExpiryOnly) {
  EXPECT_THAT(Prepare([](DoseWorld&, v1::DosePrepared&) {}).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_PREPARED);
  const std::int64_t expires = world_.Vial().post_preparation_expires_at_ms();
  EXPECT_EQ(expires, world_.now_ms() + DoseWorld::kHourMs);
  EXPECT_EQ(world_.Vial().prepared_volume_ul(), 20'000U);
  const PlayedEvent again = Prepare(
      [](DoseWorld&, v1::DosePrepared& body) { body.set_expires_at_ms(body.expires_at_ms() + 1); });
  EXPECT_THAT(again.codes, ElementsAre("E_EXPIRED", "E_STATE"));
  EXPECT_EQ(world_.Vial().post_preparation_expires_at_ms(), expires);
}

TEST_F(PreparationTest, NotLaterThanTheTimeAfterThaw) {
  const std::int64_t latest = world_.Vial().thawed_recorded_at_ms() + 4 * DoseWorld::kHourMs;
  v1::Event event = world_.MakePreparation();
  event.mutable_dose_prepared()->set_expires_at_ms(latest + 1);
  EXPECT_EQ(world_.Play(event).Finding("E_EXPIRED")->severity(), v1::SEVERITY_MINOR);
}

TEST_F(PreparationTest, OfTheVialWhoseLabelWasScanned) {
  const PlayedEvent played = Prepare([](DoseWorld&, v1::DosePrepared& body) {
    body.mutable_containers(0)->set_scanned_key(DoseWorld::KeyOfVial(1));
  });
  EXPECT_THAT(played.codes, ElementsAre("E_CONTAINER_MISMATCH"));
  EXPECT_EQ(played.Finding("E_CONTAINER_MISMATCH")->severity(), v1::SEVERITY_CRITICAL);
}

TEST_F(PreparationTest, WithAReleasedDiluentThatThePatientTolerates) {
  const auto with_material = [](DoseWorld& world, v1::DosePrepared& body) {
    body.set_diluent_material_id(world.material_id);
  };
  v1::MaterialState& material = world_.ledger().mutable_view().Material(world_.material_id);
  material.set_released(false);
  EXPECT_THAT(Prepare(with_material).codes, ElementsAre("E_MATERIAL"));
  world_.Vial().set_life(v1::CONTAINER_LIFE_THAWED);
  material.set_released(true);
  material.set_expires_at_ms(world_.now_ms());
  EXPECT_THAT(Prepare(with_material).codes, ElementsAre("E_MATERIAL"));
  world_.Vial().set_life(v1::CONTAINER_LIFE_THAWED);
  material.set_expires_at_ms(world_.now_ms() + 1);
  EXPECT_THAT(Prepare(with_material).codes, IsEmpty());
  world_.Vial().set_life(v1::CONTAINER_LIFE_THAWED);
  world_.Patient().add_animal_protein_allergies("Bovine");
  EXPECT_THAT(Prepare(with_material).codes, ElementsAre("E_MATCH"));
}

// What is wrong with the diluent is wrong with the dose, before and after.
TEST_F(PreparationTest, TheDiluentIsAnAncestorOfTheDose) {
  const std::string saline = world_.ledger().NewId();
  v1::MaterialState& material = world_.ledger().mutable_view().Material(saline);
  material.set_released(true);
  material.set_animal_origin(v1::ANSWER_NO);
  material.set_expires_at_ms(world_.now_ms() + DoseWorld::kDayMs);
  v1::Event event = world_.MakePreparation();
  event.mutable_dose_prepared()->set_diluent_material_id(saline);
  ASSERT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_THAT(world_.Vial().diluent_material_ids(), ElementsAre(saline));
  v1::SubjectState& state = world_.State(v1::SUBJECT_KIND_MATERIAL, saline);
  state.add_holds();
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, ElementsAre("E_HOLD"));
  state.clear_holds();
  state.set_not_evaluated_since(1);
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, ElementsAre("E_NOT_EVALUATED"));
  state.clear_not_evaluated_since();
  material.add_animal_proteins("PORCINE");
  world_.Patient().add_animal_protein_allergies("porcine");
  EXPECT_THAT(world_.Play(world_.MakePermit()).codes, ElementsAre("E_MATCH"));
}

TEST_F(PreparationTest, WithADiluentOfWhichNothingIsOpenOrUnknown) {
  const auto with_material = [](DoseWorld& world, v1::DosePrepared& body) {
    body.set_diluent_material_id(world.material_id);
    world.Vial().set_life(v1::CONTAINER_LIFE_THAWED);
  };
  v1::SubjectState& state = world_.State(v1::SUBJECT_KIND_MATERIAL, world_.material_id);
  state.add_holds();
  const PlayedEvent held = Prepare(with_material);
  EXPECT_THAT(held.codes, ElementsAre("E_HOLD"));
  EXPECT_EQ(held.Finding("E_HOLD")->severity(), v1::SEVERITY_CRITICAL);
  state.clear_holds();
  state.clear_open_cases();
  v1::OpenCase* const recall = state.add_open_cases();
  recall->set_kind(v1::CASE_KIND_RECALL);
  recall->set_severity(v1::SEVERITY_CRITICAL);
  EXPECT_THAT(Prepare(with_material).codes, ElementsAre("E_RECALLED"));
  state.clear_open_cases();
  state.mutable_material()->clear_animal_proteins();
  world_.Patient().add_animal_protein_allergies("PORCINE");
  EXPECT_THAT(Prepare(with_material).codes, ElementsAre("E_MISSING"));
}

// A larger volume makes less of what is given count as dimethyl sulfoxide, so it waits.
TEST_F(PreparationTest, DilutionWithoutTheSecondPersonIsNotBelieved) {
  ASSERT_TRUE(world_.Play(world_.MakePreparation(), {Receiver(0, v1::MEANING_PERFORMED)}).recorded);
  EXPECT_EQ(world_.Vial().prepared_volume_ul(), 0U);
  EXPECT_NE(world_.Vial().post_preparation_expires_at_ms(), 0);
}

TEST_F(PreparationTest, AFrozenVialIsNotPrepared) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_STORED);
  const PlayedEvent played = Prepare([](DoseWorld&, v1::DosePrepared&) {});
  EXPECT_THAT(played.codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_STORED);
}

TEST(FreshPreparationTest, AFreshProductIsPreparedFromStock) {
  DoseWorld world(DefaultPolicy(""), v1::PRESENTATION_FRESH);
  world.PlayUntil(DoseStep::kMatched);
  v1::Event event = world.MakePreparation();
  EXPECT_THAT(world.Play(event).codes, IsEmpty());
  EXPECT_EQ(world.Vial().life(), v1::CONTAINER_LIFE_PREPARED);
}

}  // namespace
}  // namespace custody
