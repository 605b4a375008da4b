// Guards of administration and what follows (CLN-11 to CLN-13, CLN-15).

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "base/bytes.h"
#include "lifecycle/check_run.h"
#include "lifecycle/clinical_guards.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }
SubjectKey OrderKey(const std::string& id) { return {v1::SUBJECT_KIND_ORDER, id}; }

// When it began: not later than it was recorded.
std::int64_t StartedAtMs(const RuleContext& context) {
  return std::min(context.occurred_at_ms(), context.recorded_at_ms());
}

void GuardPatient(RuleContext& context, const std::string& order_id,
                  const std::string& patient_id) {
  context.RequireKnown(v1::SUBJECT_KIND_ORDER, order_id);
  context.RequireKnown(v1::SUBJECT_KIND_PATIENT, patient_id);
  const v1::OrderState* order = context.Order(order_id);
  if (order == nullptr || order->patient_id() == patient_id) return;
  context.Violate(
      {.code = v1::REASON_CODE_E_PATIENT_MISMATCH,
       .severity = v1::SEVERITY_CRITICAL,
       .message = absl::StrFormat("patient %s is not the patient of the order", ToHex(patient_id)),
       .detail = ToHex(patient_id),
       .subject = OrderKey(order_id)});
}

const v1::AuthorisationState* FindAuthorisation(const v1::OrderState& order,
                                                const std::string& digest) {
  for (const v1::AuthorisationState& authorisation : order.authorisations()) {
    if (authorisation.event_digest() == digest) return &authorisation;
  }
  return nullptr;
}

// Why an authorisation does not cover the start; empty when it does.
std::string WhyNotCovered(RuleContext& context, const v1::AuthorisationState* authorisation,
                          const v1::AdministrationStarted& body) {
  if (authorisation == nullptr) return "no such authorisation of this order";
  if (authorisation->used()) return "the authorisation was used already";
  if (!SameIds(authorisation->container_ids(), body.container_ids())) {
    return "the authorisation is for other containers";
  }
  if (authorisation->site_id() != context.event().site_id()) {
    return "the authorisation is for another site";
  }
  const absl::StatusOr<std::optional<PolicyRef>> policy =
      FindPolicyByHash(context.view(), authorisation->policy_hash());
  if (!policy.ok()) {
    context.KeepError(policy.status());
    return "the policy of the authorisation cannot be read";
  }
  const std::int64_t valid =
      policy->has_value() ? (*policy)->policy->clinical().authorisation_valid_ms() : 0;
  const std::int64_t started = StartedAtMs(context);
  if (started < authorisation->valid_from_ms() ||
      started > authorisation->valid_from_ms() + valid) {
    return absl::StrFormat("the authorisation was valid from %s for %d ms, the start is %s",
                           DescribeInstant(authorisation->valid_from_ms(), ""), valid,
                           DescribeInstant(started, ""));
  }
  return "";
}

void GuardAuthorisation(RuleContext& context, const v1::AdministrationStarted& body) {
  const v1::OrderState* order = context.Order(body.order_id());
  const v1::AuthorisationState* authorisation =
      order == nullptr ? nullptr : FindAuthorisation(*order, body.authorisation());
  const std::string why = WhyNotCovered(context, authorisation, body);
  if (why.empty()) return;
  context.Violate({.code = v1::REASON_CODE_E_NOT_AUTHORISED,
                   .severity = v1::SEVERITY_CRITICAL,
                   .message = why,
                   .detail = "CLN-06",
                   .evidence = authorisation == nullptr
                                   ? std::vector<std::uint64_t>{}
                                   : std::vector<std::uint64_t>{authorisation->index()},
                   .subject = OrderKey(body.order_id())});
}

