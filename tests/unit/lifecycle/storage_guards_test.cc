// Freezing, storage and its temperatures (CRY-01 to CRY-06, CRY-08): each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kMinute = DoseWorld::kMinuteMs;
constexpr auto kHour = DoseWorld::kHourMs;

class StorageRulesTest : public testing::Test {
 protected:
  DoseWorld world_{DefaultPolicy("")};

  v1::Event Freeze(std::int64_t since_ms = 30 * kMinute) const {
    v1::Event event;
    event.mutable_frozen()->add_container_ids(world_.vial());
    event.mutable_frozen()->set_freezer_device_id(world_.tank_id);
    event.mutable_frozen()->set_since_cryoprotectant_ms(since_ms);
    return event;
  }
  v1::Event Place(const std::string& device_id, std::int64_t out_of_cold_ms = 0) const {
    v1::Event event;
    v1::StoragePlace* const place = event.mutable_placed_in_storage()->add_places();
    place->set_container_id(world_.vial());
    place->set_position("R1/S1");
    place->set_out_of_cold_ms(out_of_cold_ms);
    event.mutable_placed_in_storage()->set_device_id(device_id);
    return event;
  }
  v1::Event Move(const std::string& device_id, std::int64_t out_of_cold_ms) const {
    v1::Event event;
    v1::StoragePlace* const place = event.mutable_moved()->add_places();
    place->set_container_id(world_.vial());
    place->set_out_of_cold_ms(out_of_cold_ms);
    event.mutable_moved()->set_from_device_id(world_.tank_id);
    event.mutable_moved()->set_device_id(device_id);
    return event;
  }
  v1::Event Remove(v1::RemovalPurpose purpose) const {
    v1::Event event;
    event.mutable_removed_from_storage()->add_container_ids(world_.vial());
    event.mutable_removed_from_storage()->set_device_id(world_.tank_id);
    event.mutable_removed_from_storage()->set_purpose(purpose);
    return event;
  }
  // One hour of readings of the tank, from `started_at_ms`, named after the month of the start.
  v1::Event Series(std::int64_t started_at_ms) const {
    v1::Event event;
    v1::TemperatureSeries* const body = event.mutable_temperature_series();
    body->set_device_id(world_.tank_id);
    body->set_series_id(absl::StrCat(
        world_.tank_id,
        absl::FormatTime("%Y-%m", absl::FromUnixMillis(started_at_ms), absl::UTCTimeZone())));
    body->set_started_at_ms(started_at_ms);
    body->set_ended_at_ms(started_at_ms + kHour);
    body->set_interval_ms(5 * kMinute);
    body->set_minimum_millicelsius(-190'000);
    body->set_maximum_millicelsius(-180'000);
    body->set_mean_millicelsius(-185'000);
    body->set_samples(13);
    return event;
  }
  static void AddReading(v1::Event& event, std::int64_t after_ms, std::int32_t millicelsius) {
    v1::TemperatureSeries* const body = event.mutable_temperature_series();
    v1::TemperatureReading* const reading = body->add_above();
    reading->set_at_ms(body->started_at_ms() + after_ms);
    reading->set_millicelsius(millicelsius);
    body->set_maximum_millicelsius(std::max(body->maximum_millicelsius(), millicelsius));
  }
  // Recorded by the tank itself.
  PlayedEvent PlaySeries(const v1::Event& event) {
    return world_.Play(event, {{world_.tank_id, v1::ROLE_DEVICE, v1::MEANING_PERFORMED}});
  }
  v1::DeviceState& Tank() {
    return *world_.State(v1::SUBJECT_KIND_DEVICE, world_.tank_id).mutable_device();
  }
};

// --- CRY-01

TEST_F(StorageRulesTest, ALabelledVialIsFrozenInTime) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  EXPECT_THAT(world_.Play(Freeze()).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_FROZEN);
  EXPECT_EQ(world_.Vial().frozen_at_ms(), world_.now_ms());
}

TEST_F(StorageRulesTest, TooLongInTheCryoprotectant) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  const PlayedEvent played = world_.Play(Freeze(30 * kMinute + 1));
  EXPECT_THAT(played.codes, ElementsAre("E_POLICY"));
  EXPECT_EQ(played.Finding("E_POLICY")->severity(), v1::SEVERITY_MAJOR);
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_FROZEN);
}

