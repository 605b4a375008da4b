// Guards of thaw, quality control after thaw and preparation (CLN-07 to CLN-10, CLN-14).

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "lifecycle/clinical_guards.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/policy.h"
#include "lifecycle/post_thaw.h"

namespace custody {
namespace {

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

std::optional<PolicyRef> PolicyOfOrder(RuleContext& context, const std::string& order_id) {
  const v1::OrderState* order = context.Order(order_id);
  if (order == nullptr) return std::nullopt;
  return context.PolicyFor(order->product_id(), order->regime());
}

// The policy on which a thaw authorisation rests says how long it is valid.
std::int64_t ThawValidMs(RuleContext& context, const v1::ContainerState& container) {
  const absl::StatusOr<std::optional<PolicyRef>> policy =
      FindPolicyByHash(context.view(), container.thaw_policy_hash());
  if (!policy.ok()) {
    context.KeepError(policy.status());
    return 0;
  }
  return policy->has_value() ? (*policy)->policy->clinical().thaw_authorisation_valid_ms() : 0;
}

void GuardThawAuthorisation(RuleContext& context, const std::string& order_id,
                            const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr) return;
  const std::int64_t started = std::min(context.occurred_at_ms(), context.recorded_at_ms());
  const std::int64_t from = container->thaw_authorised_at_ms();
  const bool ours = from > 0 && container->thaw_order_id() == order_id;
  if (ours && started >= from && started <= from + ThawValidMs(context, *container)) return;
  context.Violate({.code = v1::REASON_CODE_E_NOT_AUTHORISED,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = "no valid thaw authorisation (CLN-06T) covers this container",
                   .detail = absl::StrFormat("CLN-06T %s", ToHex(container_id)),
                   .subject = ContainerKey(container_id)});
}

void GuardBath(RuleContext& context, const v1::ThawStarted& body) {
  const std::optional<PolicyRef> policy = PolicyOfOrder(context, body.order_id());
  if (!policy.has_value()) return;
  const v1::ClinicalPolicy& limits = policy->policy->clinical();
  if (limits.thaw_bath_max_millicelsius() == 0) return;
  const std::int32_t bath = body.bath_temperature_millicelsius();
  if (bath >= limits.thaw_bath_min_millicelsius() && bath <= limits.thaw_bath_max_millicelsius()) {
    return;
  }
  context.Violate({.code = v1::REASON_CODE_E_POLICY,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = absl::StrFormat("thaw medium at %d milli-degrees, allowed %d to %d",
                                              bath, limits.thaw_bath_min_millicelsius(),
                                              limits.thaw_bath_max_millicelsius()),
                   .detail = absl::StrFormat("thaw-bath %d", bath)});
}

// From the storage device to the bath; a container that comes out of a shipper has no such time.
void GuardTimeOut(RuleContext& context, const std::string& order_id,
                  const std::string& container_id) {
  const v1::ContainerState* container = context.Container(container_id);
  const std::optional<PolicyRef> policy = PolicyOfOrder(context, order_id);
  if (container == nullptr || !policy.has_value() || container->out_to_thaw_at_ms() == 0) return;
  const std::int64_t limit = policy->policy->clinical().out_to_thaw_max_ms();
  const std::int64_t started = std::min(context.occurred_at_ms(), context.recorded_at_ms());
  const std::int64_t out_ms = started - container->out_to_thaw_at_ms();
  if (limit == 0 || out_ms <= limit) return;
  context.Violate(
      {.code = v1::REASON_CODE_E_POLICY,
       .severity = v1::SEVERITY_MAJOR,
       .message = absl::StrFormat("%d ms out of storage before the thaw, limit %d", out_ms, limit),
       .detail = absl::StrFormat("out-to-thaw %s", ToHex(container_id)),
       .subject = ContainerKey(container_id)});
}

// The investigation that every failing result starts.
void OpenInvestigation(RuleContext& context, const v1::ReleaseRow& row,
                       const std::string& container_id, std::uint32_t ordinal) {
  const v1::ContainerState* container = context.Container(container_id);
  v1::Event event;
  v1::OosOpened* body = event.mutable_oos_opened();
  body->set_oos_id(DerivedId(context, "oos", ordinal));
  if (container != nullptr) body->set_batch_id(container->batch_id());
  body->set_container_id(container_id);
  body->set_result_id(DerivedId(context, "result", ordinal));
  body->set_test_id(row.id());
  context.Consequence(std::move(event));
}

// A viability that passes counts only by a method of the row.
void RequireMethod(RuleContext& context, const v1::ReleaseRow& row,
                   const std::string& container_id) {
  const std::string& method = context.event().post_thaw_qc().method();
  if (!IsViabilityRow(row) || AcceptsMethod(row, method)) return;
  context.Violate({.code = v1::REASON_CODE_E_POLICY,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = absl::StrFormat("row %s is tested by %s, not by \"%s\"", row.id(),
                                              absl::StrJoin(row.methods(), " or "), method),
                   .detail = absl::StrFormat("%s %s", row.id(), ToHex(container_id)),
                   .subject = ContainerKey(container_id)});
}

// Judges one container's results; returns how many investigations it opened.
std::uint32_t GuardPostThawResult(RuleContext& context, const v1::PostThawResult& result,
                                  const v1::Policy& policy, std::uint32_t ordinal) {
  const v1::ContainerState* container = context.Container(result.container_id());
  const std::uint64_t claim = container == nullptr ? 0 : container->cells();
  std::uint32_t opened = 0;
  for (const v1::ReleaseRow& row : policy.rows()) {
    if (row.stage() != v1::ROW_STAGE_POST_THAW) continue;
    const std::optional<v1::QcResult> measured = PostThawResultFor(
        row, result.has_viability_percent() ? &result.viability_percent() : nullptr,
        result.viable_cells(), claim, result.rapid_gram());
    if (!measured.has_value()) continue;
    if (JudgeResult(row, *measured) == v1::RESULT_VERDICT_PASS) {
      RequireMethod(context, row, result.container_id());
      continue;
    }
    context.Violate({.code = v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = absl::StrFormat("%s (%s) is not met", row.id(), row.test()),
                     .detail = absl::StrFormat("%s %s", row.id(), ToHex(result.container_id())),
                     .subject = ContainerKey(result.container_id())});
    OpenInvestigation(context, row, result.container_id(), ordinal + opened++);
  }
  return opened;
}

void RequireThawed(RuleContext& context, const std::string& container_id) {
  context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, container_id);
  const v1::ContainerState* container = context.Container(container_id);
  if (container == nullptr || container->life() == v1::CONTAINER_LIFE_THAWED ||
      container->life() == v1::CONTAINER_LIFE_PREPARED) {
    return;
  }
  context.Violate({.code = v1::REASON_CODE_E_STATE,
                   .severity = v1::SEVERITY_MAJOR,
                   .message = absl::StrFormat("%s is %s", Describe(ContainerKey(container_id)),
                                              EnumLabel(container->life())),
                   .detail = ToHex(container_id),
                   .subject = ContainerKey(container_id)});
}