void GuardRoute(RuleContext& context, const v1::AdministrationStarted& body) {
  const v1::OrderState* order = context.Order(body.order_id());
  if (order == nullptr || order->route() == body.route()) return;
  context.Violate({.code = v1::REASON_CODE_E_MATCH,
                   .severity = v1::SEVERITY_CRITICAL,
                   .message = absl::StrFormat("given %s, ordered is %s", EnumLabel(body.route()),
                                              EnumLabel(order->route())),
                   .detail = absl::StrFormat("ROUTE %s", EnumLabel(body.route())),
                   .subject = OrderKey(body.order_id())});
}

void GuardAllocated(RuleContext& context, const std::string& container_id,
                    const std::string& order_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return;
  const AllocationStep step = NextAllocation(container->allocation(), AllocationTrigger::kConsumed);
  const bool ours = container->order_id() == order_id;
  if (step.code == v1::REASON_CODE_UNSPECIFIED && ours) return;
  context.Violate(
      {.code = step.code == v1::REASON_CODE_UNSPECIFIED ? v1::REASON_CODE_E_ALLOCATION : step.code,
       .severity = v1::SEVERITY_CRITICAL,
       .message = "the container is not matched to this order",
       .detail = ToHex(container_id),
       .subject = ContainerKey(container_id)});
}

// Returns whether it had expired.
bool GuardExpiry(RuleContext& context, const std::string& container_id, std::int64_t started_ms,
                 const absl::StatusOr<std::int64_t>& expiry) {
  if (!expiry.ok()) {
    context.KeepError(expiry.status());
    return false;
  }
  const bool expired = *expiry > 0 && started_ms >= *expiry;
  if (expired) {
    context.Violate(
        {.code = v1::REASON_CODE_E_EXPIRED,
         .severity = v1::SEVERITY_CRITICAL,
         .message = absl::StrFormat("expired %s, started %s", DescribeInstant(*expiry, ""),
                                    DescribeInstant(started_ms, "")),
         .detail = ToHex(container_id),
         .subject = ContainerKey(container_id)});
  }
  return expired;
}

// What changed since the authorisation: a hold, an expiry.
void GuardStillGood(RuleContext& context, const std::string& container_id,
                    const std::string& order_id) {
  const v1::OrderState* order = context.Order(order_id);
  if (order == nullptr || context.Container(container_id) == nullptr) return;
  const absl::StatusOr<EffectiveQuality> quality = ComputeEffectiveQuality(
      context.view(), container_id, order->regime(), context.recorded_at_ms());
  if (!quality.ok()) {
    context.KeepError(quality.status());
    return;
  }
  if (quality->quality > v1::QUALITY_CONDITIONAL) {
    const Blocker& worst = quality->blockers.front();
    context.Violate(
        {.code = worst.code,
         .severity = v1::SEVERITY_CRITICAL,
         .message = absl::StrFormat("given although %s: %s", Describe(worst.subject), worst.detail),
         .detail = ToHex(container_id),
         .evidence = worst.evidence,
         .subject = ContainerKey(container_id)});
  }
  const std::optional<PolicyRef> policy = context.PolicyFor(order->product_id(), order->regime());
  if (!policy.has_value()) return;
  const bool expired =
      GuardExpiry(context, container_id, StartedAtMs(context),
                  ComputeEffectiveExpiryMs(context.view(), container_id, *policy->policy));
  if (expired) return;
  // The clock after thaw is the ledger's, at its start and at its end.
  GuardExpiry(context, container_id, context.recorded_at_ms(),
              ComputePostThawExpiryMs(context.view(), container_id, *policy->policy));
}

// The keys next to this one in the numbering of divisions: "...0000B0" has "...0000A0" and
// "...0000C0".
std::vector<std::string> AdjacentKeys(const std::string& key) {
  std::vector<std::string> keys;
  if (!key.starts_with("isbt:")) return keys;
  const std::size_t last = key.find_last_not_of('0');
  if (last == std::string::npos || key.size() - last > 2) return keys;
  for (const int step : {-1, 1}) {
    const char next = static_cast<char>(key[last] + step);
    const auto same_class = [&](char low, char high) {
      return key[last] >= low && key[last] <= high && next >= low && next <= high;
    };
    if (!same_class('A', 'Z') && !same_class('a', 'z') && !same_class('0', '9')) continue;
    std::string adjacent = key;
    adjacent[last] = next;
    keys.push_back(std::move(adjacent));
  }
  return keys;
}

