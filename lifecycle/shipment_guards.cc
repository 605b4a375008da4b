#include "lifecycle/shipment_guards.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/check_run.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::uint32_t kDecimalsMax = 9;

SubjectKey ShipmentKey(const std::string& id) { return {v1::SUBJECT_KIND_SHIPMENT, id}; }

// The shipment must be in one of these phases; returns nullptr if it is unknown.
const v1::ShipmentState* RequirePhase(RuleContext& context, const std::string& id,
                                      std::initializer_list<v1::ShipmentPhase> phases) {
  context.RequireKnown(v1::SUBJECT_KIND_SHIPMENT, id);
  const v1::ShipmentState* shipment = context.Shipment(id);
  if (shipment == nullptr) return nullptr;
  if (std::count(phases.begin(), phases.end(), shipment->phase()) == 0) {
    context.Violate({.code = v1::REASON_CODE_E_STATE,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = absl::StrFormat("the shipment is %s", EnumLabel(shipment->phase())),
                     .detail = EnumLabel(shipment->phase()),
                     .subject = ShipmentKey(id)});
  }
  return shipment;
}

template <typename Ids>
void RequireSameContainers(RuleContext& context, const v1::ShipmentState& shipment,
                           const Ids& ids) {
  if (SameIds(shipment.container_ids(), ids)) return;
  context.Violate({.code = v1::REASON_CODE_INCONSISTENT,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = "these are not the containers of the shipment",
                   .detail = "containers of the shipment"});
}

// validated hold >= factor x transit, exactly.
bool HoldSuffices(const v1::TransportPolicy& policy, std::int64_t hold_ms,
                  std::int64_t transit_ms) {
  if (hold_ms <= 0 || transit_ms <= 0) return false;
  absl::int128 scale = 1;
  for (std::uint32_t i = 0; i < std::min(policy.hold_factor_min().decimals(), kDecimalsMax); ++i) {
    scale *= 10;
  }
  return absl::int128(hold_ms) * scale >=
         absl::int128(transit_ms) * policy.hold_factor_min().coefficient();
}

void GuardHold(RuleContext& context, const std::vector<PolicyRef>& policies, std::int64_t hold_ms,
               std::int64_t transit_ms) {
  const bool suffices = std::all_of(policies.begin(), policies.end(), [&](const PolicyRef& one) {
    return HoldSuffices(one.policy->transport(), hold_ms, transit_ms);
  });
  if (suffices) return;
  context.Violate(
      {.code = v1::REASON_CODE_E_POLICY,
       .severity = v1::SEVERITY_MAJOR,
       .message = absl::StrFormat("validated hold of %d ms is too short for a transit of %d ms",
                                  hold_ms, transit_ms),
       .detail = "hold_factor_min"});
}

// Product and regime by which a set of containers travels; empty for tissue.
struct Scope {
  std::string product_id;
  v1::Regime regime = v1::REGIME_UNSPECIFIED;
};

template <typename Ids>
Scope ScopeOf(RuleContext& context, const std::string& order_id, const std::string& to_site_id,
              const Ids& ids) {
  Scope scope;
  if (const v1::OrderState* order = context.Order(order_id)) {
    return {order->product_id(), order->regime()};
  }
  const v1::BatchState* lot = nullptr;
  for (const std::string& id : ids) {
    const v1::ContainerState* container = context.Container(id);
    if (container != nullptr && lot == nullptr) lot = context.Batch(container->batch_id());
  }
  if (lot == nullptr) return scope;
  scope.product_id = lot->product_id();
  if (const v1::SiteState* site = context.Site(to_site_id)) {
    scope.regime = RegimeOfSite(*site, context.recorded_at_ms());
  }
  if (scope.regime == v1::REGIME_UNSPECIFIED && lot->release_regimes_size() > 0) {
    scope.regime = lot->release_regimes(0);
  }
  if (scope.regime == v1::REGIME_UNSPECIFIED && lot->regimes_size() > 0) {
    scope.regime = lot->regimes(0);
  }
  return scope;
}

