// Guards from the enrolment of a patient to the authorisation at the bedside (CLN-01 to CLN-06).

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/check_run.h"
#include "lifecycle/clinical_guards.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

SubjectKey OrderKey(const std::string& id) { return {v1::SUBJECT_KIND_ORDER, id}; }

// The order must be known and open; violates E_UNKNOWN_SUBJECT or E_STATE.
const v1::OrderState* RequireOrder(RuleContext& context, const std::string& id,
                                   v1::OrderPhase first, v1::OrderPhase last) {
  context.RequireKnown(v1::SUBJECT_KIND_ORDER, id);
  const v1::OrderState* order = context.Order(id);
  if (order == nullptr) return nullptr;
  if (order->phase() < first || order->phase() > last) {
    context.Violate({.code = v1::REASON_CODE_E_STATE,
                     .message = absl::StrFormat("the order is %s", EnumLabel(order->phase())),
                     .subject = OrderKey(id)});
  }
  return order;
}

CheckQuestion QuestionOf(const RuleContext& context, v1::Stage stage, const std::string& order_id) {
  CheckQuestion question;
  question.request.set_stage(stage);
  question.request.set_order_id(order_id);
  question.request.set_site_id(context.event().site_id());
  question.request.set_at_ms(context.recorded_at_ms());
  question.device_ids.assign(context.event().device_ids().begin(),
                             context.event().device_ids().end());
  return question;
}

void RequireContainers(RuleContext& context, int count) {
  if (count > 0) return;
  context.Violate({.code = v1::REASON_CODE_E_FIELD, .message = "no container is named"});
}

// Everyone who signed in a role for which the policy names a training has it now.
bool IsTrained(const v1::PersonState* person, const std::string& procedure, std::int64_t at_ms) {
  return person != nullptr &&
         std::any_of(person->trainings().begin(), person->trainings().end(),
                     [&](const v1::TrainingState& training) {
                       return training.procedure() == procedure &&
                              training.valid_from_ms() <= at_ms &&
                              (training.valid_to_ms() == 0 || at_ms < training.valid_to_ms());
                     });
}

void GuardTraining(RuleContext& context, const v1::Policy& policy) {
  for (const EventSigner& signer : context.signers()) {
    const v1::PersonState* person = context.Person(signer.key.id);
    for (const v1::TrainingRule& rule : policy.clinical().trainings()) {
      if (rule.role() != signer.role ||
          IsTrained(person, rule.procedure(), context.recorded_at_ms())) {
        continue;
      }
      context.Violate({.code = v1::REASON_CODE_E_TRAINING,
                       .message = absl::StrFormat("%s has no valid training in %s",
                                                  Describe(signer.key), rule.procedure()),
                       .detail = rule.procedure(),
                       .subject = signer.key});
    }
  }
}

void GuardPlannedStart(RuleContext& context, std::int64_t start_ms) {
  const std::int64_t now_ms = context.recorded_at_ms();
  if (start_ms >= now_ms - kDayMs && start_ms <= now_ms + kDayMs) return;
  context.Violate(
      {.code = v1::REASON_CODE_E_FIELD,
       .message = absl::StrFormat("the planned start %d is not within a day of now", start_ms)});
}

void GuardOrderFields(RuleContext& context, const v1::TreatmentOrdered& body) {
  const auto refuse = [&](std::string message) {
    context.Violate({.code = v1::REASON_CODE_E_FIELD, .message = std::move(message)});
  };
  if (body.dose() == 0) refuse("the dose is missing");
  if (body.weight_g() == 0) refuse("the body weight is missing");
  if (body.dose_basis() == v1::DOSE_BASIS_UNSPECIFIED) refuse("the basis of the dose is missing");
  if (body.route() == v1::ROUTE_UNSPECIFIED) refuse("the route is missing");
  if (body.planned_at_ms() <= 0) refuse("the planned time is missing");
  if (body.indication_code().empty()) refuse("the indication is missing");
  if (!IsDate(body.weight_measured_on())) {
    refuse("weight_measured_on is not a date of the form YYYY-MM-DD");
  }
  if (context.event().site_id().empty()) refuse("the site is missing");
}