// Containers whose label differs in one step: the likely other half of a mix-up.
std::vector<SubjectKey> Suspects(RuleContext& context, const v1::ContainerState& container) {
  std::vector<SubjectKey> suspects;
  for (const std::string& key : container.keys()) {
    for (const std::string& adjacent : AdjacentKeys(key)) {
      const v1::IdentifierState* identifier = context.Identifier(adjacent);
      if (identifier == nullptr) continue;
      for (const v1::SubjectRef& ref : identifier->bound()) {
        if (ref.kind() == v1::SUBJECT_KIND_CONTAINER) suspects.push_back(KeyOf(ref));
      }
    }
  }
  return suspects;
}

// The same container given twice: which physical unit was it? The lot is held at every site, and a
// case names both orders and the neighbours.
void ReportSecondUse(RuleContext& context, const std::string& container_id,
                     const std::string& order_id, std::uint32_t ordinal) {
  const v1::ContainerState* container = context.Container(container_id);
  const std::string_view digest = context.parsed().digest.view();
  if (!container->batch_id().empty()) {
    v1::Event hold;
    v1::HoldPlaced* body = hold.mutable_hold_placed();
    body->set_hold_id(DerivedId(context, "hold", ordinal));
    *body->mutable_scope() =
        RefOf({v1::SUBJECT_KIND_BATCH, container->batch_id()}, v1::SUBJECT_ROLE_SCOPE);
    body->set_hold_reason_code("IDENTITY_UNCERTAIN");
    body->set_authority(v1::HOLD_AUTHORITY_SYSTEM);
    body->set_trigger(digest.data(), digest.size());
    context.Consequence(std::move(hold));
  }
  v1::Event event;
  v1::CaseOpened* body = event.mutable_case_opened();
  body->set_case_id(DerivedId(context, "case", ordinal));
  body->set_kind(v1::CASE_KIND_IDENTITY);
  body->set_severity(v1::SEVERITY_CRITICAL);
  body->set_trigger(digest.data(), digest.size());
  body->add_codes("E_AFTER_FINAL");
  std::vector<SubjectKey> scope{ContainerKey(container_id)};
  if (!order_id.empty()) scope.push_back(OrderKey(order_id));
  if (!container->order_id().empty()) scope.push_back(OrderKey(container->order_id()));
  for (const SubjectKey& suspect : Suspects(context, *container)) scope.push_back(suspect);
  std::vector<SubjectKey> named;
  for (const SubjectKey& key : scope) {
    if (std::count(named.begin(), named.end(), key) > 0) continue;
    named.push_back(key);
    *body->add_scope() = RefOf(key, v1::SUBJECT_ROLE_SCOPE);
  }
  context.Consequence(std::move(event));
}

// The first report of how much was given, when the rest is in the bin already.
bool IsEndAfterDiscard(const v1::ContainerState& container, const std::string& order_id) {
  return container.life() == v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL &&
         container.order_id() == order_id && container.volume_given_ul() == 0;
}

void GuardGivenVolume(RuleContext& context, const v1::AdministrationEnded& body,
                      const v1::GivenContainer& given) {
  const v1::ContainerState* container = context.Container(given.container_id());
  if (container == nullptr) return;
  const std::uint64_t volume = std::max(container->prepared_volume_ul(), container->volume_ul());
  const v1::OrderState* order = context.Order(body.order_id());
  const std::optional<PolicyRef> policy =
      order == nullptr ? std::nullopt : context.PolicyFor(order->product_id(), order->regime());
  const std::uint64_t least =
      policy.has_value() ? policy->policy->clinical().complete_percent_min() : 0;
  const std::uint64_t percent = static_cast<std::uint64_t>(given.volume_given_ul()) * 100;
  const bool completed = body.outcome() == v1::ADMINISTRATION_OUTCOME_COMPLETED;
  if (percent > volume * 100 || (completed && percent < volume * least)) {
    context.Violate({.code = v1::REASON_CODE_E_AMOUNT,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = absl::StrFormat("%d uL given of %d uL, complete is %d percent",
                                                given.volume_given_ul(), volume, least),
                     .detail = absl::StrFormat("%s %d of %d uL", ToHex(given.container_id()),
                                               given.volume_given_ul(), volume),
                     .subject = ContainerKey(given.container_id())});
  }
}

}  // namespace

