// What a journey leaves behind: receipts that stand, loggers that count, limits of all products.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/journey.h"

namespace custody {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReceiptTest : public testing::Test {
 protected:
  void PlayBefore(Leg leg) { ASSERT_NO_FATAL_FAILURE(journey_.PlayBefore(leg)); }
  void PlayUntil(Leg leg) { ASSERT_NO_FATAL_FAILURE(journey_.PlayUntil(leg)); }
  // Packed again, for another journey, by somebody who may not.
  void PackAgainWithoutAuthority() {
    v1::Event event = journey_.Make(Leg::kPacking);
    event.mutable_shipment_prepared()->set_shipment_id(std::string(16, 'n'));
    const std::string auditor = journey_.ledger().AddPerson({v1::ROLE_AUDITOR});
    const PlayedEvent played =
        journey_.Play(event, {{auditor, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_PERFORMED}});
    ASSERT_TRUE(played.recorded) << played.status;
  }
  v1::Event Reject() {
    v1::Event event = journey_.Make(Leg::kInspection);
    v1::ReceiptInspected* const body = event.mutable_receipt_inspected();
    body->set_decision(v1::RECEIPT_DECISION_REJECT);
    body->mutable_containers(1)->set_decision(v1::RECEIPT_DECISION_REJECT);
    return event;
  }
  v1::Event Store(int vial) {
    v1::Event event;
    event.set_site_id(journey_.clinic_id);
    event.mutable_placed_in_storage()->set_device_id(journey_.tank_id);
    event.mutable_placed_in_storage()->add_places()->set_container_id(journey_.vial(vial));
    return event;
  }
  v1::Event RecordOf(const std::string& logger_id) {
    v1::Event event = journey_.Make(Leg::kRecord);
    event.mutable_logger_data_attached()->set_logger_device_id(logger_id);
    return event;
  }

  Journey journey_;
};

// --- SHP-01 after SHP-07

TEST_F(ReceiptTest, ARejectionStandsOnTheNextJourney) {
  PlayUntil(Leg::kRecord);
  ASSERT_THAT(journey_.Play(Reject()).codes, IsEmpty());
  ASSERT_NO_FATAL_FAILURE(PackAgainWithoutAuthority());
  EXPECT_EQ(journey_.Vial(0).receipt(), v1::RECEIPT_DECISION_UNSPECIFIED);
  EXPECT_EQ(journey_.Vial(1).receipt(), v1::RECEIPT_DECISION_REJECT);
  EXPECT_TRUE(journey_.Vial(0).receipt_pending());
  EXPECT_TRUE(journey_.Vial(1).receipt_pending());
}

TEST_F(ReceiptTest, AQuarantineStandsOnTheNextJourney) {
  PlayUntil(Leg::kInspection);
  journey_.Vial(1).set_receipt(v1::RECEIPT_DECISION_QUARANTINE);
  ASSERT_NO_FATAL_FAILURE(PackAgainWithoutAuthority());
  EXPECT_EQ(journey_.Vial(1).receipt(), v1::RECEIPT_DECISION_QUARANTINE);
}

TEST_F(ReceiptTest, ALegThatNobodyInspectedIsNotForgottenOnTheNextOne) {
  PlayUntil(Leg::kArrival);
  ASSERT_TRUE(journey_.Play(Store(0)).recorded);
  journey_.Vial(1).set_receipt_pending(false);
  journey_.Vial(1).set_life(v1::CONTAINER_LIFE_STORED);
  v1::Event permit = journey_.Make(Leg::kPermit);
  permit.mutable_shipment_authorised()->set_shipment_id(std::string(16, 'n'));
  const PlayedEvent played = journey_.Play(permit);
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, ElementsAre("E_MISSING"));
}

TEST_F(ReceiptTest, StoringBeforeTheInspectionIsFound) {
  PlayUntil(Leg::kArrival);
  const PlayedEvent early = journey_.Play(Store(0));
  EXPECT_THAT(early.codes, ElementsAre("E_MISSING"));
  EXPECT_EQ(early.Finding("E_MISSING")->severity(), v1::SEVERITY_MAJOR);
  EXPECT_EQ(journey_.Vial(0).life(), v1::CONTAINER_LIFE_STORED);
  PlayUntil(Leg::kRecord);
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, IsEmpty());
  EXPECT_THAT(journey_.Play(Store(1)).codes, IsEmpty());
}

// --- SHP-06

TEST_F(ReceiptTest, OnlyALoggerThatTravelledSpeaksForTheJourney) {
  PlayBefore(Leg::kRecord);
  const std::string other = journey_.ledger().AddDevice(v1::DEVICE_TYPE_LOGGER);
  ASSERT_TRUE(journey_.Play(RecordOf(other)).recorded);
  EXPECT_FALSE(journey_.Shipment().logger_data_attached());
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, ElementsAre("E_MISSING"));
}

TEST_F(ReceiptTest, ALoggerOutOfCalibrationSpeaksForNothing) {
  PlayBefore(Leg::kRecord);
  journey_.State(v1::SUBJECT_KIND_DEVICE, journey_.logger_id)
      .mutable_device()
      ->clear_calibrations();
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kRecord)).codes, ElementsAre("DEVICE_OUT_OF_CAL"));
  EXPECT_FALSE(journey_.Shipment().logger_data_attached());
}

