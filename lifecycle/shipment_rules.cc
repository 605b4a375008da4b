// Shipments (SHP): the table and the folds.

#include <algorithm>
#include <string>

#include "lifecycle/container_rules.h"
#include "lifecycle/rules.h"
#include "lifecycle/shipment_guards.h"

namespace custody {
namespace {

bool IsShipment(const FoldInput& input) { return input.subject.kind == v1::SUBJECT_KIND_SHIPMENT; }
bool IsContainer(const FoldInput& input) {
  return input.subject.kind == v1::SUBJECT_KIND_CONTAINER;
}

// The phase goes on only for an event that counts.
void Advance(const FoldInput& input, v1::ShipmentPhase phase, v1::SubjectState* state) {
  // What waited until now never takes the shipment back.
  const bool outdated = !input.adverse() && phase < state->shipment().phase();
  if (input.favourable() && !outdated) state->mutable_shipment()->set_phase(phase);
}

// The first statement about an end of the journey waits for authority; after it only what makes the
// journey longer is taken over, from anybody.
bool IsLongerJourney(const FoldInput& input, std::int64_t known_ms, std::int64_t longer_by_ms) {
  return known_ms == 0 ? input.favourable() : longer_by_ms > 0;
}

void FoldShipmentAuthorised(const FoldInput& input, v1::SubjectState* state) {
  const v1::ShipmentAuthorised& body = input.event.event.shipment_authorised();
  if (IsContainer(input)) {
    AddOnce(state->mutable_container()->mutable_shipment_ids(), body.shipment_id());
    return;
  }
  if (!IsShipment(input)) return;
  v1::ShipmentState* shipment = state->mutable_shipment();
  shipment->set_phase(v1::SHIPMENT_PHASE_AUTHORISED);
  shipment->set_from_site_id(body.from_site_id());
  shipment->set_to_site_id(body.to_site_id());
  *shipment->mutable_container_ids() = body.container_ids();
  shipment->set_validated_hold_ms(body.validated_hold_ms());
  shipment->set_planned_arrival_ms(body.planned_arrival_ms());
  shipment->set_quarantine_statements(body.quarantine_statements());
  shipment->set_order_id(body.order_id());
}

void FoldPackedContainer(const FoldInput& input, const v1::ShipmentPrepared& body,
                         v1::ContainerState* container) {
  FoldLife(input, LifeTrigger::kPacked, container);
  CloseStays(input, container);
  if (!input.adverse()) return;
  AddOnce(container->mutable_shipment_ids(), body.shipment_id());
  // What was found wrong at one receipt stays wrong on the next journey.
  if (container->receipt() == v1::RECEIPT_DECISION_ACCEPT) {
    container->set_receipt(v1::RECEIPT_DECISION_UNSPECIFIED);
  }
  container->set_receipt_pending(true);
}

void FoldPackedShipment(const FoldInput& input, const v1::ShipmentPrepared& body,
                        v1::ShipmentState* shipment) {
  // The shorter of what was authorised and what was packed.
  const std::int64_t known = shipment->validated_hold_ms();
  if (known > 0 || input.favourable()) {
    shipment->set_validated_hold_ms(known > 0 ? std::min(known, body.validated_hold_ms())
                                              : body.validated_hold_ms());
  }
  const std::int64_t packed_at_ms = input.event.event.occurred_at().utc_ms();
  if (IsLongerJourney(input, shipment->packed_at_ms(), shipment->packed_at_ms() - packed_at_ms)) {
    shipment->set_packed_at_ms(packed_at_ms);
  }
  if (!input.favourable()) return;
  shipment->set_from_site_id(body.from_site_id());
  shipment->set_to_site_id(body.to_site_id());
  *shipment->mutable_container_ids() = body.container_ids();
  *shipment->mutable_seals() = body.seals();
  *shipment->mutable_logger_device_ids() = body.logger_device_ids();
  shipment->set_shipper_device_id(body.shipper_device_id());
}

void BindShipmentNumber(const v1::ShipmentPrepared& body, v1::IdentifierState* identifier) {
  for (const v1::SubjectRef& ref : identifier->bound()) {
    if (ref.id() != body.shipment_id()) identifier->set_conflict(true);
  }
  *identifier->add_bound() = RefOf({v1::SUBJECT_KIND_SHIPMENT, body.shipment_id()});
}

void FoldShipmentPrepared(const FoldInput& input, v1::SubjectState* state) {
  const v1::ShipmentPrepared& body = input.event.event.shipment_prepared();
  if (IsContainer(input)) {
    FoldPackedContainer(input, body, state->mutable_container());
  } else if (IsShipment(input)) {
    Advance(input, v1::SHIPMENT_PHASE_PREPARED, state);
    FoldPackedShipment(input, body, state->mutable_shipment());
  } else if (input.subject.kind == v1::SUBJECT_KIND_IDENTIFIER && input.favourable()) {
    BindShipmentNumber(body, state->mutable_identifier());
  }
}

void FoldRelinquished(const FoldInput& input, v1::SubjectState* state) {
  const v1::Relinquished& body = input.event.event.relinquished();
  if (IsContainer(input)) {
    FoldLife(input, LifeTrigger::kRelinquished, state->mutable_container());
  } else if (IsShipment(input)) {
    Advance(input, v1::SHIPMENT_PHASE_RELINQUISHED, state);
    v1::ShipmentState* shipment = state->mutable_shipment();
    const std::int64_t known = shipment->relinquished_at_ms();
    if (IsLongerJourney(input, known, known - body.relinquished_at_ms())) {
      shipment->set_relinquished_at_ms(body.relinquished_at_ms());
    }
  }
}

void FoldCustodyAccepted(const FoldInput& input, v1::SubjectState* state) {
  const v1::CustodyAccepted& body = input.event.event.custody_accepted();
  if (IsContainer(input)) {
    FoldLife(input, LifeTrigger::kCustodyAccepted, state->mutable_container());
  } else if (IsShipment(input)) {
    Advance(input, v1::SHIPMENT_PHASE_IN_TRANSIT, state);
    if (input.favourable()) {
      state->mutable_shipment()->set_accepted_at_ms(body.accepted_at_ms());
    }
  }
}

void FoldCustodyTransferred(const FoldInput&, v1::SubjectState*) {}

void FoldDelivered(const FoldInput& input, v1::SubjectState* state) {
  const v1::Delivered& body = input.event.event.delivered();
  if (IsContainer(input)) {
    FoldLife(input, LifeTrigger::kDelivered, state->mutable_container());
  } else if (IsShipment(input)) {
    Advance(input, v1::SHIPMENT_PHASE_DELIVERED, state);
    v1::ShipmentState* shipment = state->mutable_shipment();
    const std::int64_t known = shipment->delivered_at_ms();
    if (IsLongerJourney(input, known, body.delivered_at_ms() - known)) {
      shipment->set_delivered_at_ms(body.delivered_at_ms());
    }
  }
}

void FoldLoggerDataAttached(const FoldInput& input, v1::SubjectState* state) {
  // Before the delivery nobody can say whether the record reaches to the end of the journey.
  if (!IsShipment(input) || !input.favourable() || state->shipment().delivered_at_ms() == 0) return;
  v1::ShipmentState* shipment = state->mutable_shipment();
  const std::string& logger_id = input.event.event.logger_data_attached().logger_device_id();
  const auto& loggers = shipment->logger_device_ids();
  const bool travelled = std::count(loggers.begin(), loggers.end(), logger_id) > 0;
  if (!travelled || input.Found(v1::REASON_CODE_DEVICE_OUT_OF_CAL)) return;
  auto* recorded = shipment->mutable_recorded_logger_device_ids();
  AddOnce(recorded, logger_id);
  shipment->set_logger_data_attached(
      std::all_of(loggers.begin(), loggers.end(), [&](const std::string& id) {
        return std::count(recorded->begin(), recorded->end(), id) > 0;
      }));
}

v1::ShipmentPhase PhaseOf(v1::ReceiptDecision decision) {
  switch (decision) {
    case v1::RECEIPT_DECISION_ACCEPT:
      return v1::SHIPMENT_PHASE_ACCEPTED;
    case v1::RECEIPT_DECISION_REJECT:
      return v1::SHIPMENT_PHASE_REJECTED;
    default:
      return v1::SHIPMENT_PHASE_QUARANTINED;
  }
}

void FoldReceiptInspected(const FoldInput& input, v1::SubjectState* state) {
  const v1::ReceiptInspected& body = input.event.event.receipt_inspected();
  if (IsShipment(input)) {
    Advance(input, PhaseOf(body.decision()), state);
    return;
  }
  if (!IsContainer(input)) return;
  for (const v1::InspectedContainer& inspected : body.containers()) {
    if (inspected.container_id() != input.subject.id) continue;
    v1::ContainerState* container = state->mutable_container();
    // Nobody accepts what was rejected.
    if (container->receipt() != v1::RECEIPT_DECISION_REJECT) {
      container->set_receipt(inspected.decision());
    }
    container->set_receipt_pending(false);
    container->set_site_id(input.event.event.site_id());
  }
}

// What an end of the journey makes of containers and shipment.
struct ShipmentEndRow {
  LifeTrigger container;
  v1::ShipmentPhase shipment;
};

ShipmentEndRow RowOf(v1::ShipmentEnd end) {
  switch (end) {
    case v1::SHIPMENT_END_DESTROYED:
      return {LifeTrigger::kDestroyed, v1::SHIPMENT_PHASE_CLOSED};
    case v1::SHIPMENT_END_LOST:
      return {LifeTrigger::kLost, v1::SHIPMENT_PHASE_LOST};
    default:
      return {LifeTrigger::kReturned, v1::SHIPMENT_PHASE_RETURNED};
  }
}

void FoldShipmentEnded(const FoldInput& input, v1::SubjectState* state) {
  const ShipmentEndRow row = RowOf(input.event.event.shipment_ended().end());
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    FoldLife(input, row.container, container);
    // What came back was out of sight: it waits for an inspection like anything that arrives.
    if (row.container == LifeTrigger::kReturned && input.adverse()) {
      container->set_receipt_pending(true);
    }
  } else if (IsShipment(input)) {
    Advance(input, row.shipment, state);
  }
}

constexpr Rule kRules[] = {
    {v1::Event::kShipmentAuthorised, GuardShipmentAuthorised, FoldShipmentAuthorised},
    {v1::Event::kShipmentPrepared, GuardShipmentPrepared, FoldShipmentPrepared},
    {v1::Event::kRelinquished, GuardRelinquished, FoldRelinquished},
    {v1::Event::kCustodyAccepted, GuardCustodyAccepted, FoldCustodyAccepted},
    {v1::Event::kCustodyTransferred, GuardCustodyTransferred, FoldCustodyTransferred},
    {v1::Event::kDelivered, GuardDelivered, FoldDelivered},
    {v1::Event::kLoggerDataAttached, GuardLoggerDataAttached, FoldLoggerDataAttached},
    {v1::Event::kReceiptInspected, GuardReceiptInspected, FoldReceiptInspected},
    {v1::Event::kShipmentEnded, GuardShipmentEnded, FoldShipmentEnded},
};

}  // namespace

std::span<const Rule> ShipmentRules() { return kRules; }

}  // namespace custody
