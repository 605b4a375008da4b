// A journey of two vials to the clinic (SHP-00 to SHP-08): each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/journey.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr auto kMinute = DoseWorld::kMinuteMs;
constexpr auto kHour = DoseWorld::kHourMs;

struct SpoiledLeg {
  const char* name;
  Leg leg;
  void (*spoil)(Journey& journey, v1::Event& event);
  std::vector<std::string> codes;
};
std::ostream& operator<<(std::ostream& out, const SpoiledLeg& leg) { return out << leg.name; }
std::string NameOf(const testing::TestParamInfo<SpoiledLeg>& info) { return info.param.name; }

class JourneyTest : public testing::TestWithParam<SpoiledLeg> {};

// Decisions are refused with these reasons, observations recorded with these findings.
TEST_P(JourneyTest, NamesWhatIsWrong) {
  Journey journey;
  ASSERT_NO_FATAL_FAILURE(journey.PlayBefore(GetParam().leg));
  v1::Event event = journey.Make(GetParam().leg);
  GetParam().spoil(journey, event);
  const PlayedEvent played = journey.Play(event);
  const bool decision = event.has_shipment_authorised() || event.has_receipt_inspected();
  EXPECT_EQ(played.recorded, !decision || GetParam().codes.empty()) << played.status;
  EXPECT_THAT(played.codes, ElementsAreArray(GetParam().codes)) << played.status;
}

using J = Journey;
using E = v1::Event;

// SHP-00.
INSTANTIATE_TEST_SUITE_P(
    Permit, JourneyTest,
    testing::Values(
        SpoiledLeg{"InOrder", Leg::kPermit, [](J&, E&) {}, {}},
        SpoiledLeg{"NotReleased",
                   Leg::kPermit,
                   [](J& j, E&) { j.Lot().set_phase(v1::BATCH_PHASE_QC_PENDING); },
                   {"E_NOT_RELEASED"}},
        SpoiledLeg{"QuarantineWithStatements",
                   Leg::kPermit,
                   [](J& j, E& e) {
                     j.Lot().set_phase(v1::BATCH_PHASE_QC_PENDING);
                     e.mutable_shipment_authorised()->set_quarantine_statements(true);
                   },
                   {}},
        SpoiledLeg{"SuspendedWithStatements",
                   Leg::kPermit,
                   [](J& j, E& e) {
                     j.Lot().set_phase(v1::BATCH_PHASE_SUSPENDED);
                     e.mutable_shipment_authorised()->set_quarantine_statements(true);
                   },
                   {"E_HOLD"}},
        SpoiledLeg{"HoldOnDonor",
                   Leg::kPermit,
                   [](J& j, E&) { j.State(v1::SUBJECT_KIND_DONOR, j.donor_id).add_holds(); },
                   {"E_HOLD"}},
        SpoiledLeg{"LastDayOfTheExpiry",
                   Leg::kPermit,
                   [](J& j, E&) { j.Vial().set_label_expires_at_ms(j.now_ms() + 48 * kHour); },
                   {}},
        SpoiledLeg{"ExpiresWithinTheMargin",
                   Leg::kPermit,
                   [](J& j, E&) { j.Vial().set_label_expires_at_ms(j.now_ms() + 48 * kHour - 1); },
                   {"E_EXPIRED"}},
        SpoiledLeg{"HoldTooShort",
                   Leg::kPermit,
                   [](J&, E& e) {
                     e.mutable_shipment_authorised()->set_validated_hold_ms(48 * kHour - 1);
                   },
                   {"E_POLICY"}},
        SpoiledLeg{
            "ArrivesBeforeItLeaves",
            Leg::kPermit,
            [](J& j, E& e) { e.mutable_shipment_authorised()->set_planned_arrival_ms(j.now_ms()); },
            {"E_FIELD", "E_POLICY"}},
        SpoiledLeg{"NoRecords",
                   Leg::kPermit,
                   [](J&, E& e) { e.mutable_shipment_authorised()->clear_accompanying_records(); },
                   {"E_MISSING"}},
        SpoiledLeg{"NoContainer",
                   Leg::kPermit,
                   [](J&, E& e) { e.mutable_shipment_authorised()->clear_container_ids(); },
                   {"E_FIELD"}},
        SpoiledLeg{"ReceiverWithoutLicence",
                   Leg::kPermit,
                   [](J& j, E&) {
                     j.State(v1::SUBJECT_KIND_SITE, j.clinic_id).mutable_site()->clear_licences();
                   },
                   {"E_SITE_LICENCE"}},
        SpoiledLeg{
            "UnknownReceiver",
            Leg::kPermit,
            [](J& j, E& e) { e.mutable_shipment_authorised()->set_to_site_id(j.ledger().NewId()); },
            {"E_SITE_LICENCE", "E_UNKNOWN_SUBJECT"}},
        SpoiledLeg{"AlreadyThawed",
                   Leg::kPermit,
                   [](J& j, E&) { j.Vial().set_life(v1::CONTAINER_LIFE_THAWED); },
                   {"E_STATE"}},
        SpoiledLeg{"AnotherPolicy",
                   Leg::kPermit,
                   [](J&, E& e) { e.set_policy_hash(std::string(32, 'x')); },
                   {"E_POLICY_HASH"}}),
    NameOf);