TEST_F(ReceiptTest, EachLoggerOfTheShipmentNeedsItsRecord) {
  PlayBefore(Leg::kRecord);
  const std::string second = journey_.ledger().AddDevice(v1::DEVICE_TYPE_LOGGER);
  journey_.Shipment().add_logger_device_ids(second);
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kRecord)).codes, IsEmpty());
  EXPECT_FALSE(journey_.Shipment().logger_data_attached());
  ASSERT_THAT(journey_.Play(RecordOf(second)).codes, IsEmpty());
  EXPECT_TRUE(journey_.Shipment().logger_data_attached());
}

// An interval that nobody could have measured in leaves the journey unknown.
TEST_F(ReceiptTest, ARecordWithoutReadingsIsAGap) {
  PlayBefore(Leg::kRecord);
  v1::Event event = journey_.Make(Leg::kRecord);
  event.mutable_logger_data_attached()->clear_samples();
  EXPECT_THAT(journey_.Play(event).codes, Contains("TEMPERATURE_GAP"));
  ASSERT_EQ(journey_.Shipment().excursions_size(), 1);
  EXPECT_EQ(journey_.Shipment().excursions(0).excursion_class(), v1::EXCURSION_CLASS_GAP_UNCOVERED);
}

// --- Several products in one shipper

class MixedShipmentTest : public ReceiptTest {
 protected:
  // The second vial is of a product with a stricter transport.
  MixedShipmentTest() {
    v1::Policy policy = DefaultPolicy("");
    policy.mutable_transport()->mutable_hold_factor_min()->set_coefficient(30);
    policy.mutable_transport()->mutable_hold_factor_min()->set_decimals(1);
    policy.mutable_transport()->set_custody_gap_max_ms(30'000);
    policy.mutable_transport()->set_action_above_millicelsius(-180'000);
    const std::string product_id = journey_.ledger().AddProduct({v1::REGIME_US, v1::REGIME_EU});
    journey_.ledger().ActivatePolicy(product_id, policy);
    const std::string lot_id = journey_.ledger().NewId();
    v1::BatchState& lot = journey_.ledger().mutable_view().Batch(lot_id);
    lot = journey_.Lot();
    lot.set_product_id(product_id);
    journey_.Vial(1).set_batch_id(lot_id);
  }
};

TEST_F(MixedShipmentTest, TheStrictestHoldHolds) {
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kPermit)).codes, ElementsAre("E_POLICY"));
  v1::Event permit = journey_.Make(Leg::kPermit);
  permit.mutable_shipment_authorised()->set_validated_hold_ms(72 * DoseWorld::kHourMs);
  ASSERT_THAT(journey_.Play(permit).codes, IsEmpty());
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kRemoval)).codes, IsEmpty());
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kPacking)).codes, ElementsAre("E_POLICY"));
}

TEST_F(MixedShipmentTest, TheStrictestGapAndTemperatureHold) {
  v1::Event permit = journey_.Make(Leg::kPermit);
  permit.mutable_shipment_authorised()->set_validated_hold_ms(72 * DoseWorld::kHourMs);
  ASSERT_THAT(journey_.Play(permit).codes, IsEmpty());
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kRemoval)).codes, IsEmpty());
  ASSERT_TRUE(journey_.Play(journey_.Make(Leg::kPacking)).recorded);
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kHandOver)).codes, IsEmpty());
  journey_.ledger().Advance(DoseWorld::kMinuteMs);
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kPickUp)).codes, ElementsAre("CUSTODY_GAP"));
  journey_.ledger().Advance(DoseWorld::kHourMs);
  ASSERT_THAT(journey_.Play(journey_.Make(Leg::kArrival)).codes, IsEmpty());
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kRecord)).codes, Contains("TEMPERATURE_EXCURSION"));
}

// --- SHP-07, where

TEST_F(ReceiptTest, TheReceiverInspects) {
  PlayUntil(Leg::kRecord);
  v1::Event event = journey_.Make(Leg::kInspection);
  event.set_site_id(journey_.ledger().site_id());
  EXPECT_THAT(journey_.Play(event).codes, ElementsAre("E_FIELD"));
}

TEST_F(ReceiptTest, WhatCameBackIsInspectedWhereItCameFrom) {
  PlayUntil(Leg::kRecord);
  v1::Event back;
  back.mutable_shipment_ended()->set_shipment_id(journey_.shipment_id);
  for (const int i : {0, 1}) back.mutable_shipment_ended()->add_container_ids(journey_.vial(i));
  back.mutable_shipment_ended()->set_end(v1::SHIPMENT_END_RETURNED);
  ASSERT_THAT(journey_.Play(back).codes, IsEmpty());
  EXPECT_THAT(journey_.Play(journey_.Make(Leg::kInspection)).codes, ElementsAre("E_FIELD"));
  v1::Event event = journey_.Make(Leg::kInspection);
  event.set_site_id(journey_.ledger().site_id());
  EXPECT_THAT(journey_.Play(event).codes, IsEmpty());
  EXPECT_EQ(journey_.Vial().site_id(), journey_.ledger().site_id());
}

}  // namespace
}  // namespace custody