TEST_F(StorageRulesTest, AVialWithoutLabelIsFound) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  world_.Vial().set_labelled(false);
  EXPECT_THAT(world_.Play(Freeze()).codes, ElementsAre("E_MISSING"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_FROZEN);
}

TEST_F(StorageRulesTest, AFreezerOutOfCalibrationIsFound) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  Tank().mutable_calibrations(0)->set_valid_to_ms(world_.now_ms());
  EXPECT_THAT(world_.Play(Freeze()).codes, ElementsAre("DEVICE_OUT_OF_CAL"));
}

TEST_F(StorageRulesTest, RefreezingMeansDiscard) {
  for (const v1::ContainerLife life :
       {v1::CONTAINER_LIFE_THAWING, v1::CONTAINER_LIFE_THAWED, v1::CONTAINER_LIFE_PREPARED}) {
    world_.Vial().set_life(life);
    world_.Vial().set_discard_required(false);
    const PlayedEvent played = world_.Play(Freeze());
    EXPECT_THAT(played.codes, ElementsAre("E_REFREEZE"));
    EXPECT_EQ(played.Finding("E_REFREEZE")->severity(), v1::SEVERITY_CRITICAL);
    EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWED_UNUSABLE);
    EXPECT_TRUE(world_.Vial().discard_required());
  }
}

// A tank does what a freezer does.
TEST_F(StorageRulesTest, PuttingBackWhatWasThawedIsRefreezing) {
  for (const v1::ContainerLife life :
       {v1::CONTAINER_LIFE_THAWING, v1::CONTAINER_LIFE_THAWED, v1::CONTAINER_LIFE_PREPARED}) {
    for (const v1::Event& event : {Place(world_.tank_id), Move(world_.tank_id, 0)}) {
      world_.Vial().set_life(life);
      world_.Vial().set_thawed_recorded_at_ms(world_.now_ms());
      world_.Vial().set_discard_required(false);
      const PlayedEvent played = world_.Play(event);
      EXPECT_THAT(played.codes, ElementsAre("E_REFREEZE"));
      EXPECT_EQ(played.Finding("E_REFREEZE")->severity(), v1::SEVERITY_CRITICAL);
      EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_THAWED_UNUSABLE);
      EXPECT_TRUE(world_.Vial().discard_required());
    }
  }
}

TEST_F(StorageRulesTest, AFreshDoseThatWaitsInTheFridgeIsNotRefrozen) {
  DoseWorld fresh(DefaultPolicy(""), v1::PRESENTATION_FRESH);
  fresh.Vial().set_life(v1::CONTAINER_LIFE_PREPARED);
  v1::Event event = Place(fresh.tank_id);
  event.mutable_placed_in_storage()->mutable_places(0)->set_container_id(fresh.vial());
  EXPECT_THAT(fresh.Play(event).codes, ElementsAre("E_STATE"));
  EXPECT_FALSE(fresh.Vial().discard_required());
}

TEST_F(StorageRulesTest, FreezingWhatIsStoredIsFoundAndChangesNothing) {
  EXPECT_THAT(world_.Play(Freeze()).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_STORED);
}

// --- CRY-02, CRY-03

