// Storage (CRY): the table and the folds.

#include <algorithm>

#include "lifecycle/container_rules.h"
#include "lifecycle/rules.h"
#include "lifecycle/storage_guards.h"

namespace custody {
namespace {

constexpr int kRecentContainersMax = 256;

const v1::StoragePlace* PlaceOf(const google::protobuf::RepeatedPtrField<v1::StoragePlace>& places,
                                const std::string& container_id) {
  for (const v1::StoragePlace& place : places) {
    if (place.container_id() == container_id) return &place;
  }
  return nullptr;
}

void RememberPlacement(const google::protobuf::RepeatedPtrField<v1::StoragePlace>& places,
                       v1::DeviceState* device) {
  auto* recent = device->mutable_recent_container_ids();
  for (const v1::StoragePlace& place : places) AddOnce(recent, place.container_id());
  const int surplus = recent->size() - kRecentContainersMax;
  if (surplus > 0) recent->DeleteSubrange(0, surplus);
}

void FoldPlace(const FoldInput& input, LifeTrigger trigger, const v1::StoragePlace& place,
               const std::string& device_id, v1::ContainerState* container) {
  FoldLife(input, trigger, container);
  CloseStays(input, container);
  OpenStay(input, device_id, place.position(), container);
  if (input.favourable()) container->clear_out_to_thaw_at_ms();
  if (input.adverse()) {
    container->set_exposure_ms(container->exposure_ms() +
                               std::max<std::int64_t>(place.out_of_cold_ms(), 0));
  }
}

void FoldFrozen(const FoldInput& input, v1::SubjectState* state) {
  v1::ContainerState* container = state->mutable_container();
  const bool was_filled = container->life() == v1::CONTAINER_LIFE_FILLED;
  FoldLife(input, LifeTrigger::kFrozen, container);
  if (was_filled && input.favourable()) {
    container->set_frozen_at_ms(input.event.event.occurred_at().utc_ms());
  }
}

void FoldPlacedInStorage(const FoldInput& input, v1::SubjectState* state) {
  const v1::PlacedInStorage& body = input.event.event.placed_in_storage();
  if (input.subject.kind == v1::SUBJECT_KIND_DEVICE) {
    RememberPlacement(body.places(), state->mutable_device());
    return;
  }
  const v1::StoragePlace* place = PlaceOf(body.places(), input.subject.id);
  if (place == nullptr) return;
  FoldPlace(input, LifeTrigger::kPlaced, *place, body.device_id(), state->mutable_container());
}

void FoldMoved(const FoldInput& input, v1::SubjectState* state) {
  const v1::Moved& body = input.event.event.moved();
  if (input.subject.kind == v1::SUBJECT_KIND_DEVICE) {
    if (input.subject.id == body.device_id()) {
      RememberPlacement(body.places(), state->mutable_device());
    }
    return;
  }
  const v1::StoragePlace* place = PlaceOf(body.places(), input.subject.id);
  if (place == nullptr) return;
  FoldPlace(input, LifeTrigger::kMoved, *place, body.device_id(), state->mutable_container());
}

void FoldTemperatureSeries(const FoldInput& input, v1::SubjectState* state) {
  const v1::TemperatureSeries& body = input.event.event.temperature_series();
  v1::SeriesState* series = state->mutable_series();
  series->set_device_id(body.device_id());
  // Nobody has read what is to come.
  const std::int64_t ended_at_ms = std::min(body.ended_at_ms(), input.recorded_at_ms);
  if (input.Found(v1::REASON_CODE_E_POLICY_MISSING)) {
    series->set_unjudged_until_ms(std::max(series->unjudged_until_ms(), ended_at_ms));
  }
  // Only readings that count close a gap.
  if (!input.favourable()) return;
  series->set_last_ended_at_ms(std::max(series->last_ended_at_ms(), ended_at_ms));
  series->set_series_count(series->series_count() + 1);
}

void AddExcursion(const FoldInput& input,
                  google::protobuf::RepeatedPtrField<v1::ExcursionState>* list) {
  const v1::ExcursionDetected& body = input.event.event.excursion_detected();
  v1::ExcursionState* excursion = list->Add();
  excursion->set_excursion_id(body.excursion_id());
  excursion->set_excursion_class(body.excursion_class());
  excursion->set_started_at_ms(body.started_at_ms());
  excursion->set_ended_at_ms(body.ended_at_ms());
  excursion->set_peak_millicelsius(body.peak_millicelsius());
  excursion->set_detected_index(input.index);
  excursion->set_shipment_id(body.shipment_id());
  if (body.excursion_class() == v1::EXCURSION_CLASS_MINOR ||
      body.excursion_class() == v1::EXCURSION_CLASS_CRITICAL) {
    excursion->set_above_action_ms(
        std::max<std::int64_t>(body.ended_at_ms() - body.started_at_ms(), 0));
  }
}

void FoldExcursionDetected(const FoldInput& input, v1::SubjectState* state) {
  if (!input.adverse()) return;
  if (input.subject.kind == v1::SUBJECT_KIND_SHIPMENT) {
    AddExcursion(input, state->mutable_shipment()->mutable_excursions());
  } else {
    AddExcursion(input, state->mutable_device()->mutable_excursions());
  }
}

void FoldExcursionAssessed(const FoldInput& input, v1::SubjectState* state) {
  const v1::ExcursionAssessed& body = input.event.event.excursion_assessed();
  auto* list = input.subject.kind == v1::SUBJECT_KIND_SHIPMENT
                   ? state->mutable_shipment()->mutable_excursions()
                   : state->mutable_device()->mutable_excursions();
  for (v1::ExcursionState& excursion : *list) {
    if (excursion.excursion_id() != body.excursion_id()) continue;
    excursion.set_assessed(true);
    excursion.set_decision(std::max(excursion.decision(), body.decision()));
    if (body.use_by_ms() > 0) {
      // Never later than a date that was set before.
      excursion.set_use_by_ms(excursion.use_by_ms() > 0
                                  ? std::min(excursion.use_by_ms(), body.use_by_ms())
                                  : body.use_by_ms());
    }
  }
}

void FoldRemovedFromStorage(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_CONTAINER) return;
  v1::ContainerState* container = state->mutable_container();
  FoldLife(input, LifeTrigger::kRemoved, container);
  CloseStays(input, container);
  const v1::Event& event = input.event.event;
  const bool to_thaw = event.removed_from_storage().purpose() == v1::REMOVAL_PURPOSE_THAW;
  if (to_thaw && input.adverse() && container->out_to_thaw_at_ms() == 0) {
    container->set_out_to_thaw_at_ms(event.occurred_at().utc_ms());
  }
}

constexpr Rule kRules[] = {
    {v1::Event::kFrozen, GuardFrozen, FoldFrozen},
    {v1::Event::kPlacedInStorage, GuardPlacedInStorage, FoldPlacedInStorage},
    {v1::Event::kMoved, GuardMoved, FoldMoved},
    {v1::Event::kTemperatureSeries, GuardTemperatureSeries, FoldTemperatureSeries},
    {v1::Event::kExcursionDetected, GuardExcursionDetected, FoldExcursionDetected},
    {v1::Event::kExcursionAssessed, GuardExcursionAssessed, FoldExcursionAssessed},
    {v1::Event::kRemovedFromStorage, GuardRemovedFromStorage, FoldRemovedFromStorage},
};

}  // namespace

std::span<const Rule> StorageRules() { return kRules; }

}  // namespace custody