// Nothing on record of the material says that it must not be used.
void GuardNothingOpen(RuleContext& context, const SubjectKey& key) {
  const v1::SubjectState* state = context.Find(key.kind, key.id);
  if (state == nullptr) return;
  const auto report = [&](v1::ReasonCode code, std::uint64_t index) {
    context.Violate({.code = code,
                     .severity = v1::SEVERITY_CRITICAL,
                     .message = absl::StrFormat("%s must not be used", Describe(key)),
                     .detail = ToHex(key.id),
                     .evidence = {index},
                     .subject = key});
  };
  for (const v1::OpenHold& hold : state->holds()) {
    report(v1::REASON_CODE_E_HOLD, hold.placed_index());
  }
  for (const v1::OpenCase& open : state->open_cases()) {
    if (open.severity() != v1::SEVERITY_CRITICAL || !context.IsOpen(open)) continue;
    report(open.kind() == v1::CASE_KIND_RECALL ? v1::REASON_CODE_E_RECALLED
                                               : v1::REASON_CODE_E_CASE_OPEN,
           open.opened_index());
  }
}

// What the container is diluted with must be released, in date, and nothing that harms the patient.
void GuardDiluent(RuleContext& context, const std::string& order_id,
                  const std::string& material_id) {
  if (material_id.empty()) return;
  context.RequireKnown(v1::SUBJECT_KIND_MATERIAL, material_id);
  const v1::MaterialState* material = context.Material(material_id);
  if (material == nullptr) return;
  const SubjectKey key{v1::SUBJECT_KIND_MATERIAL, material_id};
  GuardNothingOpen(context, key);
  if (!material->released() || material->expires_at_ms() <= context.occurred_at_ms()) {
    context.Violate({.code = v1::REASON_CODE_E_MATERIAL,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the diluent is not released or has expired",
                     .detail = ToHex(material_id),
                     .subject = key});
  }
  const v1::OrderState* order = context.Order(order_id);
  const v1::PatientState* patient =
      order == nullptr ? nullptr : context.Patient(order->patient_id());
  if (patient == nullptr || patient->animal_protein_allergies().empty()) return;
  if (material->animal_origin() != v1::ANSWER_NO && material->animal_proteins().empty()) {
    context.Violate({.code = v1::REASON_CODE_E_MISSING,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the animal proteins of the diluent are not stated",
                     .detail = absl::StrFormat("ALLERGY %s", ToHex(material_id)),
                     .subject = key});
  }
  for (const std::string& protein : material->animal_proteins()) {
    for (const std::string& allergy : patient->animal_protein_allergies()) {
      if (!absl::EqualsIgnoreCase(protein, allergy)) continue;
      context.Violate({.code = v1::REASON_CODE_E_MATCH,
                       .severity = v1::SEVERITY_CRITICAL,
                       .message = absl::StrFormat("the patient is allergic to %s", protein),
                       .detail = absl::StrFormat("ALLERGY %s", protein),
                       .subject = key});
    }
  }
}