TEST_F(StorageRulesTest, AFrozenVialIsPlaced) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FROZEN);
  world_.Vial().clear_stays();
  EXPECT_THAT(world_.Play(Place(world_.tank_id, 90'000)).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_STORED);
  EXPECT_EQ(world_.Vial().exposure_ms(), 90'000);
  ASSERT_EQ(world_.Vial().stays_size(), 1);
  EXPECT_EQ(world_.Vial().stays(0).from_ms(), world_.now_ms());
  EXPECT_EQ(world_.Vial().stays(0).to_ms(), 0);
  EXPECT_THAT(Tank().recent_container_ids(), ElementsAre(world_.vial()));
}

TEST_F(StorageRulesTest, OnlyAFreshProductIsPlacedUnfrozen) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  EXPECT_THAT(world_.Play(Place(world_.tank_id)).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_FILLED);
  DoseWorld fresh(DefaultPolicy(""), v1::PRESENTATION_FRESH);
  fresh.Vial().set_life(v1::CONTAINER_LIFE_FILLED);
  v1::Event event = Place(fresh.tank_id);
  event.mutable_placed_in_storage()->mutable_places(0)->set_container_id(fresh.vial());
  EXPECT_THAT(fresh.Play(event).codes, IsEmpty());
  EXPECT_EQ(fresh.Vial().life(), v1::CONTAINER_LIFE_STORED);
}

TEST_F(StorageRulesTest, AnUnknownTankAndAnUnknownVialAreFound) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FROZEN);
  v1::Event event = Place(world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
  event = Place(world_.tank_id);
  event.mutable_placed_in_storage()->mutable_places(0)->set_container_id(world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
}

TEST_F(StorageRulesTest, TheSecondLooksAtThePosition) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_FROZEN);
  const std::string custodian = world_.ledger().Actor(v1::ROLE_STORAGE_CUSTODIAN);
  const PlayedEvent played = world_.Play(
      Place(world_.tank_id), {{custodian, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_PERFORMED}});
  ASSERT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_FROZEN);
  const std::string second = world_.ledger().Actor(v1::ROLE_STORAGE_CUSTODIAN, {}, 1);
  ASSERT_TRUE(world_.ledger()
                  .Cosign(*played.entry, {second, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_VERIFIED})
                  .ok());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_STORED);
}