// SHP-01 to SHP-03.
INSTANTIATE_TEST_SUITE_P(
    OnTheWay, JourneyTest,
    testing::Values(
        SpoiledLeg{"PackingWithoutPermit",
                   Leg::kPacking,
                   [](J& j, E&) { j.Shipment().set_phase(v1::SHIPMENT_PHASE_UNSPECIFIED); },
                   {"E_NOT_AUTHORISED"}},
        SpoiledLeg{
            "PackingOfOtherVials",
            Leg::kPacking,
            [](J&, E& e) { e.mutable_shipment_prepared()->mutable_container_ids()->RemoveLast(); },
            {"E_NOT_AUTHORISED"}},
        SpoiledLeg{"PackingOfNothing",
                   Leg::kPacking,
                   [](J&, E& e) { e.mutable_shipment_prepared()->clear_container_ids(); },
                   {"E_FIELD"}},
        SpoiledLeg{"PackingFromTheTank",
                   Leg::kPacking,
                   [](J& j, E&) { j.Vial().set_life(v1::CONTAINER_LIFE_STORED); },
                   {"E_STATE"}},
        SpoiledLeg{"PackingWithoutLogger",
                   Leg::kPacking,
                   [](J&, E& e) { e.mutable_shipment_prepared()->clear_logger_device_ids(); },
                   {"E_MISSING"}},
        SpoiledLeg{
            "PackingWithOldLogger",
            Leg::kPacking,
            [](J& j, E&) {
              j.State(v1::SUBJECT_KIND_DEVICE, j.logger_id).mutable_device()->clear_calibrations();
            },
            {"DEVICE_OUT_OF_CAL"}},
        SpoiledLeg{
            "PackingForALongerWay",
            Leg::kPacking,
            [](J&, E& e) { e.mutable_shipment_prepared()->set_planned_transit_ms(24 * kHour + 1); },
            {"E_POLICY"}},
        SpoiledLeg{"HandOverBeforePacking",
                   Leg::kHandOver,
                   [](J& j, E&) { j.Shipment().set_phase(v1::SHIPMENT_PHASE_AUTHORISED); },
                   {"E_STATE"}},
        SpoiledLeg{"HandOverWithOtherSeals",
                   Leg::kHandOver,
                   [](J&, E& e) { e.mutable_relinquished()->set_seals(0, "S-2"); },
                   {"INCONSISTENT"}},
        SpoiledLeg{
            "HandOverOfOneVial",
            Leg::kHandOver,
            [](J&, E& e) { e.mutable_relinquished()->mutable_container_ids()->RemoveLast(); },
            {"INCONSISTENT"}},
        SpoiledLeg{
            "HandOverOfUnknownShipment",
            Leg::kHandOver,
            [](J& j, E& e) { e.mutable_relinquished()->set_shipment_id(j.ledger().NewId()); },
            {"E_UNKNOWN_SUBJECT"}},
        SpoiledLeg{"LongestUnattended",
                   Leg::kPickUp,
                   [](J& j, E& e) {
                     e.mutable_custody_accepted()->set_accepted_at_ms(
                         j.Shipment().relinquished_at_ms() + 15 * kMinute);
                   },
                   {}},
        SpoiledLeg{"Unattended",
                   Leg::kPickUp,
                   [](J& j, E& e) {
                     e.mutable_custody_accepted()->set_accepted_at_ms(
                         j.Shipment().relinquished_at_ms() + 15 * kMinute + 1);
                   },
                   {"CUSTODY_GAP"}},
        SpoiledLeg{"PickedUpBeforeTheHandOver",
                   Leg::kPickUp,
                   [](J& j, E& e) {
                     e.mutable_custody_accepted()->set_accepted_at_ms(
                         j.Shipment().relinquished_at_ms() - 1);
                   },
                   {"CUSTODY_GAP"}},
        SpoiledLeg{"SealBrokenAtPickUp",
                   Leg::kPickUp,
                   [](J&, E& e) { e.mutable_custody_accepted()->set_seal_intact(v1::ANSWER_NO); },
                   {"CUSTODY_GAP"}},
        SpoiledLeg{"ArrivalNobodyCarried",
                   Leg::kArrival,
                   [](J& j, E&) { j.Shipment().set_phase(v1::SHIPMENT_PHASE_RELINQUISHED); },
                   {"E_STATE"}},
        SpoiledLeg{"ArrivalOfOneVial",
                   Leg::kArrival,
                   [](J&, E& e) { e.mutable_delivered()->mutable_container_ids()->RemoveLast(); },
                   {"INCONSISTENT"}}),
    NameOf);

