#include "lifecycle/storage_guards.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "lifecycle/container_exposure.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/excursions.h"
#include "lifecycle/policy.h"
#include "lifecycle/recording_limits.h"

namespace custody {
namespace {

constexpr std::size_t kDeviceIdBytes = 16;
constexpr int kSilentMonthsMax = 120;

// Limits for a storage device: those of the policy that the event names, else the strictest of the
// products that were placed there lately.
std::optional<TemperatureLimits> LimitsOf(RuleContext& context, const std::string& device_id) {
  const std::string& hash = context.event().policy_hash();
  if (!hash.empty()) {
    const absl::StatusOr<std::optional<PolicyRef>> named = FindPolicyByHash(context.view(), hash);
    if (!named.ok()) {
      context.KeepError(named.status());
    } else if (named->has_value()) {
      return StorageLimits((*named)->policy->storage());
    }
  }
  std::optional<TemperatureLimits> strictest;
  const v1::DeviceState* device = context.Device(device_id);
  if (device == nullptr) return strictest;
  for (const PolicyRef& policy : PoliciesOfContainers(context, device->recent_container_ids())) {
    const TemperatureLimits limits = StorageLimits(policy.policy->storage());
    strictest = strictest.has_value() ? Strictest(*strictest, limits) : limits;
  }
  return strictest;
}

std::string SeriesIdOf(const std::string& device_id, std::int64_t started_at_ms) {
  return device_id +
         absl::FormatTime("%Y-%m", absl::FromUnixMillis(started_at_ms), absl::UTCTimeZone());
}

absl::CivilMonth MonthOf(std::int64_t at_ms) {
  return absl::ToCivilMonth(absl::FromUnixMillis(at_ms), absl::UTCTimeZone());
}

std::int64_t StartOf(absl::CivilMonth month) {
  return absl::ToUnixMillis(absl::FromCivil(month, absl::UTCTimeZone()));
}

const v1::SeriesState* FindSeries(RuleContext& context, const std::string& device_id,
                                  std::int64_t at_ms) {
  const v1::SubjectState* state =
      context.Find(v1::SUBJECT_KIND_SERIES, SeriesIdOf(device_id, at_ms));
  return state == nullptr ? nullptr : &state->series();
}

std::int64_t FutureToleranceMs(RuleContext& context) {
  const v1::LedgerState* ledger = context.Ledger();
  return custody::LimitsOf(ledger == nullptr ? v1::LedgerState() : *ledger).future_tolerance_ms();
}

// End of the readings before these; 0 if the device is new, or was silent for ten years.
std::int64_t PreviousEnd(RuleContext& context, const v1::TemperatureSeries& body) {
  const absl::CivilMonth month = MonthOf(body.started_at_ms());
  for (int back = 0; back < kSilentMonthsMax; ++back) {
    const v1::SeriesState* series = FindSeries(context, body.device_id(), StartOf(month - back));
    // Readings that do not count close no gap.
    if (series != nullptr && series->last_ended_at_ms() > 0) return series->last_ended_at_ms();
  }
  return 0;
}

// Readings since the container came that were judged by no policy, since nothing was on record in
// the device: unknown to the container, not good.
void GuardUnjudgedReadings(RuleContext& context, const std::string& device_id) {
  const std::int64_t from_ms = context.occurred_at_ms();
  if (from_ms >= context.recorded_at_ms()) return;
  std::int64_t until_ms = 0;
  const absl::CivilMonth last = MonthOf(context.recorded_at_ms());
  const absl::CivilMonth first = std::max(MonthOf(from_ms), last - kSilentMonthsMax);
  for (absl::CivilMonth month = first; month <= last; ++month) {
    const v1::SeriesState* series = FindSeries(context, device_id, StartOf(month));
    if (series != nullptr) until_ms = std::max(until_ms, series->unjudged_until_ms());
  }
  if (until_ms <= from_ms) return;
  SeriesJudgement unknown;
  unknown.excursions.push_back({.excursion_class = v1::EXCURSION_CLASS_GAP_UNCOVERED,
                                .started_at_ms = from_ms,
                                .ended_at_ms = until_ms});
  ReportExcursions(context, unknown, device_id, "");
}

const v1::ExcursionState* FindExcursion(
    const google::protobuf::RepeatedPtrField<v1::ExcursionState>& list, const std::string& id) {
  for (const v1::ExcursionState& excursion : list) {
    if (excursion.excursion_id() == id) return &excursion;
  }
  return nullptr;
}

// The container was too warm for longer than any policy of its lot allows in its life.
bool IsOverexposed(RuleContext& context, const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return false;
  const absl::StatusOr<std::int64_t> exposure = ComputeExposureMs(context.view(), *container);
  if (!exposure.ok()) {
    context.KeepError(exposure.status());
    return true;
  }
  const std::vector<PolicyRef> policies = PoliciesOfContainer(context, container_id);
  return std::any_of(policies.begin(), policies.end(), [&](const PolicyRef& policy) {
    const std::int64_t limit = policy.policy->storage().cumulated_above_action_max_ms();
    return limit > 0 && *exposure > limit;
  });
}

bool WasThere(const v1::ContainerState& container, const v1::ExcursionAssessed& body,
              const v1::ExcursionState& excursion) {
  const auto& stays = container.stays();
  return std::any_of(stays.begin(), stays.end(), [&](const v1::StayState& stay) {
    return stay.device_id() == body.device_id() && Intersects(stay, excursion);
  });
}

// One of the containers that the excursion concerns, of those that are known from their device.
bool ConcernsOverexposed(RuleContext& context, const v1::ExcursionAssessed& body,
                         const v1::ExcursionState& excursion) {
  if (const v1::ShipmentState* shipment = context.Shipment(body.shipment_id())) {
    const auto& ids = shipment->container_ids();
    return std::any_of(ids.begin(), ids.end(),
                       [&](const std::string& id) { return IsOverexposed(context, id); });
  }
  const v1::DeviceState* device = context.Device(body.device_id());
  if (device == nullptr) return false;
  const auto& ids = device->recent_container_ids();
  return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
    const v1::ContainerState* container = context.Container(id);
    return container != nullptr && WasThere(*container, body, excursion) &&
           IsOverexposed(context, id);
  });
}