TEST_F(StorageRulesTest, AMoveClosesOneStayAndOpensAnother) {
  const std::string other = world_.ledger().AddDevice(v1::DEVICE_TYPE_STORAGE);
  EXPECT_THAT(world_.Play(Move(other, 1'000)).codes, IsEmpty());
  ASSERT_EQ(world_.Vial().stays_size(), 2);
  EXPECT_EQ(world_.Vial().stays(0).to_ms(), world_.now_ms());
  EXPECT_EQ(world_.Vial().stays(1).device_id(), other);
  world_.ledger().Advance(kMinute);
  EXPECT_THAT(world_.Play(Move(world_.tank_id, 2'000)).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().exposure_ms(), 3'000);
}

TEST_F(StorageRulesTest, ANegativeTimeOutOfTheColdGivesNothingBack) {
  world_.Vial().set_exposure_ms(5'000);
  ASSERT_TRUE(world_.Play(Move(world_.tank_id, -4'000)).recorded);
  EXPECT_EQ(world_.Vial().exposure_ms(), 5'000);
}

TEST_F(StorageRulesTest, WhatIsNotStoredIsNotMoved) {
  world_.Vial().set_life(v1::CONTAINER_LIFE_OUT);
  EXPECT_THAT(world_.Play(Move(world_.tank_id, 0)).codes, ElementsAre("E_STATE"));
}

// --- CRY-04, CRY-05

TEST_F(StorageRulesTest, AGoodSeriesIsJustRecorded) {
  Tank().add_recent_container_ids(world_.vial());
  const PlayedEvent played = PlaySeries(Series(world_.now_ms() - kHour));
  EXPECT_THAT(played.codes, IsEmpty());
  EXPECT_TRUE(played.entry->consequences.empty());
}

TEST_F(StorageRulesTest, ReadingsOfTheFutureCloseNoGap) {
  Tank().add_recent_container_ids(world_.vial());
  v1::Event event = Series(world_.now_ms() - kHour);
  event.mutable_temperature_series()->set_ended_at_ms(world_.now_ms() + 400 * kHour);
  event.mutable_temperature_series()->set_samples(12 * 401);
  EXPECT_THAT(PlaySeries(event).codes, Contains("TIME_FUTURE"));
  const std::string id = event.temperature_series().series_id();
  EXPECT_LE(world_.State(v1::SUBJECT_KIND_SERIES, id).series().last_ended_at_ms(), world_.now_ms());
}

TEST_F(StorageRulesTest, AWarmHourIsAnExcursionOfTheTank) {
  Tank().add_recent_container_ids(world_.vial());
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -134'999);
  const PlayedEvent played = PlaySeries(event);
  EXPECT_THAT(played.codes, ElementsAre("TEMPERATURE_EXCURSION"));
  ASSERT_FALSE(played.entry->consequences.empty());
  EXPECT_EQ(played.entry->consequences[0].code, "CRY-05");
  ASSERT_EQ(Tank().excursions_size(), 1);
  EXPECT_EQ(Tank().excursions(0).excursion_class(), v1::EXCURSION_CLASS_MINOR);
  EXPECT_EQ(Tank().excursions(0).peak_millicelsius(), -134'999);
  EXPECT_EQ(Tank().excursions(0).above_action_ms(), 5 * kMinute);
}

TEST_F(StorageRulesTest, AtTheActionLimitItIsNoExcursionThatBlocks) {
  Tank().add_recent_container_ids(world_.vial());
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -135'000);
  EXPECT_THAT(PlaySeries(event).codes, IsEmpty());
}

TEST_F(StorageRulesTest, AWarmHourWithoutAuthorityCountsToo) {
  Tank().add_recent_container_ids(world_.vial());
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -100'000);
  const std::string other = world_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, world_.clinic_id);
  ASSERT_TRUE(world_.Play(event, {{other, v1::ROLE_DEVICE, v1::MEANING_PERFORMED}}).recorded);
  ASSERT_EQ(Tank().excursions_size(), 1);
  EXPECT_EQ(Tank().excursions(0).excursion_class(), v1::EXCURSION_CLASS_CRITICAL);
}

TEST_F(StorageRulesTest, SilenceBetweenSeriesIsAGap) {
  Tank().add_recent_container_ids(world_.vial());
  const std::int64_t start = world_.now_ms() - 4 * kHour;
  ASSERT_THAT(PlaySeries(Series(start)).codes, IsEmpty());
  EXPECT_THAT(PlaySeries(Series(start + kHour + 15 * kMinute)).codes, IsEmpty());
  const PlayedEvent played = PlaySeries(Series(start + 2 * kHour + 30 * kMinute + 1));
  EXPECT_THAT(played.codes, ElementsAre("TEMPERATURE_GAP"));
  EXPECT_EQ(Tank().excursions(0).excursion_class(), v1::EXCURSION_CLASS_GAP_UNCOVERED);
}

TEST_F(StorageRulesTest, SilenceOfMonthsIsAGap) {
  Tank().add_recent_container_ids(world_.vial());
  ASSERT_THAT(PlaySeries(Series(world_.now_ms() - 100 * DoseWorld::kDayMs)).codes, IsEmpty());
  const PlayedEvent played = PlaySeries(Series(world_.now_ms() - kHour));
  EXPECT_THAT(played.codes, ElementsAre("TEMPERATURE_GAP"));
}

// The limits are those of everything that was placed, not of what was named first.
TEST_F(StorageRulesTest, TheStrictestProductOfAPlacementDecides) {
  v1::Policy policy = DefaultPolicy("");
  policy.mutable_storage()->set_action_above_millicelsius(-140'000);
  const std::string product_id = world_.ledger().AddProduct({v1::REGIME_US, v1::REGIME_EU});
  world_.ledger().ActivatePolicy(product_id, policy);
  const std::string lot_id = world_.ledger().NewId();
  world_.ledger().mutable_view().Batch(lot_id) = world_.Lot();
  world_.ledger().mutable_view().Batch(lot_id).set_product_id(product_id);
  world_.Vial(1).set_batch_id(lot_id);
  v1::Event place = Place(world_.tank_id);
  place.mutable_placed_in_storage()->add_places()->set_container_id(world_.vial(1));
  for (const int i : {0, 1}) world_.Vial(i).set_life(v1::CONTAINER_LIFE_FROZEN);
  ASSERT_THAT(world_.Play(place).codes, IsEmpty());
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -139'000);
  EXPECT_THAT(PlaySeries(event).codes, ElementsAre("TEMPERATURE_EXCURSION"));
}

// Readings that no policy judged are unknown to what turns out to have been there.
TEST_F(StorageRulesTest, APlacementThatIsRecordedAfterTheReadingsFindsThemUnjudged) {
  const std::int64_t start = world_.now_ms() - kHour;
  ASSERT_THAT(PlaySeries(Series(start)).codes, IsEmpty());
  world_.Vial().set_life(v1::CONTAINER_LIFE_FROZEN);
  v1::Event event = Place(world_.tank_id);
  event.mutable_occurred_at()->set_utc_ms(start + 10 * kMinute);
  event.mutable_reason()->set_code("LATE");
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("TEMPERATURE_GAP"));
  ASSERT_EQ(Tank().excursions_size(), 1);
  EXPECT_EQ(Tank().excursions(0).excursion_class(), v1::EXCURSION_CLASS_GAP_UNCOVERED);
  EXPECT_EQ(Tank().excursions(0).started_at_ms(), start + 10 * kMinute);
  EXPECT_EQ(Tank().excursions(0).ended_at_ms(), start + kHour);
}

TEST_F(StorageRulesTest, APlacementAfterTheReadingsIsNotConcernedByThem) {
  ASSERT_THAT(PlaySeries(Series(world_.now_ms() - kHour)).codes, IsEmpty());
  world_.Vial().set_life(v1::CONTAINER_LIFE_FROZEN);
  EXPECT_THAT(world_.Play(Place(world_.tank_id)).codes, IsEmpty());
}

TEST_F(StorageRulesTest, TheSeriesIsNamedAfterItsDeviceAndMonth) {
  v1::Event event = Series(world_.now_ms() - kHour);
  event.mutable_temperature_series()->set_series_id(absl::StrCat(world_.tank_id, "2020-01"));
  EXPECT_THAT(PlaySeries(event).codes, Contains("INCONSISTENT"));
}

TEST_F(StorageRulesTest, ASeriesThatLeavesOutItsDeviceIsAboutItAllTheSame) {
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -134'999);
  event.set_policy_hash(world_.policy_hash);
  event.mutable_temperature_series()->clear_device_id();
  const PlayedEvent played = PlaySeries(event);
  ASSERT_TRUE(played.recorded) << played.status;
  EXPECT_THAT(played.codes, Contains("INCONSISTENT"));
  EXPECT_EQ(Tank().excursions_size(), 1);
}

TEST_F(StorageRulesTest, WithoutPolicyNothingIsJudged) {
  v1::Event event = Series(world_.now_ms() - kHour);
  AddReading(event, 10 * kMinute, -100'000);
  const PlayedEvent played = PlaySeries(event);
  EXPECT_THAT(played.codes, IsEmpty());
  EXPECT_NE(played.Finding("E_POLICY_MISSING"), nullptr);
}

// --- CRY-06

class AssessmentTest : public StorageRulesTest {
 protected:
  v1::ExcursionState& AddExcursion(v1::ExcursionClass excursion_class) {
    v1::ExcursionState* const excursion = Tank().add_excursions();
    excursion->set_excursion_id(std::string(16, 'e'));
    excursion->set_excursion_class(excursion_class);
    excursion->set_started_at_ms(world_.now_ms() - kHour);
    excursion->set_ended_at_ms(world_.now_ms() - kHour / 2);
    return *excursion;
  }
  v1::Event Assess(v1::ExcursionDecision decision) const {
    v1::Event event;
    v1::ExcursionAssessed* const body = event.mutable_excursion_assessed();
    body->set_excursion_id(std::string(16, 'e'));
    body->set_device_id(world_.tank_id);
    body->set_decision(decision);
    if (decision == v1::EXCURSION_DECISION_USE_BY) body->set_use_by_ms(world_.now_ms() + kHour);
    body->mutable_evidence()->set_sha256(std::string(32, 'v'));
    return event;
  }
};

TEST_F(AssessmentTest, QualityAssuranceSettlesAMinorOne) {
  AddExcursion(v1::EXCURSION_CLASS_MINOR);
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_NO_IMPACT)).codes, IsEmpty());
  EXPECT_TRUE(Tank().excursions(0).assessed());
}

TEST_F(AssessmentTest, ASevereOneNeedsTheReleaseAuthorityToo) {
  for (const v1::ExcursionClass severe :
       {v1::EXCURSION_CLASS_CRITICAL, v1::EXCURSION_CLASS_GAP_UNCOVERED}) {
    Tank().clear_excursions();
    AddExcursion(severe);
    const v1::Event event = Assess(v1::EXCURSION_DECISION_NO_IMPACT);
    const PlayedEvent alone = world_.Play(event);
    EXPECT_FALSE(alone.recorded);
    EXPECT_THAT(alone.codes, ElementsAre("E_AUTHORITY"));
    const SignAs quality{world_.ledger().quality_assurance(), v1::ROLE_QUALITY_ASSURANCE,
                         v1::MEANING_APPROVED};
    const SignAs release{world_.ledger().release_authority(), v1::ROLE_RELEASE_AUTHORITY,
                         v1::MEANING_APPROVED};
    EXPECT_THAT(world_.Play(event, {quality, release}).codes, IsEmpty());
  }
}

TEST_F(AssessmentTest, OnePersonOfBothRolesAssessesNoSevereOne) {
  AddExcursion(v1::EXCURSION_CLASS_CRITICAL);
  const std::string both =
      world_.ledger().AddPerson({v1::ROLE_QUALITY_ASSURANCE, v1::ROLE_RELEASE_AUTHORITY});
  SignAs release{both, v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED};
  release.key = world_.ledger().AddKey(both);
  const PlayedEvent played =
      world_.Play(Assess(v1::EXCURSION_DECISION_NO_IMPACT),
                  {{both, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}, release});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_AUTHORITY"));
}

// Each minor excursion of a container is short; together they are not.
TEST_F(AssessmentTest, TooMuchInALifeNeedsTheReleaseAuthorityToo) {
  Tank().add_recent_container_ids(world_.vial());
  AddExcursion(v1::EXCURSION_CLASS_MINOR).set_above_action_ms(3 * kMinute);
  v1::ExcursionState* const earlier = Tank().add_excursions();
  *earlier = Tank().excursions(0);
  earlier->set_excursion_id(std::string(16, 'f'));
  earlier->set_assessed(true);
  earlier->set_above_action_ms(2 * kMinute + 1);
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_NO_IMPACT)).codes,
              ElementsAre("E_AUTHORITY"));
  earlier->set_above_action_ms(2 * kMinute);
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_NO_IMPACT)).codes, IsEmpty());
}

TEST_F(AssessmentTest, GoingOnNeedsEvidence) {
  AddExcursion(v1::EXCURSION_CLASS_MINOR);
  for (const v1::ExcursionDecision decision :
       {v1::EXCURSION_DECISION_NO_IMPACT, v1::EXCURSION_DECISION_USE_BY}) {
    v1::Event event = Assess(decision);
    event.mutable_excursion_assessed()->clear_evidence();
    EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MISSING"));
  }
  v1::Event reject = Assess(v1::EXCURSION_DECISION_REJECT);
  reject.mutable_excursion_assessed()->clear_evidence();
  EXPECT_THAT(world_.Play(reject).codes, IsEmpty());
}

TEST_F(AssessmentTest, OnlyAStricterDecisionFollows) {
  AddExcursion(v1::EXCURSION_CLASS_MINOR);
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_USE_BY)).codes, IsEmpty());
  const std::int64_t use_by = Tank().excursions(0).use_by_ms();
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_NO_IMPACT)).codes, ElementsAre("E_STATE"));
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_USE_BY)).codes, ElementsAre("E_STATE"));
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_REJECT)).codes, IsEmpty());
  EXPECT_EQ(Tank().excursions(0).decision(), v1::EXCURSION_DECISION_REJECT);
  EXPECT_EQ(Tank().excursions(0).use_by_ms(), use_by);
}