// SHP-06.
INSTANTIATE_TEST_SUITE_P(
    Record, JourneyTest,
    testing::Values(SpoiledLeg{"AnotherLogger",
                               Leg::kRecord,
                               [](J& j, E& e) {
                                 e.mutable_logger_data_attached()->set_logger_device_id(
                                     j.ledger().AddDevice(v1::DEVICE_TYPE_LOGGER));
                               },
                               {"INCONSISTENT"}},
                    SpoiledLeg{"StartsTooLate",
                               Leg::kRecord,
                               [](J&, E& e) {
                                 v1::LoggerDataAttached* const body =
                                     e.mutable_logger_data_attached();
                                 body->set_started_at_ms(body->started_at_ms() + 40 * kMinute);
                                 body->set_samples(body->samples() - 4);
                               },
                               {"TEMPERATURE_GAP"}},
                    SpoiledLeg{"EndsTooEarly",
                               Leg::kRecord,
                               [](J&, E& e) {
                                 v1::LoggerDataAttached* const body =
                                     e.mutable_logger_data_attached();
                                 body->set_ended_at_ms(body->ended_at_ms() - 30 * kMinute - 1);
                                 body->set_samples(body->samples() - 3);
                               },
                               {"TEMPERATURE_GAP"}},
                    SpoiledLeg{"EndsJustInTime",
                               Leg::kRecord,
                               [](J&, E& e) {
                                 v1::LoggerDataAttached* const body =
                                     e.mutable_logger_data_attached();
                                 body->set_ended_at_ms(body->ended_at_ms() - 30 * kMinute);
                                 body->set_samples(body->samples() - 3);
                               },
                               {}},
                    SpoiledLeg{"TooWarm",
                               Leg::kRecord,
                               [](J&, E& e) {
                                 v1::LoggerDataAttached* const body =
                                     e.mutable_logger_data_attached();
                                 body->set_maximum_millicelsius(-134'999);
                                 v1::LoggerReading* const reading = body->add_above();
                                 reading->set_at_ms(body->started_at_ms() + 60 * kMinute);
                                 reading->set_millicelsius(-134'999);
                               },
                               {"TEMPERATURE_EXCURSION"}}),
    NameOf);

// SHP-07.
INSTANTIATE_TEST_SUITE_P(
    Inspection, JourneyTest,
    testing::Values(
        SpoiledLeg{"InOrder", Leg::kInspection, [](J&, E&) {}, {}},
        SpoiledLeg{
            "NotEveryVial",
            Leg::kInspection,
            [](J&, E& e) { e.mutable_receipt_inspected()->mutable_containers()->RemoveLast(); },
            {"E_MISSING"}},
        SpoiledLeg{"BetterThanItsVials",
                   Leg::kInspection,
                   [](J&, E& e) {
                     e.mutable_receipt_inspected()->mutable_containers(1)->set_decision(
                         v1::RECEIPT_DECISION_QUARANTINE);
                   },
                   {"E_FIELD"}},
        SpoiledLeg{"AnotherLabel",
                   Leg::kInspection,
                   [](J&, E& e) {
                     e.mutable_receipt_inspected()->mutable_containers(0)->set_scanned_key(
                         J::KeyOfVial(1));
                   },
                   {"E_CONTAINER_MISMATCH"}},
        SpoiledLeg{"SealNotStated",
                   Leg::kInspection,
                   [](J&, E& e) { e.mutable_receipt_inspected()->clear_seal_intact(); },
                   {"E_POLICY"}},
        SpoiledLeg{
            "TemperatureNotGood",
            Leg::kInspection,
            [](J&, E& e) { e.mutable_receipt_inspected()->set_temperature_ok(v1::ANSWER_NO); },
            {"E_POLICY"}},
        SpoiledLeg{"NoRecordOfTheLogger",
                   Leg::kInspection,
                   [](J& j, E&) { j.Shipment().set_logger_data_attached(false); },
                   {"E_MISSING"}},
        SpoiledLeg{"LongestJourney",
                   Leg::kInspection,
                   [](J& j, E&) {
                     j.Shipment().set_validated_hold_ms(j.Shipment().delivered_at_ms() -
                                                        j.Shipment().relinquished_at_ms());
                   },
                   {}},
        SpoiledLeg{"LongerThanTheShipperHolds",
                   Leg::kInspection,
                   [](J& j, E&) {
                     j.Shipment().set_validated_hold_ms(j.Shipment().delivered_at_ms() -
                                                        j.Shipment().relinquished_at_ms() - 1);
                   },
                   {"E_POLICY"}},
        SpoiledLeg{"ArrivalWithoutTime",
                   Leg::kInspection,
                   [](J& j, E&) { j.Shipment().clear_delivered_at_ms(); },
                   {"E_POLICY"}},
        SpoiledLeg{"BeforeTheArrival",
                   Leg::kInspection,
                   [](J& j, E&) { j.Shipment().set_phase(v1::SHIPMENT_PHASE_IN_TRANSIT); },
                   {"E_STATE"}},
        SpoiledLeg{"HoldOnTheWay",
                   Leg::kInspection,
                   [](J& j, E&) { j.State(v1::SUBJECT_KIND_BATCH, j.lot_id).add_holds(); },
                   {"E_HOLD"}},
        SpoiledLeg{"QuarantineNeedsNothingOfThis",
                   Leg::kInspection,
                   [](J& j, E& e) {
                     j.State(v1::SUBJECT_KIND_BATCH, j.lot_id).add_holds();
                     v1::ReceiptInspected* const body = e.mutable_receipt_inspected();
                     body->clear_seal_intact();
                     body->set_decision(v1::RECEIPT_DECISION_QUARANTINE);
                     for (v1::InspectedContainer& one : *body->mutable_containers()) {
                       one.set_decision(v1::RECEIPT_DECISION_QUARANTINE);
                     }
                   },
                   {}}),
    NameOf);

class ShipmentRulesTest : public testing::Test {
 protected:
  Journey journey_;
  std::vector<SignAs> Wrong(v1::Role role, v1::Meaning meaning) {
    const std::string auditor = journey_.ledger().AddPerson({v1::ROLE_AUDITOR});
    return {{auditor, role, meaning}};
  }
};

TEST_F(ShipmentRulesTest, TheVialsTravel) {
  journey_.PlayUntil(Leg::kPacking);
  EXPECT_EQ(journey_.Vial().life(), v1::CONTAINER_LIFE_PACKED);
  EXPECT_TRUE(journey_.Vial().receipt_pending());
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_PREPARED);
  journey_.PlayUntil(Leg::kPickUp);
  EXPECT_EQ(journey_.Vial().life(), v1::CONTAINER_LIFE_IN_TRANSIT);
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_IN_TRANSIT);
  journey_.PlayUntil(Leg::kInspection);
  EXPECT_EQ(journey_.Vial().life(), v1::CONTAINER_LIFE_AT_RECEIVER);
  EXPECT_FALSE(journey_.Vial().receipt_pending());
  EXPECT_EQ(journey_.Vial().site_id(), journey_.clinic_id);
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_ACCEPTED);
}

