// From the enrolment of a patient to the authorisation of the thaw: each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lifecycle/time_range.h"
#include "tests/support/spoiled_step.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using World = DoseWorld;
constexpr auto kHour = DoseWorld::kHourMs;

class RefusedDecisionTest : public testing::TestWithParam<SpoiledStep> {};

// A decision with anything wrong is refused with exactly these reasons, and changes nothing.
TEST_P(RefusedDecisionTest, NamesTheReasonsAndChangesNothing) { ExpectRefused(GetParam()); }

// CLN-02.
INSTANTIATE_TEST_SUITE_P(
    Order, RefusedDecisionTest,
    testing::Values(
        SpoiledStep{"UnknownPatient",
                    DoseStep::kOrdered,
                    [](World& world, v1::Event& event) {
                      event.mutable_treatment_ordered()->set_patient_id(world.ledger().NewId());
                    },
                    {"E_UNKNOWN_SUBJECT"}},
        SpoiledStep{"UnknownProduct",
                    DoseStep::kOrdered,
                    [](World& world, v1::Event& event) {
                      event.mutable_treatment_ordered()->set_product_id(world.ledger().NewId());
                    },
                    {"E_UNKNOWN_SUBJECT"}},
        SpoiledStep{"RegimeOfAnotherProduct",
                    DoseStep::kOrdered,
                    [](World&, v1::Event& event) {
                      event.mutable_treatment_ordered()->set_regime(v1::REGIME_TH);
                    },
                    {"E_POLICY_MISSING", "E_REGIME"}},
        SpoiledStep{"AnotherPolicy",
                    DoseStep::kOrdered,
                    [](World&, v1::Event& event) { event.set_policy_hash(std::string(32, 'x')); },
                    {"E_POLICY_HASH"}},
        SpoiledStep{
            "NoDose",
            DoseStep::kOrdered,
            [](World&, v1::Event& event) { event.mutable_treatment_ordered()->clear_dose(); },
            {"E_FIELD"}},
        SpoiledStep{
            "NoWeight",
            DoseStep::kOrdered,
            [](World&, v1::Event& event) { event.mutable_treatment_ordered()->clear_weight_g(); },
            {"E_FIELD"}},
        SpoiledStep{
            "NoBasis",
            DoseStep::kOrdered,
            [](World&, v1::Event& event) { event.mutable_treatment_ordered()->clear_dose_basis(); },
            {"E_FIELD"}},
        SpoiledStep{
            "NoRoute",
            DoseStep::kOrdered,
            [](World&, v1::Event& event) { event.mutable_treatment_ordered()->clear_route(); },
            {"E_FIELD"}},
        SpoiledStep{"NoTime",
                    DoseStep::kOrdered,
                    [](World&, v1::Event& event) {
                      event.mutable_treatment_ordered()->clear_planned_at_ms();
                    },
                    {"E_FIELD"}},
        SpoiledStep{"NoIndication",
                    DoseStep::kOrdered,
                    [](World&, v1::Event& event) {
                      event.mutable_treatment_ordered()->clear_indication_code();
                    },
                    {"E_FIELD"}},
        SpoiledStep{"WeightOfNoDay",
                    DoseStep::kOrdered,
                    [](World&, v1::Event& event) {
                      event.mutable_treatment_ordered()->set_weight_measured_on("2026-02-29");
                    },
                    {"E_FIELD"}}),
    NameOfStep);