bool IsDate(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  absl::CivilDay day;
  return absl::ParseCivilTime(text, &day);  // There is such a day.
}

void GuardAdministrationStarted(RuleContext& context) {
  const v1::AdministrationStarted& body = context.event().administration_started();
  GuardPatient(context, body.order_id(), body.patient_id());
  GuardAuthorisation(context, body);
  GuardRoute(context, body);
  std::uint32_t ordinal = 0;
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kAdministrationStarted);
    GuardAllocated(context, id, body.order_id());
    GuardStillGood(context, id, body.order_id());
    const v1::ContainerState* container = context.Container(id);
    const bool again =
        container != nullptr && (IsConsumed(container->life()) || IsFinal(container->life()));
    if (again) ReportSecondUse(context, id, body.order_id(), ordinal++);
  }
}

void GuardAdministrationEnded(RuleContext& context) {
  const v1::AdministrationEnded& body = context.event().administration_ended();
  GuardPatient(context, body.order_id(), body.patient_id());
  const LifeTrigger trigger = body.outcome() == v1::ADMINISTRATION_OUTCOME_COMPLETED
                                  ? LifeTrigger::kAdministrationCompleted
                                  : LifeTrigger::kAdministrationInterrupted;
  std::uint32_t ordinal = 0;
  for (const v1::GivenContainer& given : body.containers()) {
    GuardGivenVolume(context, body, given);
    const v1::ContainerState* container = context.Container(given.container_id());
    if (container != nullptr && IsEndAfterDiscard(*container, body.order_id())) {
      context.Violate({.code = v1::REASON_CODE_E_AFTER_FINAL,
                       .severity = v1::SEVERITY_MINOR,
                       .message = "the rest was discarded before the end was recorded",
                       .detail = ToHex(given.container_id()),
                       .subject = ContainerKey(given.container_id())});
      continue;
    }
    GuardLife(context, given.container_id(), trigger);
    if (container == nullptr) continue;
    // An end for another order, or after the end: the second clinic reports late and only this.
    const bool other_order = container->allocation() == v1::CONTAINER_ALLOCATION_CONSUMED &&
                             container->order_id() != body.order_id();
    if (IsFinal(container->life()) || other_order) {
      ReportSecondUse(context, given.container_id(), body.order_id(), ordinal++);
    }
  }
}

void GuardContainerDiscarded(RuleContext& context) {
  const v1::ContainerDiscarded& body = context.event().container_discarded();
  const LifeTrigger trigger =
      body.residual_only() ? LifeTrigger::kResidualDiscarded : LifeTrigger::kDiscarded;
  for (const std::string& id : body.container_ids()) GuardLife(context, id, trigger);
}

void GuardFollowUpRecorded(RuleContext& context) {
  const v1::FollowUpRecorded& body = context.event().follow_up_recorded();
  GuardPatient(context, body.order_id(), body.patient_id());
  const v1::OrderState* order = context.Order(body.order_id());
  if (order != nullptr && order->administered_at_ms() == 0) {
    context.Violate({.code = v1::REASON_CODE_E_STATE,
                     .severity = v1::SEVERITY_MINOR,
                     .message = "nothing was administered for this order",
                     .detail = "CLN-12",
                     .subject = OrderKey(body.order_id())});
  }
  if (!IsDate(body.seen_on())) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD,
                     .severity = v1::SEVERITY_MINOR,
                     .message = "seen_on is not a date of the form YYYY-MM-DD",
                     .detail = "seen_on"});
  }
}

}  // namespace custody