void GuardOverrides(RuleContext& context, const v1::MatchVerified& body) {
  constexpr std::array<std::string_view, 3> kOverridable = {"CMV", "MIXED_LOT", "ANTIBODIES"};
  for (const v1::MatchOverride& entry : body.overrides()) {
    if (std::count(kOverridable.begin(), kOverridable.end(), entry.rule()) == 0) {
      context.Violate({.code = v1::REASON_CODE_E_FIELD,
                       .message = absl::StrFormat("rule %s cannot be overridden", entry.rule())});
    }
    if (entry.override_reason().empty()) {
      context.Violate(
          {.code = v1::REASON_CODE_E_REASON_MISSING,
           .message = absl::StrFormat("the override of %s has no reason", entry.rule())});
    }
  }
  const bool physician_needed = !body.overrides().empty() || !body.acknowledgements().empty();
  if (physician_needed && !context.SignedInRole(v1::ROLE_TREATING_PHYSICIAN)) {
    context.Violate({.code = v1::REASON_CODE_E_AUTHORITY,
                     .message = "overrides and acknowledgements are the treating physician's",
                     .remedy = "have the treating physician sign the match as second person"});
  }
}

// Containers of the order that can still be used.
std::vector<std::string> OpenContainers(RuleContext& context, const v1::OrderState& order) {
  std::vector<std::string> open;
  for (const std::string& id : order.container_ids()) {
    const v1::ContainerState* container = context.Container(id);
    if (container == nullptr) continue;
    const v1::ContainerLife life = container->life();
    if (!IsFinal(life) && !IsConsumed(life) && life != v1::CONTAINER_LIFE_THAWED_UNUSABLE) {
      open.push_back(id);
    }
  }
  return open;
}

}  // namespace

void GuardPatientEnrolled(RuleContext& context) {
  const v1::PatientEnrolled& body = context.event().patient_enrolled();
  context.RequireNew(v1::SUBJECT_KIND_PATIENT, body.patient_id());
  context.RequireKnown(v1::SUBJECT_KIND_SITE, body.holding_site_id());
  if (!body.same_as_donor_id().empty()) {
    context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.same_as_donor_id());
  }
  if (body.consent().sha256().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_CONSENT,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the consent to the therapy is not named",
                     .detail = "consent"});
  }
}

void GuardTreatmentOrdered(RuleContext& context) {
  const v1::TreatmentOrdered& body = context.event().treatment_ordered();
  context.RequireNew(v1::SUBJECT_KIND_ORDER, body.order_id());
  context.RequireKnown(v1::SUBJECT_KIND_PATIENT, body.patient_id());
  context.RequireKnown(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  if (const v1::ProductState* product = context.Product(body.product_id())) {
    const auto& regimes = product->regimes();
    if (std::count(regimes.begin(), regimes.end(), body.regime()) == 0) {
      context.Violate({.code = v1::REASON_CODE_E_REGIME,
                       .message = absl::StrFormat("the product is not registered for %s",
                                                  EnumLabel(body.regime())),
                       .subject = {v1::SUBJECT_KIND_PRODUCT, body.product_id()}});
    }
    context.RequirePolicy(body.product_id(), body.regime());
  }
  GuardOrderFields(context, body);
  if (body.chain_of_identity().empty()) return;
  const v1::IdentifierState* identifier = context.Identifier(body.chain_of_identity());
  if (identifier != nullptr && !identifier->bound().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_LABEL_CONFLICT,
                     .message = "the chain of identity names another order already",
                     .subject = {v1::SUBJECT_KIND_IDENTIFIER, body.chain_of_identity()}});
  }
}

void GuardDoseReserved(RuleContext& context) {
  const v1::DoseReserved& body = context.event().dose_reserved();
  RequireContainers(context, body.container_ids_size());
  const v1::OrderState* order =
      RequireOrder(context, body.order_id(), v1::ORDER_PHASE_ORDERED, v1::ORDER_PHASE_AUTHORISED);
  if (order == nullptr) return;
  context.RequirePolicy(order->product_id(), order->regime());
  CheckQuestion question = QuestionOf(context, v1::STAGE_RESERVE, body.order_id());
  *question.request.mutable_container_ids() = body.container_ids();
  ViolateFailedChecks(context, std::move(question));
}

void GuardMatchVerified(RuleContext& context) {
  const v1::MatchVerified& body = context.event().match_verified();
  RequireContainers(context, body.container_ids_size());
  GuardOverrides(context, body);
  const v1::OrderState* order = RequireOrder(context, body.order_id(), v1::ORDER_PHASE_RESERVED,
                                             v1::ORDER_PHASE_ADMINISTERING);
  if (order == nullptr) return;
  context.RequirePolicy(order->product_id(), order->regime());
  if (!SameIds(OpenContainers(context, *order), body.container_ids())) {
    context.Violate({.code = v1::REASON_CODE_E_ALLOCATION,
                     .message = "a match covers exactly the containers that are reserved",
                     .remedy = "release what is not to be used, reserve what is missing",
                     .subject = OrderKey(body.order_id())});
  }
  CheckQuestion question = QuestionOf(context, v1::STAGE_UNSPECIFIED, body.order_id());
  *question.request.mutable_container_ids() = body.container_ids();
  question.matching = true;
  question.acknowledgements.emplace(body.acknowledgements().begin(), body.acknowledgements().end());
  question.overrides.emplace();
  for (const v1::MatchOverride& entry : body.overrides()) {
    question.overrides->push_back(entry.rule());
  }
  ViolateFailedChecks(context, std::move(question));
}