bool IsTissue(RuleContext& context, const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  return container != nullptr && container->batch_id().empty();
}

// --- The receiving inspection.

void GuardInspectedContainers(RuleContext& context, const v1::ReceiptInspected& body,
                              const v1::ShipmentState& shipment) {
  std::vector<std::string> ids;
  v1::ReceiptDecision worst = v1::RECEIPT_DECISION_UNSPECIFIED;
  bool undecided = body.containers().empty();
  for (const v1::InspectedContainer& inspected : body.containers()) {
    ids.push_back(inspected.container_id());
    worst = std::max(worst, inspected.decision());
    undecided |= inspected.decision() == v1::RECEIPT_DECISION_UNSPECIFIED;
  }
  if (!SameIds(shipment.container_ids(), ids)) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .message = absl::StrFormat("%d containers were inspected, the shipment has %d",
                                                ids.size(), shipment.container_ids_size()),
                     .remedy = "inspect and scan every container of the shipment",
                     .subject = ShipmentKey(body.shipment_id())});
  }
  if (undecided || body.decision() != worst) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .message = "the decision must be the worst of those on the containers"});
  }
}

void GuardAcceptedJourney(RuleContext& context, const v1::ReceiptInspected& body,
                          const v1::ShipmentState& shipment) {
  const auto refuse = [&](v1::ReasonCode code, std::string message) {
    context.Violate({.code = code,
                     .message = std::move(message),
                     .remedy = "decide QUARANTINE instead of ACCEPT until it is resolved",
                     .subject = ShipmentKey(body.shipment_id())});
  };
  if (!shipment.logger_data_attached()) {
    refuse(v1::REASON_CODE_E_MISSING,
           "the record of each logger, in calibration, is not attached (SHP-06)");
  }
  if (body.temperature_ok() != v1::ANSWER_YES) {
    refuse(v1::REASON_CODE_E_POLICY, "the temperature is not found good");
  }
  if (body.seal_intact() != v1::ANSWER_YES) {
    refuse(v1::REASON_CODE_E_POLICY, "the seal is not found intact");
  }
  const std::int64_t travelled = shipment.delivered_at_ms() - shipment.relinquished_at_ms();
  if (shipment.relinquished_at_ms() == 0 || travelled < 0 ||
      travelled > shipment.validated_hold_ms()) {
    refuse(v1::REASON_CODE_E_POLICY,
           absl::StrFormat("the journey of %d ms is not within the validated hold of %d ms",
                           travelled, shipment.validated_hold_ms()));
  }
}

// Who inspects, and for which order; what comes back is for stock again.
struct Receiver {
  std::string site_id;
  std::string order_id;
};

Receiver ReceiverOf(const v1::ShipmentState& shipment) {
  if (shipment.phase() == v1::SHIPMENT_PHASE_RETURNED) return {shipment.from_site_id(), ""};
  return {shipment.to_site_id(), shipment.order_id()};
}

void GuardPlaceOfInspection(RuleContext& context, const Receiver& receiver) {
  if (context.event().site_id() == receiver.site_id) return;
  context.Violate({.code = v1::REASON_CODE_E_FIELD,
                   .message = absl::StrFormat(
                       "the inspection states another site than %s, where the shipment is",
                       ToHex(receiver.site_id)),
                   .subject = {v1::SUBJECT_KIND_SITE, receiver.site_id}});
}

// What is not accepted is only compared; a wrong label is a finding and no reason to refuse the
// quarantine.
void NoteWrongLabel(RuleContext& context, const v1::InspectedContainer& inspected) {
  const v1::ContainerState* container = context.Container(inspected.container_id());
  if (container == nullptr) return;
  const auto& keys = container->keys();
  if (std::count(keys.begin(), keys.end(), inspected.scanned_key()) > 0) return;
  context.Note(v1::REASON_CODE_E_CONTAINER_MISMATCH, v1::SEVERITY_MAJOR,
               ToHex(inspected.container_id()));
}

}  // namespace