// CLN-03.
INSTANTIATE_TEST_SUITE_P(
    Reservation, RefusedDecisionTest,
    testing::Values(
        SpoiledStep{
            "NoContainer",
            DoseStep::kReserved,
            [](World&, v1::Event& event) { event.mutable_dose_reserved()->clear_container_ids(); },
            {"E_FIELD"}},
        SpoiledStep{"UnknownOrder",
                    DoseStep::kReserved,
                    [](World& world, v1::Event& event) {
                      event.mutable_dose_reserved()->set_order_id(world.ledger().NewId());
                    },
                    {"E_UNKNOWN_SUBJECT"}},
        SpoiledStep{
            "AdministeredOrder",
            DoseStep::kReserved,
            [](World& world, v1::Event&) { world.Order().set_phase(v1::ORDER_PHASE_ADMINISTERED); },
            {"E_STATE"}},
        SpoiledStep{"ReservedForAnother",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Vial().set_allocation(v1::CONTAINER_ALLOCATION_RESERVED);
                      world.Vial().set_order_id(world.ledger().NewId());
                    },
                    {"E_ALLOCATION"}},
        SpoiledStep{"ReservedForThis",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Vial().set_allocation(v1::CONTAINER_ALLOCATION_RESERVED);
                      world.Vial().set_order_id(world.order_id);
                    },
                    {"E_ALLOCATION"}},
        SpoiledStep{"Consumed",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Vial().set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED);
                    },
                    {"E_CONSUMED"}},
        SpoiledStep{
            "Thawed",
            DoseStep::kReserved,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_THAWED); },
            {"E_STATE"}},
        SpoiledStep{
            "LotNotReleased",
            DoseStep::kReserved,
            [](World& world, v1::Event&) { world.Lot().set_phase(v1::BATCH_PHASE_QC_PENDING); },
            {"E_NOT_RELEASED"}},
        SpoiledStep{"HoldOnDonor",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.State(v1::SUBJECT_KIND_DONOR, world.donor_id).add_holds();
                    },
                    {"E_HOLD"}},
        SpoiledStep{"NotEligibleHere",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Donation().mutable_eligibility(1)->set_outcome(
                          v1::ELIGIBILITY_OUTCOME_INCOMPLETE);
                    },
                    {"E_DONATION_NOT_ELIGIBLE"}},
        SpoiledStep{"ExpiresBeforeThePlan",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Vial().set_label_expires_at_ms(world.Order().planned_at_ms() - 1);
                    },
                    {"E_EXPIRED"}},
        SpoiledStep{"AnotherProduct",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Lot().set_product_id(world.ledger().AddProduct());
                    },
                    {"E_MATCH"}},
        SpoiledStep{
            "AllergyToDmso",
            DoseStep::kReserved,
            [](World& world, v1::Event&) { world.Patient().set_dmso_allergy(v1::ANSWER_YES); },
            {"E_MATCH"}},
        SpoiledStep{"AllergyToMaterial",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Patient().add_animal_protein_allergies("bovine");
                    },
                    {"E_MATCH"}},
        SpoiledStep{"RouteNotReleased",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Lot().set_release_routes(0, v1::ROUTE_INTRATHECAL);
                    },
                    {"E_MATCH"}},
        SpoiledStep{
            "RegimeNotReleased",
            DoseStep::kReserved,
            [](World& world, v1::Event&) { world.Lot().mutable_release_regimes()->RemoveLast(); },
            {"E_REGIME"}},
        SpoiledStep{"ResearchOnly",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) { world.Vial().set_collection_type("R"); },
                    {"E_NOT_FOR_HUMAN_USE"}},
        SpoiledStep{"ForItsDonorOnly",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) { world.Vial().set_collection_type("1"); },
                    {"E_MATCH"}},
        SpoiledStep{"DoseTooHigh",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) { world.Vial().set_cells(77'000'001); },
                    {"E_MATCH"}},
        SpoiledStep{"CriticalCaseOnPatient",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.State(v1::SUBJECT_KIND_PATIENT, world.patient_id)
                          .add_open_cases()
                          ->set_severity(v1::SEVERITY_CRITICAL);
                    },
                    {"E_CASE_OPEN"}}),
    NameOfStep);

// CLN-04.
INSTANTIATE_TEST_SUITE_P(
    Match, RefusedDecisionTest,
    testing::Values(
        SpoiledStep{
            "BeforeTheReservation",
            DoseStep::kMatched,
            [](World& world, v1::Event&) { world.Order().set_phase(v1::ORDER_PHASE_ORDERED); },
            {"E_STATE"}},
        SpoiledStep{"NotWhatIsReserved",
                    DoseStep::kMatched,
                    [](World& world, v1::Event& event) {
                      event.mutable_match_verified()->set_container_ids(0, world.vial(1));
                    },
                    {"E_ALLOCATION", "E_MATCH"}},  // Both vials together are twice the dose.
        SpoiledStep{"DoseTooLow",
                    DoseStep::kMatched,
                    [](World& world, v1::Event&) { world.Vial().set_cells(62'999'999); },
                    {"E_MATCH"}},
        SpoiledStep{"OverrideOfAnotherRule",
                    DoseStep::kMatched,
                    [](World&, v1::Event& event) {
                      v1::MatchOverride* const entry =
                          event.mutable_match_verified()->add_overrides();
                      entry->set_rule("DOSE");
                      entry->set_override_reason("because");
                    },
                    {"E_FIELD"}},
        SpoiledStep{"OverrideWithoutReason",
                    DoseStep::kMatched,
                    [](World&, v1::Event& event) {
                      event.mutable_match_verified()->add_overrides()->set_rule("CMV");
                    },
                    {"E_REASON_MISSING"}}),
    NameOfStep);

