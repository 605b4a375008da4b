#include "lifecycle/container_rules.h"

#include <set>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::size_t kIdBytes = 16;

v1::Severity SeverityOf(v1::ExcursionClass excursion_class) {
  switch (excursion_class) {
    case v1::EXCURSION_CLASS_ALERT:
    case v1::EXCURSION_CLASS_GAP_COVERED:
      return v1::SEVERITY_MINOR;
    default:
      return v1::SEVERITY_MAJOR;
  }
}

bool IsGap(v1::ExcursionClass excursion_class) {
  return excursion_class == v1::EXCURSION_CLASS_GAP_COVERED ||
         excursion_class == v1::EXCURSION_CLASS_GAP_UNCOVERED;
}

// Back in a storage device, what was thawed freezes again. A fresh product that was prepared never
// was.
LifeStep StepOf(const v1::ContainerState& container, LifeTrigger trigger) {
  const v1::ContainerLife life = container.life();
  const bool thawed = container.thawed_recorded_at_ms() > 0 || life == v1::CONTAINER_LIFE_THAWING ||
                      life == v1::CONTAINER_LIFE_THAWED ||
                      life == v1::CONTAINER_LIFE_THAWED_UNUSABLE;
  const bool placed = trigger == LifeTrigger::kPlaced || trigger == LifeTrigger::kMoved;
  const bool refrozen = placed && thawed && !IsConsumed(life) && !IsFinal(life);
  return NextLife(life, refrozen ? LifeTrigger::kFrozen : trigger);
}

}  // namespace

bool IsFreshProduct(RuleContext& context, const v1::ContainerState& container) {
  const v1::BatchState* lot = context.Batch(container.batch_id());
  if (lot == nullptr) return false;
  const v1::ProductState* product = context.Product(lot->product_id());
  return product != nullptr && product->presentation() == v1::PRESENTATION_FRESH;
}

void GuardLife(RuleContext& context, const std::string& container_id, LifeTrigger trigger) {
  context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, container_id);
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return;
  const LifeStep step = StepOf(*container, trigger);
  const SubjectKey key{v1::SUBJECT_KIND_CONTAINER, container_id};
  if (step.code != v1::REASON_CODE_UNSPECIFIED) {
    context.Violate(
        {.code = step.code,
         .severity = step.severity,
         .message = absl::StrFormat("%s is %s", Describe(key), EnumLabel(container->life())),
         .detail = absl::StrFormat("%s %s", ToHex(container_id), EnumLabel(container->life())),
         .subject = key});
  } else if (step.fresh_only && !IsFreshProduct(context, *container)) {
    context.Violate({.code = v1::REASON_CODE_E_STATE,
                     .severity = IsConsumed(step.to) ? v1::SEVERITY_CRITICAL : v1::SEVERITY_MAJOR,
                     .message = absl::StrFormat("%s is %s; this needs a product presented fresh",
                                                Describe(key), EnumLabel(container->life())),
                     .detail = absl::StrFormat("%s not fresh", ToHex(container_id)),
                     .subject = key});
  }
}

void GuardCalibration(RuleContext& context, const std::string& device_id) {
  if (device_id.empty()) return;
  const SubjectKey key{v1::SUBJECT_KIND_DEVICE, device_id};
  const v1::DeviceState* device = context.Device(device_id);
  bool calibrated = false;
  if (device != nullptr) {
    for (const v1::CalibrationState& calibration : device->calibrations()) {
      calibrated |= calibration.calibrated_at_ms() <= context.occurred_at_ms() &&
                    context.occurred_at_ms() < calibration.valid_to_ms();
    }
  }
  if (calibrated) return;
  context.Violate({.code = v1::REASON_CODE_DEVICE_OUT_OF_CAL,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = absl::StrFormat("%s has no valid calibration", Describe(key)),
                   .detail = ToHex(device_id),
                   .subject = key});
}

std::vector<PolicyRef> PoliciesOfContainer(RuleContext& context, const std::string& container_id) {
  std::vector<PolicyRef> policies;
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return policies;
  std::string product_id;
  std::vector<int> regimes;
  if (const v1::BatchState* lot = context.Batch(container->batch_id())) {
    product_id = lot->product_id();
    regimes.assign(lot->regimes().begin(), lot->regimes().end());
    for (const int regime : lot->release_regimes()) regimes.push_back(regime);
  } else if (const v1::DonationState* donation = context.Donation(container->donation_id())) {
    product_id = donation->product_id();
    regimes.assign(donation->regimes().begin(), donation->regimes().end());
  }
  std::sort(regimes.begin(), regimes.end());
  regimes.erase(std::unique(regimes.begin(), regimes.end()), regimes.end());
  if (product_id.empty()) return policies;
  for (const int regime : regimes) {
    const std::optional<PolicyRef> policy =
        context.PolicyFor(product_id, static_cast<v1::Regime>(regime));
    if (policy.has_value()) policies.push_back(*policy);
  }
  return policies;
}