TEST_F(ShipmentRulesTest, OneShipmentIsAuthorisedOnce) {
  journey_.PlayUntil(Leg::kPermit);
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kPermit)).codes, ElementsAre("E_SUBJECT_EXISTS"));
}

TEST_F(ShipmentRulesTest, ARejectedVialIsRejectedForAll) {
  journey_.PlayUntil(Leg::kRecord);
  v1::Event event = journey_.Make(Leg::kInspection);
  v1::ReceiptInspected* const body = event.mutable_receipt_inspected();
  body->set_decision(v1::RECEIPT_DECISION_REJECT);
  body->mutable_containers(1)->set_decision(v1::RECEIPT_DECISION_REJECT);
  ASSERT_THAT(journey_.Play(event).codes, IsEmpty());
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_REJECTED);
  EXPECT_EQ(journey_.Vial(0).receipt(), v1::RECEIPT_DECISION_ACCEPT);
  EXPECT_EQ(journey_.Vial(1).receipt(), v1::RECEIPT_DECISION_REJECT);
}

TEST_F(ShipmentRulesTest, QuarantineIsLiftedByALaterInspection) {
  journey_.PlayUntil(Leg::kRecord);
  v1::Event event = journey_.Make(Leg::kInspection);
  v1::ReceiptInspected* const body = event.mutable_receipt_inspected();
  body->set_decision(v1::RECEIPT_DECISION_QUARANTINE);
  body->mutable_containers(0)->set_decision(v1::RECEIPT_DECISION_QUARANTINE);
  ASSERT_THAT(journey_.Play(event).codes, IsEmpty());
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_QUARANTINED);
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, IsEmpty());
  EXPECT_EQ(journey_.Vial().receipt(), v1::RECEIPT_DECISION_ACCEPT);
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, ElementsAre("E_STATE"));
}