// CLN-06T.
INSTANTIATE_TEST_SUITE_P(
    ThawPermit, RefusedDecisionTest,
    testing::Values(
        SpoiledStep{
            "BeforeTheMatch",
            DoseStep::kThawAuthorised,
            [](World& world, v1::Event&) { world.Order().set_phase(v1::ORDER_PHASE_RESERVED); },
            {"E_MATCH_REQUIRED", "E_STATE"}},
        SpoiledStep{"PatientNotThere",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->set_patient_present_and_fit(v1::ANSWER_NO);
                    },
                    {"E_MISSING"}},
        SpoiledStep{"PatientNotStated",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->clear_patient_present_and_fit();
                    },
                    {"E_MISSING"}},
        SpoiledStep{"EndsAfterTheTimeAfterThaw",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event& event) {
                      v1::ThawAuthorised* const body = event.mutable_thaw_authorised();
                      body->set_planned_infusion_start_ms(world.now_ms() + 4 * kHour -
                                                          body->planned_infusion_duration_ms() + 1);
                    },
                    {"E_EXPIRED"}},
        SpoiledStep{"NoDuration",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->clear_planned_infusion_duration_ms();
                    },
                    {"E_FIELD", "E_MISSING"}},
        SpoiledStep{"EndsBeforeItBegins",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->set_planned_infusion_duration_ms(-kHour);
                    },
                    {"E_FIELD", "E_MISSING"}},
        SpoiledStep{"AsLongAsCanBeStated",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->set_planned_infusion_duration_ms(kTimeMsMax);
                    },
                    {"E_EXPIRED", "E_FIELD"}},
        SpoiledStep{"BeginsTheDayAfterTomorrow",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event& event) {
                      event.mutable_thaw_authorised()->set_planned_infusion_start_ms(
                          world.now_ms() + 24 * kHour + 1);
                    },
                    {"E_EXPIRED", "E_FIELD"}},
        SpoiledStep{"NoStart",
                    DoseStep::kThawAuthorised,
                    [](World&, v1::Event& event) {
                      event.mutable_thaw_authorised()->clear_planned_infusion_start_ms();
                    },
                    {"E_FIELD"}},
        SpoiledStep{"TooLongOutOfTheTank",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event&) {
                      world.Vial().set_out_to_thaw_at_ms(world.now_ms() - 5 * World::kMinuteMs - 1);
                    },
                    {"E_POLICY"}},
        SpoiledStep{"NotInspected",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event&) { world.Vial().set_receipt_pending(true); },
                    {"E_MISSING"}},
        SpoiledStep{
            "InTransit",
            DoseStep::kThawAuthorised,
            [](World& world, v1::Event&) { world.Vial().set_life(v1::CONTAINER_LIFE_IN_TRANSIT); },
            {"E_STATE"}},
        SpoiledStep{"UnassessedExcursion",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event&) {
                      v1::ExcursionState* const excursion =
                          world.State(v1::SUBJECT_KIND_DEVICE, world.tank_id)
                              .mutable_device()
                              ->add_excursions();
                      excursion->set_excursion_class(v1::EXCURSION_CLASS_MINOR);
                      excursion->set_started_at_ms(world.now_ms() - kHour);
                      excursion->set_ended_at_ms(world.now_ms() - kHour + 1);
                    },
                    {"E_EXCURSION"}}),
    NameOfStep);

class AcceptedAtTheLimitTest : public testing::TestWithParam<SpoiledStep> {};