void GuardPrepared(RuleContext& context, const v1::PreparedContainer& prepared) {
  GuardLife(context, prepared.container_id(), LifeTrigger::kPrepared);
  const v1::ContainerState* container = context.Container(prepared.container_id());
  if (container == nullptr) return;
  const auto& keys = container->keys();
  if (std::count(keys.begin(), keys.end(), prepared.scanned_key()) > 0) return;
  context.Violate({.code = v1::REASON_CODE_E_CONTAINER_MISMATCH,
                   .severity = v1::SEVERITY_CRITICAL,
                   .message = "the scanned label is not of this container",
                   .detail = ToHex(prepared.container_id()),
                   .subject = ContainerKey(prepared.container_id())});
}

}  // namespace

void GuardThawStarted(RuleContext& context) {
  const v1::ThawStarted& body = context.event().thaw_started();
  context.RequireKnown(v1::SUBJECT_KIND_ORDER, body.order_id());
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kThawStarted);
    GuardThawAuthorisation(context, body.order_id(), id);
    GuardTimeOut(context, body.order_id(), id);
  }
  GuardCalibration(context, body.device_id());
  GuardBath(context, body);
}

void GuardThawCompleted(RuleContext& context) {
  const v1::ThawCompleted& body = context.event().thaw_completed();
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kThawCompleted);
    if (body.visual_check() == v1::VISUAL_CHECK_CONFORMS) continue;
    context.Violate({.code = v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION,
                     .severity = v1::SEVERITY_MAJOR,
                     .message = "the visual check does not conform",
                     .detail = absl::StrFormat("visual check %s", ToHex(id)),
                     .subject = ContainerKey(id)});
  }
}

void GuardPostThawQc(RuleContext& context) {
  const v1::PostThawQc& body = context.event().post_thaw_qc();
  context.RequireKnown(v1::SUBJECT_KIND_ORDER, body.order_id());
  const std::optional<PolicyRef> now = PolicyOfOrder(context, body.order_id());
  const v1::OrderState* order = context.Order(body.order_id());
  std::uint32_t ordinal = 0;
  for (const v1::PostThawResult& result : body.results()) {
    if (result.container_id().empty()) {
      // Nobody can say whose result it is, and an investigation is about something.
      context.Violate({.code = v1::REASON_CODE_E_FIELD,
                       .severity = v1::SEVERITY_MAJOR,
                       .message = "a result names no container",
                       .detail = "container_id"});
      continue;
    }
    RequireThawed(context, result.container_id());
    const v1::ContainerState* container = context.Container(result.container_id());
    std::optional<PolicyRef> policy = now;
    if (order != nullptr && container != nullptr && container->thawed_recorded_at_ms() > 0) {
      // The policy in force when it was thawed judges.
      const absl::StatusOr<std::optional<PolicyRef>> then = FindPolicyInForce(
          context.view(), order->product_id(), order->regime(), container->thawed_recorded_at_ms());
      if (!then.ok()) {
        context.KeepError(then.status());
      } else if (then->has_value()) {
        policy = *then;
      }
    }
    if (policy.has_value()) {
      ordinal += GuardPostThawResult(context, result, *policy->policy, ordinal);
    }
  }
}

void GuardDosePrepared(RuleContext& context) {
  const v1::DosePrepared& body = context.event().dose_prepared();
  GuardDiluent(context, body.order_id(), body.diluent_material_id());
  const std::optional<PolicyRef> policy = PolicyOfOrder(context, body.order_id());
  for (const v1::PreparedContainer& prepared : body.containers()) {
    GuardPrepared(context, prepared);
    if (!policy.has_value() || body.expires_at_ms() <= 0) continue;
    const absl::StatusOr<std::int64_t> expiry =
        ComputeEffectiveExpiryMs(context.view(), prepared.container_id(), *policy->policy);
    if (!expiry.ok()) {
      context.KeepError(expiry.status());
    } else if (*expiry > 0 && body.expires_at_ms() > *expiry) {
      context.Violate({.code = v1::REASON_CODE_E_EXPIRED,
                       .severity = v1::SEVERITY_MINOR,
                       .message = "the stated expiry is later than the one that holds",
                       .detail = ToHex(prepared.container_id()),
                       .subject = ContainerKey(prepared.container_id())});
    }
  }
}

void GuardThawAborted(RuleContext& context) {
  const v1::ThawAborted& body = context.event().thaw_aborted();
  for (const std::string& id : body.container_ids()) {
    GuardLife(context, id, LifeTrigger::kThawAborted);
  }
}

}  // namespace custody