// Who may not, may not make a journey look shorter than it was.
TEST_F(ShipmentRulesTest, WithoutAuthorityAJourneyOnlyGetsLonger) {
  journey_.PlayUntil(Leg::kArrival);
  const std::int64_t left = journey_.Shipment().relinquished_at_ms();
  const std::int64_t arrived = journey_.Shipment().delivered_at_ms();
  v1::Event leave = journey_.Make(Leg::kHandOver);
  leave.mutable_relinquished()->set_relinquished_at_ms(left + kHour);
  v1::Event arrive = journey_.Make(Leg::kArrival);
  arrive.mutable_delivered()->set_delivered_at_ms(arrived - kHour);
  const auto by_wrong = Wrong(v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_RELINQUISHED);
  ASSERT_TRUE(journey_.Play(leave, by_wrong).recorded);
  ASSERT_TRUE(journey_.Play(arrive, Wrong(v1::ROLE_CARRIER, v1::MEANING_RELINQUISHED)).recorded);
  EXPECT_EQ(journey_.Shipment().relinquished_at_ms(), left);
  EXPECT_EQ(journey_.Shipment().delivered_at_ms(), arrived);
  leave.mutable_relinquished()->set_relinquished_at_ms(left - kHour);
  ASSERT_TRUE(journey_.Play(leave, by_wrong).recorded);
  EXPECT_EQ(journey_.Shipment().relinquished_at_ms(), left - kHour);
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_DELIVERED);
}