// The last value that a rule allows.
TEST_P(AcceptedAtTheLimitTest, IsRecordedWithoutFinding) { ExpectRecorded(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Clinic, AcceptedAtTheLimitTest,
    testing::Values(
        SpoiledStep{"ExpiresAtThePlan",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) {
                      world.Vial().set_label_expires_at_ms(world.Order().planned_at_ms());
                    },
                    {}},
        SpoiledStep{"HighestDose",
                    DoseStep::kReserved,
                    [](World& world, v1::Event&) { world.Vial().set_cells(77'000'000); },
                    {}},
        SpoiledStep{"TooLowForNow",
                    DoseStep::kReserved,  // More can still be reserved.
                    [](World& world, v1::Event&) { world.Vial().set_cells(1'000'000); },
                    {}},
        SpoiledStep{"LowestDose",
                    DoseStep::kMatched,
                    [](World& world, v1::Event&) { world.Vial().set_cells(63'000'000); },
                    {}},
        SpoiledStep{"EndsWithTheTimeAfterThaw",
                    DoseStep::kThawAuthorised,
                    [](World& world, v1::Event& event) {
                      v1::ThawAuthorised* const body = event.mutable_thaw_authorised();
                      body->set_planned_infusion_start_ms(world.now_ms() + 4 * kHour -
                                                          body->planned_infusion_duration_ms());
                    },
                    {}}),
    NameOfStep);

// The second container of an order is prepared while the first one runs.
TEST(RunningOrderTest, IsMatchedAndThawedForOn) {
  DoseWorld world(DefaultPolicy(""));
  world.PlayUntil(DoseStep::kStarted);
  world.Order().add_container_ids(world.vial(1));
  world.Order().set_dose(2'000'000);
  world.Vial(1).set_order_id(world.order_id);
  world.Vial(1).set_allocation(v1::CONTAINER_ALLOCATION_RESERVED);
  v1::Event match = world.MakeMatch();
  match.mutable_match_verified()->set_container_ids(0, world.vial(1));
  EXPECT_THAT(world.Play(match).codes, IsEmpty());
  v1::Event permit = world.MakeThawPermit();
  permit.mutable_thaw_authorised()->set_container_ids(0, world.vial(1));
  EXPECT_THAT(world.Play(permit).codes, IsEmpty());
  // The first one still runs.
  EXPECT_EQ(world.Order().phase(), v1::ORDER_PHASE_ADMINISTERING);
  ASSERT_TRUE(world.Play(world.MakeEnd()).recorded);
  EXPECT_EQ(world.Order().phase(), v1::ORDER_PHASE_MATCHED);
}

class OrderRulesTest : public testing::Test {
 protected:
  DoseWorld world_{DefaultPolicy("")};
};

// --- CLN-01

TEST_F(OrderRulesTest, EnrolmentKeepsWhatTheRulesNeed) {
  const PlayedEvent played = world_.Play(world_.MakeEnrolment());
  EXPECT_THAT(played.codes, IsEmpty());
  EXPECT_EQ(world_.Patient().cmv_igg(), v1::CMV_STATUS_NEGATIVE);
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_NO);
}

TEST_F(OrderRulesTest, EnrolmentWithoutConsentOrSiteIsRecordedWithFindings) {
  v1::Event event = world_.MakeEnrolment();
  event.mutable_patient_enrolled()->clear_consent();
  event.mutable_patient_enrolled()->set_holding_site_id(world_.ledger().NewId());
  const PlayedEvent played = world_.Play(event);
  EXPECT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_CONSENT", "E_UNKNOWN_SUBJECT"));
  EXPECT_EQ(played.Finding("E_CONSENT")->severity(), v1::SEVERITY_MAJOR);
  EXPECT_EQ(played.Finding("E_UNKNOWN_SUBJECT")->severity(), v1::SEVERITY_CRITICAL);
}