void GuardAssessmentSignatures(RuleContext& context, const v1::ExcursionAssessed& body,
                               const v1::ExcursionState& excursion) {
  if (context.SignedByTwo(v1::ROLE_QUALITY_ASSURANCE, v1::ROLE_RELEASE_AUTHORITY)) return;
  const bool severe = excursion.excursion_class() == v1::EXCURSION_CLASS_CRITICAL ||
                      excursion.excursion_class() == v1::EXCURSION_CLASS_GAP_UNCOVERED;
  if (!severe && !ConcernsOverexposed(context, body, excursion)) return;
  context.Violate(
      {.code = v1::REASON_CODE_E_AUTHORITY,
       .message = absl::StrFormat("an excursion of class %s%s needs another person, the release "
                                  "authority, as well",
                                  EnumLabel(excursion.excursion_class()),
                                  severe ? "" : " of a container that was too warm for too long"),
       .detail = "REL",
       .remedy = "have the release authority sign the assessment too",
       .evidence = {excursion.detected_index()}});
}

void GuardAssessmentDecision(RuleContext& context, const v1::ExcursionAssessed& body,
                             const v1::ExcursionState& excursion) {
  if (excursion.assessed() && body.decision() <= excursion.decision()) {
    context.Violate({.code = v1::REASON_CODE_E_STATE,
                     .message = "the excursion is assessed already; only a stricter decision "
                                "can follow",
                     .evidence = {excursion.detected_index()}});
  }
  if (body.decision() == v1::EXCURSION_DECISION_UNSPECIFIED) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD, .message = "the decision is missing"});
  }
  const bool use_by = body.decision() == v1::EXCURSION_DECISION_USE_BY;
  if (use_by != (body.use_by_ms() > 0)) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .message = "use_by_ms belongs to the decision USE_BY and to no other"});
  }
  const bool lenient = body.decision() != v1::EXCURSION_DECISION_REJECT;
  if (lenient && excursion.excursion_class() != v1::EXCURSION_CLASS_ALERT &&
      body.evidence().sha256().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .message = "no evidence is named for going on with what was exposed",
                     .remedy = "name the stability data or the record of the second sensor"});
  }
}