std::vector<PolicyRef> PoliciesOfContainers(
    RuleContext& context, const google::protobuf::RepeatedPtrField<std::string>& container_ids) {
  std::vector<PolicyRef> policies;
  std::set<std::string> origins;
  std::set<std::string> hashes;
  for (const std::string& id : container_ids) {
    const v1::ContainerState* container = context.Container(id);
    // Containers of one lot have the same policies.
    if (container == nullptr) continue;
    if (!origins.insert(container->batch_id() + container->donation_id()).second) continue;
    for (const PolicyRef& policy : PoliciesOfContainer(context, id)) {
      if (hashes.insert(policy.hash).second) policies.push_back(policy);
    }
  }
  return policies;
}

std::string DerivedId(const RuleContext& context, std::string_view word, std::uint32_t ordinal) {
  std::string number;
  AppendBigEndian32(ordinal, &number);
  Sha256Hasher hasher;
  hasher.Update(context.parsed().digest).Update(word).Update(number);
  const Digest digest = hasher.Finish();
  return std::string(digest.view().substr(0, kIdBytes));
}

void ReportExcursions(RuleContext& context, const SeriesJudgement& judgement,
                      const std::string& device_id, const std::string& shipment_id) {
  std::uint32_t ordinal = 0;
  for (const DetectedExcursion& found : judgement.excursions) {
    context.Note(
        IsGap(found.excursion_class) ? v1::REASON_CODE_TEMPERATURE_GAP
                                     : v1::REASON_CODE_TEMPERATURE_EXCURSION,
        SeverityOf(found.excursion_class),
        absl::StrFormat("%s, peak %d", EnumLabel(found.excursion_class), found.peak_millicelsius));
    v1::Event event;
    v1::ExcursionDetected* body = event.mutable_excursion_detected();
    body->set_excursion_id(DerivedId(context, "excursion", ordinal++));
    body->set_device_id(device_id);
    body->set_shipment_id(shipment_id);
    const std::string_view digest = context.parsed().digest.view();
    body->set_trigger(digest.data(), digest.size());
    body->set_excursion_class(found.excursion_class);
    body->set_limit_millicelsius(found.limit_millicelsius);
    body->set_started_at_ms(found.started_at_ms);
    body->set_ended_at_ms(found.ended_at_ms);
    body->set_peak_millicelsius(found.peak_millicelsius);
    context.Consequence(std::move(event));
  }
  if (judgement.sensor_suspect) {
    context.Note(v1::REASON_CODE_SENSOR_SUSPECT, v1::SEVERITY_MAJOR, ToHex(device_id));
  }
  if (judgement.inconsistent) {
    context.Note(v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
                 "the summary of the series contradicts its readings");
  }
  if (judgement.interval_too_long) {
    context.Note(v1::REASON_CODE_TEMPERATURE_GAP, v1::SEVERITY_MINOR,
                 "readings are further apart than the policy allows");
  }
}

bool FoundHere(const FoldInput& input, v1::ReasonCode code) {
  const std::string id = ToHex(input.subject.id);
  return std::any_of(input.findings.begin(), input.findings.end(), [&](const v1::Finding& finding) {
    return finding.code() == code &&
           (finding.detail().empty() || finding.detail().find(id) != std::string::npos);
  });
}

void FoldLife(const FoldInput& input, LifeTrigger trigger, v1::ContainerState* container) {
  const LifeStep step = StepOf(*container, trigger);
  const bool adverse = IsAdverse(step.to);
  if (step.discard_required && input.adverse()) container->set_discard_required(true);
  if (step.fresh_only && !adverse && FoundHere(input, v1::REASON_CODE_E_STATE)) return;
  // What waited and does not fit any more happened before what brought the container here.
  const bool outdated =
      input.standing == Standing::kFavourableOnly && step.code != v1::REASON_CODE_UNSPECIFIED;
  if (outdated) return;
  if (adverse ? input.adverse() : input.favourable()) container->set_life(step.to);
}

void CloseStays(const FoldInput& input, v1::ContainerState* container) {
  if (!input.favourable()) return;
  const std::int64_t at_ms = input.event.event.occurred_at().utc_ms();
  for (v1::StayState& stay : *container->mutable_stays()) {
    // A stay that began at this very moment is the one that this event opened before.
    if (stay.to_ms() == 0 && stay.from_ms() < at_ms) stay.set_to_ms(at_ms);
  }
}

void OpenStay(const FoldInput& input, const std::string& device_id, const std::string& position,
              v1::ContainerState* container) {
  if (device_id.empty()) return;
  const std::int64_t from_ms = input.event.event.occurred_at().utc_ms();
  if (!input.adverse()) {
    // Attested: what was doubtful until now is the stay.
    for (v1::StayState& stay : *container->mutable_stays()) {
      if (stay.device_id() == device_id && stay.from_ms() == from_ms) stay.clear_doubtful();
    }
    return;
  }
  v1::StayState* stay = container->add_stays();
  stay->set_device_id(device_id);
  stay->set_from_ms(from_ms);
  stay->set_position(position);
  stay->set_doubtful(!input.favourable());
}

void AddOnce(google::protobuf::RepeatedPtrField<std::string>* list, const std::string& id) {
  if (id.empty() || std::count(list->begin(), list->end(), id) > 0) return;
  *list->Add() = id;
}

}  // namespace custody