void GuardShipmentAuthorised(RuleContext& context) {
  const v1::ShipmentAuthorised& body = context.event().shipment_authorised();
  context.RequireNew(v1::SUBJECT_KIND_SHIPMENT, body.shipment_id());
  context.RequireKnown(v1::SUBJECT_KIND_SITE, body.from_site_id());
  context.RequireKnown(v1::SUBJECT_KIND_SITE, body.to_site_id());
  const Scope scope = ScopeOf(context, body.order_id(), body.to_site_id(), body.container_ids());
  if (!scope.product_id.empty()) {
    std::vector<PolicyRef> policies = PoliciesOfContainers(context, body.container_ids());
    const std::optional<PolicyRef> policy = context.RequirePolicy(scope.product_id, scope.regime);
    if (policy.has_value()) policies.push_back(*policy);
    GuardHold(context, policies, body.validated_hold_ms(),
              body.planned_arrival_ms() - body.planned_departure_ms());
  }
  if (body.planned_arrival_ms() <= body.planned_departure_ms()) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .message = "the planned arrival is not after the planned departure"});
  }
  if (body.accompanying_records().sha256().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .message = "the accompanying records are not named (21 CFR 1271.55)"});
  }
  if (body.container_ids().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD, .message = "no container is named"});
    return;
  }
  CheckQuestion question;
  question.request.set_stage(v1::STAGE_SHIP);
  *question.request.mutable_container_ids() = body.container_ids();
  question.request.set_order_id(body.order_id());
  question.request.set_site_id(body.to_site_id());
  question.request.set_planned_arrival_ms(body.planned_arrival_ms());
  question.request.set_at_ms(context.recorded_at_ms());
  question.quarantine_statements = body.quarantine_statements();
  ViolateFailedChecks(context, std::move(question));
}

void GuardShipmentPrepared(RuleContext& context) {
  const v1::ShipmentPrepared& body = context.event().shipment_prepared();
  const v1::ShipmentState* shipment = context.Shipment(body.shipment_id());
  const bool tissue = std::all_of(body.container_ids().begin(), body.container_ids().end(),
                                  [&](const std::string& id) { return IsTissue(context, id); });
  const bool authorised = shipment != nullptr &&
                          shipment->phase() == v1::SHIPMENT_PHASE_AUTHORISED &&
                          SameIds(shipment->container_ids(), body.container_ids());
  if (!authorised && !tissue) {
    context.Violate({.code = v1::REASON_CODE_E_NOT_AUTHORISED,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "no authorisation (SHP-00) covers these containers",
                     .detail = "SHP-00",
                     .subject = ShipmentKey(body.shipment_id())});
  }
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kPacked);
  }
  if (body.container_ids().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "no container is named",
                     .detail = "container_ids"});
  }
  for (const std::string& id : body.logger_device_ids()) GuardCalibration(context, id);
  if (body.logger_device_ids().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .severity = v1::SEVERITY_MINOR,
                     .message = "no logger travels with the shipment",
                     .detail = "logger"});
  }
  GuardHold(context, PoliciesOfContainers(context, body.container_ids()), body.validated_hold_ms(),
            body.planned_transit_ms());
}

void GuardRelinquished(RuleContext& context) {
  const v1::Relinquished& body = context.event().relinquished();
  const v1::ShipmentState* shipment =
      RequirePhase(context, body.shipment_id(), {v1::SHIPMENT_PHASE_PREPARED});
  if (shipment == nullptr) return;
  RequireSameContainers(context, *shipment, body.container_ids());
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kRelinquished);
  }
  if (!SameIds(shipment->seals(), body.seals())) {
    context.Violate({.code = v1::REASON_CODE_INCONSISTENT,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the seals are not those of the packing",
                     .detail = "seals"});
  }
}