// After the freezing nobody can tell the containers of a lot apart. Tissue is labelled by its
// donation.
void GuardLabelled(RuleContext& context, const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr || container->labelled() || container->batch_id().empty()) return;
  context.Violate({.code = v1::REASON_CODE_E_MISSING,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = "the container was frozen without a label on record (MFG-14)",
                   .detail = absl::StrFormat("label %s", ToHex(container_id)),
                   .subject = {v1::SUBJECT_KIND_CONTAINER, container_id}});
}

void GuardInspected(RuleContext& context, const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr || !container->receipt_pending()) return;
  context.Violate({.code = v1::REASON_CODE_E_MISSING,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = "stored before the shipment was inspected (SHP-07)",
                   .detail = absl::StrFormat("SHP-07 %s", ToHex(container_id)),
                   .subject = {v1::SUBJECT_KIND_CONTAINER, container_id}});
}

// What leaves for a patient must be released, or travel under quarantine statements.
void GuardRemovalForShipment(RuleContext& context, const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return;
  for (const std::string& id : container->shipment_ids()) {
    const v1::ShipmentState* shipment = context.Shipment(id);
    if (shipment != nullptr && shipment->phase() == v1::SHIPMENT_PHASE_AUTHORISED &&
        shipment->quarantine_statements()) {
      return;
    }
  }
  const v1::BatchState* lot = context.Batch(container->batch_id());
  const bool released = lot != nullptr && (lot->phase() == v1::BATCH_PHASE_RELEASED ||
                                           lot->phase() == v1::BATCH_PHASE_CONDITIONAL);
  if (released || container->batch_id().empty()) return;
  context.Violate({.code = v1::REASON_CODE_E_NOT_RELEASED,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = "taken out for shipment although the lot is not released",
                   .detail = ToHex(container_id),
                   .subject = {v1::SUBJECT_KIND_CONTAINER, container_id}});
}

}  // namespace

void GuardFrozen(RuleContext& context) {
  const v1::Frozen& body = context.event().frozen();
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kFrozen);
    GuardLabelled(context, id);
    for (const PolicyRef& policy : PoliciesOfContainer(context, id)) {
      const std::int64_t limit = policy.policy->storage().cryoprotectant_to_freeze_max_ms();
      if (limit <= 0 || body.since_cryoprotectant_ms() <= limit) continue;
      context.Violate({.code = v1::REASON_CODE_E_POLICY,
                       .severity = v1::SEVERITY_MAJOR,
                       .message = absl::StrFormat("%d ms from cryoprotectant to freezing, limit %d",
                                                  body.since_cryoprotectant_ms(), limit),
                       .detail = absl::StrFormat("cryoprotectant-to-freeze %s", ToHex(id))});
      break;
    }
  }
  GuardCalibration(context, body.freezer_device_id());
}

void GuardPlacedInStorage(RuleContext& context) {
  const v1::PlacedInStorage& body = context.event().placed_in_storage();
  context.RequireKnown(v1::SUBJECT_KIND_DEVICE, body.device_id());
  for (const v1::StoragePlace& place : body.places()) {
    GuardLife(context, place.container_id(), LifeTrigger::kPlaced);
    GuardInspected(context, place.container_id());
  }
  GuardUnjudgedReadings(context, body.device_id());
}

void GuardMoved(RuleContext& context) {
  const v1::Moved& body = context.event().moved();
  context.RequireKnown(v1::SUBJECT_KIND_DEVICE, body.device_id());
  for (const v1::StoragePlace& place : body.places()) {
    GuardLife(context, place.container_id(), LifeTrigger::kMoved);
  }
  GuardUnjudgedReadings(context, body.device_id());
}