TEST_F(AssessmentTest, TheDateBelongsToUseBy) {
  AddExcursion(v1::EXCURSION_CLASS_MINOR);
  v1::Event event = Assess(v1::EXCURSION_DECISION_USE_BY);
  event.mutable_excursion_assessed()->clear_use_by_ms();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  event = Assess(v1::EXCURSION_DECISION_NO_IMPACT);
  event.mutable_excursion_assessed()->set_use_by_ms(world_.now_ms());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  event = Assess(v1::EXCURSION_DECISION_UNSPECIFIED);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(AssessmentTest, OfAnExcursionThatThereIs) {
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_REJECT)).codes, ElementsAre("E_MISSING"));
  AddExcursion(v1::EXCURSION_CLASS_MINOR).set_shipment_id(std::string(16, 's'));
  EXPECT_THAT(world_.Play(Assess(v1::EXCURSION_DECISION_REJECT)).codes, ElementsAre("E_FIELD"));
}

// --- CRY-08

TEST_F(StorageRulesTest, TakenOutToBeShippedWhenReleased) {
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_SHIP)).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_OUT);
  EXPECT_EQ(world_.Vial().stays(0).to_ms(), world_.now_ms());
}

TEST_F(StorageRulesTest, TakenOutToBeShippedBeforeTheRelease) {
  world_.Lot().set_phase(v1::BATCH_PHASE_QC_PENDING);
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_SHIP)).codes, ElementsAre("E_NOT_RELEASED"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_OUT);
  world_.Vial().set_life(v1::CONTAINER_LIFE_STORED);
  v1::ShipmentState* const shipment =
      world_.State(v1::SUBJECT_KIND_SHIPMENT, std::string(16, 's')).mutable_shipment();
  shipment->set_phase(v1::SHIPMENT_PHASE_AUTHORISED);
  shipment->set_quarantine_statements(true);
  world_.Vial().add_shipment_ids(std::string(16, 's'));
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_SHIP)).codes, IsEmpty());
}