TEST_F(OrderRulesTest, SecondEnrolmentOnlyMakesThingsStricter) {
  world_.PlayUntil(DoseStep::kEnrolled);
  v1::Event event = world_.MakeEnrolment();
  event.mutable_patient_enrolled()->set_dmso_allergy(v1::ANSWER_YES);
  event.mutable_patient_enrolled()->set_cmv_igg(v1::CMV_STATUS_POSITIVE);
  event.mutable_patient_enrolled()->add_animal_protein_allergies("PORCINE");
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_SUBJECT_EXISTS"));
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_YES);
  EXPECT_EQ(world_.Patient().cmv_igg(), v1::CMV_STATUS_NEGATIVE);
  EXPECT_THAT(world_.Patient().animal_protein_allergies(), ElementsAre("PORCINE"));
}

TEST_F(OrderRulesTest, EnrolmentWithoutAuthorityStatesNothingFavourable) {
  const std::string nurse = world_.ledger().AddPerson({v1::ROLE_NURSE}, world_.clinic_id);
  v1::Event event = world_.MakeEnrolment();
  event.mutable_patient_enrolled()->set_cmv_igg(v1::CMV_STATUS_POSITIVE);
  event.mutable_patient_enrolled()->set_immunosuppressed(v1::ANSWER_YES);
  const PlayedEvent held =
      world_.Play(event, {{nurse, v1::ROLE_TREATING_PHYSICIAN, v1::MEANING_AUTHORED}});
  ASSERT_TRUE(held.recorded);
  EXPECT_THAT(held.codes, ElementsAre("E_AUTHORITY"));
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_UNKNOWN);
  EXPECT_EQ(world_.Patient().cmv_igg(), v1::CMV_STATUS_UNKNOWN);
  EXPECT_EQ(world_.Patient().immunosuppressed(), v1::ANSWER_YES);
  ASSERT_TRUE(world_.ledger().Attest(*held.entry).ok());
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_NO);
  EXPECT_EQ(world_.Patient().cmv_igg(), v1::CMV_STATUS_POSITIVE);
}

// An attested second enrolment is still a second one.
TEST_F(OrderRulesTest, AttestedSecondEnrolmentTakesNothingBack) {
  v1::Event first = world_.MakeEnrolment();
  first.mutable_patient_enrolled()->set_dmso_allergy(v1::ANSWER_YES);
  ASSERT_THAT(world_.Play(first).codes, IsEmpty());
  const std::string nurse = world_.ledger().AddPerson({v1::ROLE_NURSE}, world_.clinic_id);
  const PlayedEvent held = world_.Play(
      world_.MakeEnrolment(), {{nurse, v1::ROLE_TREATING_PHYSICIAN, v1::MEANING_AUTHORED}});
  ASSERT_TRUE(held.recorded);
  ASSERT_TRUE(world_.ledger().Attest(*held.entry).ok());
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_YES);
}

// --- CLN-02 to CLN-04

TEST_F(OrderRulesTest, OneOrderIsOrderedOnce) {
  world_.PlayUntil(DoseStep::kOrdered);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_ORDERED);
  const PlayedEvent again = world_.Play(world_.MakeOrder());
  EXPECT_FALSE(again.recorded);
  EXPECT_THAT(again.codes, ElementsAre("E_SUBJECT_EXISTS"));
}

TEST_F(OrderRulesTest, OneChainOfIdentityNamesOneOrder) {
  world_.PlayUntil(DoseStep::kEnrolled);
  v1::Event event = world_.MakeOrder();
  event.mutable_treatment_ordered()->set_chain_of_identity("coi:CHA999926000001");
  ASSERT_THAT(world_.Play(event).codes, IsEmpty());
  event.mutable_treatment_ordered()->set_order_id(world_.ledger().NewId());
  event.clear_subjects();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_LABEL_CONFLICT"));
}

TEST_F(OrderRulesTest, ReservationAndMatchBindTheContainer) {
  world_.PlayUntil(DoseStep::kReserved);
  EXPECT_EQ(world_.Vial().allocation(), v1::CONTAINER_ALLOCATION_RESERVED);
  EXPECT_EQ(world_.Vial().order_id(), world_.order_id);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_RESERVED);
  world_.PlayUntil(DoseStep::kMatched);
  EXPECT_EQ(world_.Vial().allocation(), v1::CONTAINER_ALLOCATION_VERIFIED);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_MATCHED);
  EXPECT_EQ(world_.Order().matched_index() + 1, world_.ledger().log().size());
}