void GuardTemperatureSeries(RuleContext& context) {
  const v1::TemperatureSeries& body = context.event().temperature_series();
  context.RequireKnown(v1::SUBJECT_KIND_DEVICE, body.device_id());
  if (body.device_id().size() != kDeviceIdBytes ||
      body.series_id() != SeriesIdOf(body.device_id(), body.started_at_ms())) {
    context.Violate({.code = v1::REASON_CODE_INCONSISTENT,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the series is not the one of the device and month",
                     .detail = "series_id"});
  }
  GuardCalibration(context, body.device_id());
  if (body.ended_at_ms() > context.recorded_at_ms() + FutureToleranceMs(context)) {
    context.Violate({.code = v1::REASON_CODE_TIME_FUTURE,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the readings end in the future; they count to the recording",
                     .detail = "ended_at_ms"});
  }
  const std::optional<TemperatureLimits> limits = LimitsOf(context, body.device_id());
  if (!limits.has_value()) {
    // Nothing is in there that a policy speaks about.
    context.Note(v1::REASON_CODE_E_POLICY_MISSING, v1::SEVERITY_INFO,
                 "no policy says what the limits of this device are");
    return;
  }
  Readings readings{.started_at_ms = body.started_at_ms(),
                    .ended_at_ms = body.ended_at_ms(),
                    .interval_ms = body.interval_ms(),
                    .maximum_millicelsius = body.maximum_millicelsius(),
                    .samples = body.samples(),
                    .previous_ended_at_ms = PreviousEnd(context, body),
                    .above = {body.above().begin(), body.above().end()},
                    .gaps = {body.gaps().begin(), body.gaps().end()}};
  // A series that leaves out its device still names it.
  const std::string device_id =
      body.device_id().empty() ? body.series_id().substr(0, kDeviceIdBytes) : body.device_id();
  ReportExcursions(context, JudgeSeries(readings, *limits), device_id, "");
}

void GuardExcursionDetected(RuleContext& context) {
  context.RequireKnown(v1::SUBJECT_KIND_DEVICE, context.event().excursion_detected().device_id());
}

void GuardExcursionAssessed(RuleContext& context) {
  const v1::ExcursionAssessed& body = context.event().excursion_assessed();
  const v1::ExcursionState* excursion = nullptr;
  if (const v1::DeviceState* device = context.Device(body.device_id())) {
    excursion = FindExcursion(device->excursions(), body.excursion_id());
  }
  if (excursion == nullptr) {
    context.Violate(
        {.code = v1::REASON_CODE_E_MISSING,
         .message = absl::StrFormat("the device has no excursion %s", ToHex(body.excursion_id())),
         .subject = {v1::SUBJECT_KIND_DEVICE, body.device_id()}});
    return;
  }
  if (excursion->shipment_id() != body.shipment_id()) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .message = "the assessment must name the shipment of the excursion"});
  }
  GuardAssessmentSignatures(context, body, *excursion);
  GuardAssessmentDecision(context, body, *excursion);
}

void GuardRemovedFromStorage(RuleContext& context) {
  const v1::RemovedFromStorage& body = context.event().removed_from_storage();
  if (body.purpose() == v1::REMOVAL_PURPOSE_UNSPECIFIED) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the purpose of the removal is missing",
                     .detail = "purpose"});
  }
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kRemoved);
    const v1::ContainerState* container = context.Container(id);
    if (body.purpose() == v1::REMOVAL_PURPOSE_SHIP) GuardRemovalForShipment(context, id);
    if (body.purpose() == v1::REMOVAL_PURPOSE_THAW && container != nullptr &&
        container->order_id().empty()) {
      context.Violate({.code = v1::REASON_CODE_E_ALLOCATION,
                       .severity = v1::SEVERITY_MAJOR,
                       .message = "taken out to be thawed without a reservation",
                       .detail = ToHex(id),
                       .subject = {v1::SUBJECT_KIND_CONTAINER, id}});
    }
  }
}

}  // namespace custody