void GuardReservationReleased(RuleContext& context) {
  const v1::ReservationReleased& body = context.event().reservation_released();
  RequireContainers(context, body.container_ids_size());
  const v1::OrderState* order =
      RequireOrder(context, body.order_id(), v1::ORDER_PHASE_RESERVED, v1::ORDER_PHASE_AUTHORISED);
  if (order != nullptr) context.RequirePolicy(order->product_id(), order->regime());
  for (const std::string& id : body.container_ids()) {
    const SubjectKey key{v1::SUBJECT_KIND_CONTAINER, id};
    context.RequireKnown(key.kind, id);
    const v1::ContainerState* container = context.Container(id);
    if (container == nullptr) continue;
    const AllocationStep step =
        NextAllocation(container->allocation(), AllocationTrigger::kReleased);
    if (step.code != v1::REASON_CODE_UNSPECIFIED || container->order_id() != body.order_id()) {
      context.Violate(
          {.code =
               step.code == v1::REASON_CODE_UNSPECIFIED ? v1::REASON_CODE_E_ALLOCATION : step.code,
           .message = absl::StrFormat("%s is not reserved for this order", Describe(key)),
           .subject = key});
    }
    if (IsThawedOrLater(container->life())) {
      context.Violate(
          {.code =
               IsConsumed(container->life()) ? v1::REASON_CODE_E_CONSUMED : v1::REASON_CODE_E_STATE,
           .message = absl::StrFormat("%s is %s; after the thaw it stays with its order",
                                      Describe(key), EnumLabel(container->life())),
           .subject = key});
    }
  }
}

void GuardThawAuthorised(RuleContext& context) {
  const v1::ThawAuthorised& body = context.event().thaw_authorised();
  RequireContainers(context, body.container_ids_size());
  const v1::OrderState* order = RequireOrder(context, body.order_id(), v1::ORDER_PHASE_MATCHED,
                                             v1::ORDER_PHASE_ADMINISTERING);
  if (order == nullptr) return;
  const std::optional<PolicyRef> policy =
      context.RequirePolicy(order->product_id(), order->regime());
  if (policy.has_value()) GuardTraining(context, *policy->policy);
  GuardPlannedStart(context, body.planned_infusion_start_ms());
  if (body.patient_present_and_fit() != v1::ANSWER_YES) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .message = "the patient is not stated to be present and fit",
                     .remedy = "do not thaw before the patient is there and fit"});
  }
  CheckQuestion question = QuestionOf(context, v1::STAGE_THAW, body.order_id());
  *question.request.mutable_container_ids() = body.container_ids();
  question.request.set_planned_duration_ms(body.planned_infusion_duration_ms());
  question.planned_start_ms = body.planned_infusion_start_ms();
  ViolateFailedChecks(context, std::move(question));
}

void GuardAdministrationAuthorised(RuleContext& context) {
  const v1::AdministrationAuthorised& body = context.event().administration_authorised();
  RequireContainers(context, body.container_ids_size());
  const v1::OrderState* order = RequireOrder(context, body.order_id(), v1::ORDER_PHASE_MATCHED,
                                             v1::ORDER_PHASE_ADMINISTERING);
  if (order == nullptr) return;
  const std::optional<PolicyRef> policy =
      context.RequirePolicy(order->product_id(), order->regime());
  if (policy.has_value()) GuardTraining(context, *policy->policy);
  if (body.patient_id() != order->patient_id() || body.scanned_patient_token().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_PATIENT_MISMATCH,
                     .message = body.scanned_patient_token().empty()
                                    ? "the wristband was not scanned"
                                    : "the patient named is not the patient of the order",
                     .subject = OrderKey(body.order_id())});
  }
  if (body.scanned_container_keys().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_CONTAINER_MISMATCH,
                     .message = "no container label was scanned"});
  }
  CheckQuestion question = QuestionOf(context, v1::STAGE_ADMINISTER, body.order_id());
  *question.request.mutable_container_ids() = body.container_ids();
  *question.request.mutable_scanned_keys() = body.scanned_container_keys();
  question.request.set_patient_token(body.scanned_patient_token());
  question.request.set_route(body.route());
  question.request.set_planned_duration_ms(body.planned_duration_ms());
  ViolateFailedChecks(context, std::move(question));
}

}  // namespace custody