TEST_F(OrderRulesTest, ANewMatchForgetsDeniedAttempts) {
  world_.PlayUntil(DoseStep::kMatched);
  world_.Order().set_denied_attempts(2);
  EXPECT_THAT(world_.Play(world_.MakeThawPermit()).codes, ElementsAre("E_MATCH_REQUIRED"));
  EXPECT_THAT(world_.Play(world_.MakeMatch()).codes, IsEmpty());
  EXPECT_THAT(world_.Play(world_.MakeThawPermit()).codes, IsEmpty());
}

TEST_F(OrderRulesTest, OverridesAreThePhysicians) {
  world_.PlayUntil(DoseStep::kReserved);
  v1::Event event = world_.MakeMatch();
  v1::MatchOverride* const entry = event.mutable_match_verified()->add_overrides();
  entry->set_rule("CMV");
  entry->set_override_reason("no other dose");
  const SignAs first{world_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, world_.clinic_id),
                     v1::ROLE_CLINIC_RECEIVER, v1::MEANING_VERIFIED};
  const SignAs second{world_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, world_.clinic_id, 1),
                      v1::ROLE_CLINIC_RECEIVER, v1::MEANING_VERIFIED};
  EXPECT_THAT(world_.Play(event, {first, second}).codes, ElementsAre("E_AUTHORITY"));
  event.mutable_match_verified()->clear_overrides();
  EXPECT_THAT(world_.Play(event, {first, second}).codes, IsEmpty());
}

// A donor reactive for CMV: blocked for a patient at risk unless the physician overrides, else to
// be acknowledged.
TEST_F(OrderRulesTest, CytomegalovirusIsDecidedAtTheMatch) {
  v1::ResultState* const result =
      world_.State(v1::SUBJECT_KIND_DONOR, world_.donor_id).mutable_donor()->add_results();
  result->mutable_result()->set_marker(v1::MARKER_CMV_AB);
  result->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
  world_.PlayUntil(DoseStep::kReserved);
  v1::Event event = world_.MakeMatch();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MATCH"));
  event.mutable_match_verified()->add_acknowledgements("CMV");
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  world_.Patient().set_immunosuppressed(v1::ANSWER_UNKNOWN);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MATCH"));
  v1::MatchOverride* const entry = event.mutable_match_verified()->add_overrides();
  entry->set_rule("CMV");
  entry->set_override_reason("no other dose");
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
}

// --- CLN-05

TEST_F(OrderRulesTest, AReservationIsReleasedBeforeTheThaw) {
  world_.PlayUntil(DoseStep::kThawAuthorised);
  EXPECT_THAT(world_.Play(world_.MakeRelease()).codes, IsEmpty());
  EXPECT_EQ(world_.Vial().allocation(), v1::CONTAINER_ALLOCATION_UNALLOCATED);
  EXPECT_EQ(world_.Vial().order_id(), "");
  EXPECT_EQ(world_.Vial().thaw_authorised_at_ms(), 0);
  EXPECT_EQ(world_.Order().phase(), v1::ORDER_PHASE_ORDERED);
}

TEST_F(OrderRulesTest, NotWhatIsFreeOrOfAnotherOrder) {
  world_.PlayUntil(DoseStep::kReserved);
  v1::Event event = world_.MakeRelease();
  event.mutable_reservation_released()->set_container_ids(0, world_.vial(1));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_ALLOCATION"));
  world_.Vial(1).set_allocation(v1::CONTAINER_ALLOCATION_RESERVED);
  world_.Vial(1).set_order_id(world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_ALLOCATION"));
  event.mutable_reservation_released()->clear_container_ids();
  event.clear_subjects();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(OrderRulesTest, AfterTheThawItStaysWithItsOrder) {
  world_.PlayUntil(DoseStep::kThawing);
  EXPECT_THAT(world_.Play(world_.MakeRelease()).codes, ElementsAre("E_STATE"));
  world_.PlayUntil(DoseStep::kStarted);
  EXPECT_THAT(world_.Play(world_.MakeRelease()).codes,
              ElementsAre("E_CONSUMED", "E_STATE"));  // E_STATE: the order is ADMINISTERING.
}

}  // namespace
}  // namespace custody