TEST_F(ShipmentRulesTest, WithoutAuthorityAPackingChangesNoShipment) {
  journey_.PlayUntil(Leg::kRemoval);
  v1::Event event = journey_.Make(Leg::kPacking);
  event.mutable_shipment_prepared()->mutable_container_ids()->RemoveLast();
  event.mutable_shipment_prepared()->set_validated_hold_ms(kHour);
  const PlayedEvent played =
      journey_.Play(event, Wrong(v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_PERFORMED));
  ASSERT_TRUE(played.recorded);
  EXPECT_EQ(journey_.Shipment().container_ids_size(), 2);
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_AUTHORISED);
  EXPECT_EQ(journey_.Shipment().validated_hold_ms(), kHour);
  EXPECT_TRUE(journey_.Vial().receipt_pending());
}

// A record that was read before the end says nothing about the end.
TEST_F(ShipmentRulesTest, ARecordBeforeTheArrivalDoesNotCount) {
  journey_.PlayUntil(Leg::kPickUp);
  journey_.ledger().Advance(kHour);
  v1::Event early = journey_.Make(Leg::kRecord);
  early.mutable_logger_data_attached()->set_ended_at_ms(journey_.now_ms());
  early.mutable_logger_data_attached()->set_samples(8);
  const PlayedEvent played = journey_.Play(early);
  EXPECT_THAT(played.codes, IsEmpty());
  EXPECT_FALSE(journey_.Shipment().logger_data_attached());
  journey_.PlayUntil(Leg::kArrival);
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, ElementsAre("E_MISSING"));
  journey_.PlayUntil(Leg::kInspection);
}

// The second signature of the arrival comes when the vials are in the tank already.
TEST_F(ShipmentRulesTest, AnArrivalThatIsSignedLateTakesNothingBack) {
  journey_.PlayBefore(Leg::kArrival);
  const std::string carrier = journey_.ledger().Actor(v1::ROLE_CARRIER, journey_.clinic_id);
  const PlayedEvent held = journey_.Play(journey_.Make(Leg::kArrival),
                                         {{carrier, v1::ROLE_CARRIER, v1::MEANING_RELINQUISHED}});
  EXPECT_THAT(held.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_EQ(journey_.Vial().life(), v1::CONTAINER_LIFE_IN_TRANSIT);
  journey_.Vial().set_life(v1::CONTAINER_LIFE_STORED);
  journey_.Shipment().set_phase(v1::SHIPMENT_PHASE_ACCEPTED);
  const std::string receiver =
      journey_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, journey_.clinic_id);
  ASSERT_TRUE(journey_.ledger()
                  .Cosign(*held.entry, {receiver, v1::ROLE_CLINIC_RECEIVER, v1::MEANING_RECEIVED})
                  .ok());
  EXPECT_EQ(journey_.Vial(0).life(), v1::CONTAINER_LIFE_STORED);
  EXPECT_EQ(journey_.Vial(1).life(), v1::CONTAINER_LIFE_AT_RECEIVER);
  EXPECT_EQ(journey_.Shipment().phase(), v1::SHIPMENT_PHASE_ACCEPTED);
  EXPECT_NE(journey_.Shipment().delivered_at_ms(), 0);
}

// --- SHP-04