TEST_F(StorageRulesTest, TakenOutToBeThawedForAnOrder) {
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_THAW)).codes, ElementsAre("E_ALLOCATION"));
  world_.Vial().set_life(v1::CONTAINER_LIFE_STORED);
  world_.Vial().set_order_id(world_.order_id);
  world_.Vial().clear_out_to_thaw_at_ms();
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_THAW)).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().out_to_thaw_at_ms(), world_.now_ms());
  world_.Vial().set_life(v1::CONTAINER_LIFE_STORED);
  ASSERT_TRUE(world_.Play(Move(world_.tank_id, 0)).recorded);
  EXPECT_EQ(world_.Vial().out_to_thaw_at_ms(), 0);
}

TEST_F(StorageRulesTest, TakenOutForNothing) {
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_UNSPECIFIED)).codes, ElementsAre("E_FIELD"));
}

TEST_F(StorageRulesTest, TakenOutTwice) {
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_DISCARD)).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Remove(v1::REMOVAL_PURPOSE_DISCARD)).codes, ElementsAre("E_STATE"));
}

TEST_F(StorageRulesTest, TwoPersonsTakeOut) {
  const std::string custodian = world_.ledger().Actor(v1::ROLE_STORAGE_CUSTODIAN);
  const PlayedEvent played =
      world_.Play(Remove(v1::REMOVAL_PURPOSE_SHIP),
                  {{custodian, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_PERFORMED}});
  EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_EQ(world_.Vial().life(), v1::CONTAINER_LIFE_STORED);
}

}  // namespace
}  // namespace custody