void GuardCustodyAccepted(RuleContext& context) {
  const v1::CustodyAccepted& body = context.event().custody_accepted();
  const v1::ShipmentState* shipment =
      RequirePhase(context, body.shipment_id(), {v1::SHIPMENT_PHASE_RELINQUISHED});
  if (shipment == nullptr) return;
  RequireSameContainers(context, *shipment, body.container_ids());
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kCustodyAccepted);
  }
  std::int64_t longest = 0;
  for (const PolicyRef& policy : PoliciesOfContainers(context, body.container_ids())) {
    const std::int64_t allowed = policy.policy->transport().custody_gap_max_ms();
    longest = longest == 0 ? allowed : std::min(longest, allowed);
  }
  const std::int64_t gap = body.accepted_at_ms() - shipment->relinquished_at_ms();
  const bool unattended = longest > 0 && gap > longest;
  if (shipment->relinquished_at_ms() == 0 || gap < 0 || unattended) {
    context.Violate({.code = v1::REASON_CODE_CUSTODY_GAP,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = absl::StrFormat("%d ms between handing over and taking over", gap),
                     .detail = absl::StrFormat("%d ms", gap)});
  }
  if (body.seal_intact() == v1::ANSWER_NO) {
    context.Violate({.code = v1::REASON_CODE_CUSTODY_GAP,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the seal is broken",
                     .detail = "seal"});
  }
}

void GuardCustodyTransferred(RuleContext& context) {
  const v1::CustodyTransferred& body = context.event().custody_transferred();
  RequirePhase(context, body.shipment_id(), {v1::SHIPMENT_PHASE_IN_TRANSIT});
  if (body.seal_intact() == v1::ANSWER_NO) {
    context.Violate({.code = v1::REASON_CODE_CUSTODY_GAP,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the seal is broken",
                     .detail = "seal"});
  }
}

void GuardDelivered(RuleContext& context) {
  const v1::Delivered& body = context.event().delivered();
  const v1::ShipmentState* shipment =
      RequirePhase(context, body.shipment_id(), {v1::SHIPMENT_PHASE_IN_TRANSIT});
  if (shipment == nullptr) return;
  RequireSameContainers(context, *shipment, body.container_ids());
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kDelivered);
  }
}

void GuardLoggerDataAttached(RuleContext& context) {
  const v1::LoggerDataAttached& body = context.event().logger_data_attached();
  context.RequireKnown(v1::SUBJECT_KIND_SHIPMENT, body.shipment_id());
  GuardCalibration(context, body.logger_device_id());
  const v1::ShipmentState* shipment = context.Shipment(body.shipment_id());
  if (shipment == nullptr) return;
  if (shipment->delivered_at_ms() == 0) {
    context.Note(v1::REASON_CODE_TEMPERATURE_GAP, v1::SEVERITY_INFO,
                 "the journey is not over; the record counts when it is attached after delivery");
  }
  const auto& loggers = shipment->logger_device_ids();
  if (std::count(loggers.begin(), loggers.end(), body.logger_device_id()) == 0) {
    context.Violate({.code = v1::REASON_CODE_INCONSISTENT,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the logger did not travel with this shipment",
                     .detail = ToHex(body.logger_device_id())});
  }
  const std::vector<PolicyRef> policies = PoliciesOfContainers(context, shipment->container_ids());
  if (policies.empty()) {
    context.Note(v1::REASON_CODE_E_POLICY_MISSING, v1::SEVERITY_INFO,
                 "no policy says what the limits of this journey are");
    return;
  }
  TemperatureLimits limits = TransportLimits(*policies.front().policy);
  for (const PolicyRef& policy : policies) {
    limits = Strictest(limits, TransportLimits(*policy.policy));
  }
  Readings readings{.started_at_ms = body.started_at_ms(),
                    .ended_at_ms = body.ended_at_ms(),
                    .interval_ms = body.interval_ms(),
                    .maximum_millicelsius = body.maximum_millicelsius(),
                    .samples = body.samples()};
  for (const v1::LoggerReading& reading : body.above()) {
    v1::TemperatureReading& above = readings.above.emplace_back();
    above.set_at_ms(reading.at_ms());
    above.set_millicelsius(reading.millicelsius());
  }
  const auto add_gap = [&readings](std::int64_t from_ms, std::int64_t to_ms, bool covered) {
    v1::SeriesGap& gap = readings.gaps.emplace_back();
    gap.set_started_at_ms(from_ms);
    gap.set_ended_at_ms(to_ms);
    gap.set_covered(covered);
  };
  for (const v1::LoggerGap& gap : body.gaps()) {
    add_gap(gap.started_at_ms(), gap.ended_at_ms(), gap.covered());
  }
  // The record must cover the journey from end to end.
  readings.previous_ended_at_ms = shipment->relinquished_at_ms();
  SeriesJudgement judgement = JudgeSeries(readings, limits);
  const std::int64_t uncovered = shipment->delivered_at_ms() - body.ended_at_ms();
  if (uncovered > LongestGapMs(body.interval_ms(), limits)) {
    judgement.excursions.push_back({.excursion_class = v1::EXCURSION_CLASS_GAP_UNCOVERED,
                                    .started_at_ms = body.ended_at_ms(),
                                    .ended_at_ms = shipment->delivered_at_ms()});
  }
  ReportExcursions(context, judgement, body.logger_device_id(), body.shipment_id());
}

