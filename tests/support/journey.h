// Two vials of a released lot on their way from the manufacturer to the clinic, leg by leg.
//
//   Journey journey;
//   journey.PlayUntil(Leg::kArrival);
//   journey.Play(journey.Make(Leg::kRecord));
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_JOURNEY_H_
#define CUSTODY_TESTS_SUPPORT_JOURNEY_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {

// SHP-00, CRY-08, SHP-01, SHP-02, SHP-03, SHP-05, SHP-06, SHP-07.
enum class Leg { kPermit, kRemoval, kPacking, kHandOver, kPickUp, kArrival, kRecord, kInspection };

class Journey : public DoseWorld {
 public:
  Journey() : DoseWorld(DefaultPolicy("")), logger_id(ledger().AddDevice(v1::DEVICE_TYPE_LOGGER)) {}

  v1::Event Make(Leg leg) {
    v1::Event event;
    event.set_site_id(leg < Leg::kArrival ? ledger().site_id() : clinic_id);
    switch (leg) {
      case Leg::kPermit: {
        v1::ShipmentAuthorised* const body = event.mutable_shipment_authorised();
        Name(body);
        body->set_from_site_id(ledger().site_id());
        body->set_to_site_id(clinic_id);
        body->set_planned_departure_ms(now_ms());
        body->set_planned_arrival_ms(now_ms() + 24 * kHourMs);
        body->set_validated_hold_ms(48 * kHourMs);
        body->mutable_accompanying_records()->set_sha256(std::string(32, 'r'));
        break;
      }
      case Leg::kRemoval:
        for (const int i : {0, 1}) event.mutable_removed_from_storage()->add_container_ids(vial(i));
        event.mutable_removed_from_storage()->set_device_id(tank_id);
        event.mutable_removed_from_storage()->set_purpose(v1::REMOVAL_PURPOSE_SHIP);
        break;
      case Leg::kPacking: {
        v1::ShipmentPrepared* const body = event.mutable_shipment_prepared();
        Name(body);
        body->set_from_site_id(ledger().site_id());
        body->set_to_site_id(clinic_id);
        body->set_validated_hold_ms(48 * kHourMs);
        body->set_planned_transit_ms(24 * kHourMs);
        body->add_logger_device_ids(logger_id);
        body->add_seals("S-1");
        break;
      }
      case Leg::kHandOver:
        Name(event.mutable_relinquished());
        event.mutable_relinquished()->set_relinquished_at_ms(now_ms());
        event.mutable_relinquished()->add_seals("S-1");
        break;
      case Leg::kPickUp:
        Name(event.mutable_custody_accepted());
        event.mutable_custody_accepted()->set_accepted_at_ms(now_ms());
        event.mutable_custody_accepted()->set_seal_intact(v1::ANSWER_YES);
        break;
      case Leg::kArrival:
        Name(event.mutable_delivered());
        event.mutable_delivered()->set_delivered_at_ms(now_ms());
        break;
      case Leg::kRecord:
        *event.mutable_logger_data_attached() = GoodRecord();
        break;
      case Leg::kInspection: {
        v1::ReceiptInspected* const body = event.mutable_receipt_inspected();
        body->set_shipment_id(shipment_id);
        body->set_temperature_ok(v1::ANSWER_YES);
        body->set_seal_intact(v1::ANSWER_YES);
        body->set_decision(v1::RECEIPT_DECISION_ACCEPT);
        for (const int i : {0, 1}) {
          v1::InspectedContainer* const inspected = body->add_containers();
          inspected->set_container_id(vial(i));
          inspected->set_scanned_key(KeyOfVial(i));
          inspected->set_decision(v1::RECEIPT_DECISION_ACCEPT);
        }
        break;
      }
    }
    return event;
  }

  v1::ShipmentState& Shipment() {
    return *State(v1::SUBJECT_KIND_SHIPMENT, shipment_id).mutable_shipment();
  }

  // Ten hours on the road.
  void PlayUntil(Leg leg) {
    for (; legs_ <= static_cast<int>(leg); ++legs_) {
      const auto next = static_cast<Leg>(legs_);
      ledger().Advance(next == Leg::kArrival ? 10 * kHourMs : kMinuteMs);
      const PlayedEvent played = Play(Make(next));
      ASSERT_TRUE(played.recorded) << played.status;
      ASSERT_THAT(played.codes, testing::IsEmpty()) << legs_;
    }
  }
  // Everything before this leg.
  void PlayBefore(Leg leg) {
    if (leg != Leg::kPermit) PlayUntil(static_cast<Leg>(static_cast<int>(leg) - 1));
    ledger().Advance(leg == Leg::kArrival ? 10 * kHourMs : kMinuteMs);
  }

  const std::string shipment_id = std::string(16, 's');
  const std::string logger_id;

 private:
  template <typename Body>
  void Name(Body* body) {
    body->set_shipment_id(shipment_id);
    for (const int i : {0, 1}) body->add_container_ids(vial(i));
  }
  v1::LoggerDataAttached GoodRecord() {
    v1::LoggerDataAttached body;
    body.set_shipment_id(shipment_id);
    body.set_logger_device_id(logger_id);
    const v1::ShipmentState* const shipment = ledger().Shipment(shipment_id);
    if (shipment == nullptr) return body;
    body.set_started_at_ms(shipment->relinquished_at_ms());
    body.set_ended_at_ms(shipment->delivered_at_ms());
    body.set_interval_ms(10 * kMinuteMs);
    body.set_minimum_millicelsius(-190'000);
    body.set_maximum_millicelsius(-170'000);
    const std::int64_t samples = (body.ended_at_ms() - body.started_at_ms()) / (10 * kMinuteMs) + 1;
    body.set_samples(static_cast<std::uint32_t>(samples));
    return body;
  }

  int legs_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_JOURNEY_H_