TEST_F(ShipmentRulesTest, CarriersHandOverUnderWay) {
  v1::Event event;
  event.mutable_custody_transferred()->set_shipment_id(journey_.shipment_id);
  event.mutable_custody_transferred()->set_seal_intact(v1::ANSWER_YES);
  journey_.PlayUntil(Leg::kHandOver);
  EXPECT_THAT(journey_.Play(event).codes, ElementsAre("E_STATE"));
  journey_.PlayUntil(Leg::kPickUp);
  EXPECT_THAT(journey_.Play(event).codes, IsEmpty());
  event.mutable_custody_transferred()->set_seal_intact(v1::ANSWER_NO);
  EXPECT_THAT(journey_.Play(event).codes, ElementsAre("CUSTODY_GAP"));
}

TEST_F(ShipmentRulesTest, OneCarrierIsNotTwo) {
  journey_.PlayUntil(Leg::kPickUp);
  v1::Event event;
  event.mutable_custody_transferred()->set_shipment_id(journey_.shipment_id);
  const std::string carrier = journey_.ledger().Actor(v1::ROLE_CARRIER);
  SignAs second{carrier, v1::ROLE_CARRIER, v1::MEANING_RECEIVED};
  second.key = journey_.ledger().AddKey(carrier);
  const PlayedEvent played =
      journey_.Play(event, {{carrier, v1::ROLE_CARRIER, v1::MEANING_RELINQUISHED}, second});
  EXPECT_TRUE(played.recorded);
  EXPECT_THAT(played.codes, Contains("E_SAME_PERSON"));
}

// --- SHP-08

TEST_F(ShipmentRulesTest, EndsOtherThanByReceipt) {
  struct {
    v1::ShipmentEnd end;
    std::vector<std::string> codes;
    v1::ContainerLife life;
    v1::ShipmentPhase phase;
  } const rows[] = {
      {v1::SHIPMENT_END_RETURNED, {}, v1::CONTAINER_LIFE_AT_RECEIVER, v1::SHIPMENT_PHASE_RETURNED},
      {v1::SHIPMENT_END_LOST, {}, v1::CONTAINER_LIFE_LOST, v1::SHIPMENT_PHASE_LOST},
      {v1::SHIPMENT_END_DESTROYED, {}, v1::CONTAINER_LIFE_DESTROYED, v1::SHIPMENT_PHASE_CLOSED},
      // Nobody said how: it is somewhere and has to be inspected.
      {v1::SHIPMENT_END_UNSPECIFIED,
       {"E_FIELD"},
       v1::CONTAINER_LIFE_AT_RECEIVER,
       v1::SHIPMENT_PHASE_RETURNED},
  };
  for (const auto& row : rows) {
    Journey journey;
    journey.PlayUntil(Leg::kPickUp);
    v1::Event event;
    event.mutable_shipment_ended()->set_shipment_id(journey.shipment_id);
    for (const int i : {0, 1}) event.mutable_shipment_ended()->add_container_ids(journey.vial(i));
    event.mutable_shipment_ended()->set_end(row.end);
    EXPECT_THAT(journey.Play(event).codes, ElementsAreArray(row.codes)) << row.end;
    EXPECT_EQ(journey.Vial().life(), row.life) << row.end;
    EXPECT_EQ(journey.Shipment().phase(), row.phase) << row.end;
    EXPECT_TRUE(journey.Vial().receipt_pending());
  }
}

TEST_F(ShipmentRulesTest, WhatWasAcceptedIsNotLostOnTheWay) {
  journey_.PlayUntil(Leg::kInspection);
  v1::Event event;
  event.mutable_shipment_ended()->set_shipment_id(journey_.shipment_id);
  for (const int i : {0, 1}) event.mutable_shipment_ended()->add_container_ids(journey_.vial(i));
  event.mutable_shipment_ended()->set_end(v1::SHIPMENT_END_LOST);
  EXPECT_THAT(journey_.Play(event).codes, ElementsAre("E_STATE"));
  EXPECT_EQ(journey_.Vial().life(), v1::CONTAINER_LIFE_LOST);
}

}  // namespace
}  // namespace custody