void GuardReceiptInspected(RuleContext& context) {
  const v1::ReceiptInspected& body = context.event().receipt_inspected();
  const v1::ShipmentState* shipment = RequirePhase(
      context, body.shipment_id(),
      {v1::SHIPMENT_PHASE_DELIVERED, v1::SHIPMENT_PHASE_QUARANTINED, v1::SHIPMENT_PHASE_RETURNED});
  if (shipment == nullptr) return;
  GuardInspectedContainers(context, body, *shipment);
  const Receiver receiver = ReceiverOf(*shipment);
  GuardPlaceOfInspection(context, receiver);
  const Scope scope =
      ScopeOf(context, receiver.order_id, receiver.site_id, shipment->container_ids());
  if (!scope.product_id.empty()) context.RequirePolicy(scope.product_id, scope.regime);

  CheckQuestion question;
  question.request.set_stage(v1::STAGE_RECEIVE);
  question.request.set_order_id(receiver.order_id);
  question.request.set_site_id(receiver.site_id);
  question.request.set_at_ms(context.recorded_at_ms());
  for (const v1::InspectedContainer& inspected : body.containers()) {
    if (inspected.decision() == v1::RECEIPT_DECISION_ACCEPT) {
      question.request.add_container_ids(inspected.container_id());
      question.request.add_scanned_keys(inspected.scanned_key());
    } else {
      NoteWrongLabel(context, inspected);
    }
  }
  if (question.request.container_ids().empty()) return;
  GuardAcceptedJourney(context, body, *shipment);
  ViolateFailedChecks(context, std::move(question));
}

void GuardShipmentEnded(RuleContext& context) {
  const v1::ShipmentEnded& body = context.event().shipment_ended();
  const v1::ShipmentState* shipment = RequirePhase(
      context, body.shipment_id(),
      {v1::SHIPMENT_PHASE_PREPARED, v1::SHIPMENT_PHASE_RELINQUISHED, v1::SHIPMENT_PHASE_IN_TRANSIT,
       v1::SHIPMENT_PHASE_DELIVERED, v1::SHIPMENT_PHASE_QUARANTINED, v1::SHIPMENT_PHASE_REJECTED});
  if (shipment == nullptr) return;
  RequireSameContainers(context, *shipment, body.container_ids());
  if (body.end() == v1::SHIPMENT_END_UNSPECIFIED) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "how the shipment ended is missing",
                     .detail = "end"});
  }
  const LifeTrigger trigger = body.end() == v1::SHIPMENT_END_LOST        ? LifeTrigger::kLost
                              : body.end() == v1::SHIPMENT_END_DESTROYED ? LifeTrigger::kDestroyed
                                                                         : LifeTrigger::kReturned;
  for (const std::string& id : body.container_ids()) GuardLife(context, id, trigger);
}

}  // namespace custody
