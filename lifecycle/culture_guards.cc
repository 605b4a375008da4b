#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/batch_fold.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/lot_rows.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/manufacturing_guards.h"

namespace custody {
namespace {

// Material that touches the cells is released, in date when it is used, and not on hold.
void CheckMaterial(RuleContext& context, const std::string& id) {
  const SubjectKey key{v1::SUBJECT_KIND_MATERIAL, id};
  context.RequireKnown(v1::SUBJECT_KIND_MATERIAL, id);
  const v1::SubjectState* const state = context.Find(v1::SUBJECT_KIND_MATERIAL, id);
  if (state == nullptr || !state->has_material()) return;
  if (!state->material().released()) {
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MAJOR, "the material is not released",
            DetailAbout(id, "not released"), key);
  }
  const std::int64_t expires_at_ms = state->material().expires_at_ms();
  if (expires_at_ms != 0 && context.occurred_at_ms() >= expires_at_ms) {
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MAJOR,
            "the material had expired when it was used", DetailAbout(id, "expired"), key);
  }
  if (state->holds_size() > 0) {
    Violate(context, v1::REASON_CODE_E_HOLD, v1::SEVERITY_MAJOR, "the material is on hold",
            DetailAbout(id, "hold"), key);
  }
}

void CheckPassageNumber(RuleContext& context, const v1::PassagePerformed& body,
                        const CultureAge& age) {
  if (body.passage_number() != age.passage_number + 1) {
    Violate(
        context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
        absl::StrFormat("passage %u follows passage %u", body.passage_number(), age.passage_number),
        absl::StrFormat("P%u after P%u", body.passage_number(), age.passage_number),
        BatchKey(body.batch_id()));
  }
  if (!body.has_population_doublings_total()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "the total of population doublings is not stated", "population_doublings_total",
            BatchKey(body.batch_id()));
  } else if (age.population_doublings.has_value() &&
             CompareDecimals(body.population_doublings_total(), *age.population_doublings) < 0) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
            "the total of population doublings is lower than before", "population_doublings_total",
            BatchKey(body.batch_id()));
  }
}

CultureAge AgeOf(RuleContext& context, std::string_view batch_id) {
  absl::StatusOr<CultureAge> age = FindCultureAge(context.view(), AncestorsOf(context, batch_id));
  if (age.ok()) return *age;
  context.KeepError(age.status());
  return {};
}

void CheckAgeAtHarvest(RuleContext& context, const std::string& batch_id, const CultureAge& age,
                       const v1::ManufacturingPolicy& policy) {
  const std::uint32_t most = policy.passage_max();
  if (most != 0 && age.passage_number > most) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            absl::StrFormat("harvested at passage %u, at most %u", age.passage_number, most),
            absl::StrFormat("PA-01 %u > %u", age.passage_number, most), BatchKey(batch_id));
  }
  if (policy.has_population_doublings_max() && age.population_doublings.has_value() &&
      CompareDecimals(*age.population_doublings, policy.population_doublings_max()) > 0) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            "harvested after more population doublings than the policy allows", "PA-02",
            BatchKey(batch_id));
  }
}

// The classes that the policy asks for at this openness; better ones satisfy it.
void CheckEnvironment(RuleContext& context, const v1::EnvironmentMonitored& body,
                      const std::string& batch_id, const v1::Policy& policy) {
  const auto& rules = policy.manufacturing().environment();
  if (rules.empty()) return;
  const std::string name = EnumLabel(body.openness());
  const auto violate = [&](const std::string& what) {
    const std::string text = absl::StrFormat("%s %s: %s in %s, %s", kEnvironmentDetail, name,
                                             body.local_class(), body.background_class(), what);
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR, text,
            DetailAbout(batch_id, text), BatchKey(batch_id));
  };
  bool has_rule = false;
  for (const v1::EnvironmentRule& rule : rules) {
    if (rule.openness() != name) continue;
    has_rule = true;
    if (EnvironmentRank(body.local_class()) <= EnvironmentRank(rule.local_class()) &&
        EnvironmentRank(body.background_class()) <= EnvironmentRank(rule.background_class())) {
      continue;
    }
    violate(absl::StrFormat("needs %s in %s", rule.local_class(), rule.background_class()));
  }
  if (!has_rule) violate("the policy allows no such work");
}

}  // namespace

void GuardMaterialReceived(RuleContext& context) {
  const v1::MaterialReceived& body = context.event().material_received();
  context.RequireNew(v1::SUBJECT_KIND_MATERIAL, body.material_id());
  if (body.lot_number().empty() || body.supplier().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "supplier and lot_number are mandatory", "lot_number");
  }
  if (body.expires_at_ms() == 0) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "expires_at_ms is not stated",
            "expires_at_ms");
  } else if (body.expires_at_ms() <= body.received_at_ms()) {
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MAJOR,
            "the material had expired when it arrived", "expired",
            {v1::SUBJECT_KIND_MATERIAL, body.material_id()});
  }
}

void GuardMaterialReleased(RuleContext& context) {
  const v1::MaterialReleased& body = context.event().material_released();
  const SubjectKey key{v1::SUBJECT_KIND_MATERIAL, body.material_id()};
  context.RequireKnown(v1::SUBJECT_KIND_MATERIAL, body.material_id());
  const v1::SubjectState* const state = context.Find(v1::SUBJECT_KIND_MATERIAL, body.material_id());
  if (state == nullptr || !state->has_material()) return;
  if (context.recorded_at_ms() >= state->material().expires_at_ms()) {
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MAJOR, "the material has expired",
            "expired", key);
  }
  if (state->holds_size() > 0) {
    Violate(context, v1::REASON_CODE_E_HOLD, v1::SEVERITY_MAJOR, "the material is on hold", "hold",
            key);
  }
}

void GuardLineClearance(RuleContext& context) {
  const v1::LineClearance& body = context.event().line_clearance();
  RequireBatch(context, body.batch_id());
  if (body.previous_product_removed() != v1::ANSWER_YES) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            "the previous product was not removed from the line", "MFG-02",
            BatchKey(body.batch_id()));
  }
}

void GuardIsolationPerformed(RuleContext& context) {
  const v1::IsolationPerformed& body = context.event().isolation_performed();
  RequireBatch(context, body.batch_id());
  if (body.method() == v1::ISOLATION_METHOD_ENZYMATIC && body.enzyme_material_id().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "enzymatic isolation names its enzyme", "enzyme_material_id");
  }
  if (!body.enzyme_material_id().empty()) CheckMaterial(context, body.enzyme_material_id());
  if (body.ended_at_ms() < body.started_at_ms()) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MINOR,
            "the isolation ends before it starts", "ended_at_ms");
  }
}

void GuardMaterialConsumed(RuleContext& context) {
  const v1::MaterialConsumed& body = context.event().material_consumed();
  RequireBatch(context, body.batch_id());
  CheckMaterial(context, body.material_id());
  if (body.expiry_checked() != v1::ANSWER_YES) {
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MINOR,
            "nobody checked the expiry of the material",
            DetailAbout(body.material_id(), "expiry not checked"));
  }
  if (body.amount().coefficient() <= 0) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MINOR, "the amount is not positive",
            "amount");
  }
}

void GuardCultureSeeded(RuleContext& context) {
  const v1::CultureSeeded& body = context.event().culture_seeded();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (!body.medium_material_id().empty()) CheckMaterial(context, body.medium_material_id());
  if (batch != nullptr && batch->cells() > 0 && body.cells() > batch->cells()) {
    Violate(context, v1::REASON_CODE_E_AMOUNT, v1::SEVERITY_MAJOR,
            absl::StrFormat("%u cells seeded of %u", body.cells(), batch->cells()), "cells",
            BatchKey(body.batch_id()));
  }
}

void GuardPassagePerformed(RuleContext& context) {
  const v1::PassagePerformed& body = context.event().passage_performed();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  CheckPassageNumber(context, body, AgeOf(context, body.batch_id()));
}

void GuardInProcessCheck(RuleContext& context) {
  const v1::InProcessCheck& body = context.event().in_process_check();
  RequireBatch(context, body.batch_id());
  if (body.checkpoint() == v1::CHECKPOINT_UNSPECIFIED ||
      body.result() == v1::CHECK_RESULT_UNSPECIFIED) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "checkpoint and result are mandatory", "checkpoint");
  }
  if (body.result() != v1::CHECK_RESULT_FAIL) return;
  // Something living in the culture, or the wrong cells: nothing downstream may go on unseen.
  const bool is_critical = body.checkpoint() == v1::CHECKPOINT_STERILITY ||
                           body.checkpoint() == v1::CHECKPOINT_CONTAMINATION ||
                           body.checkpoint() == v1::CHECKPOINT_IDENTITY;
  const std::string name = EnumLabel(body.checkpoint());
  Violate(context, v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION,
          is_critical ? v1::SEVERITY_CRITICAL : v1::SEVERITY_MAJOR,
          absl::StrFormat("the in-process check %s failed", name), name, BatchKey(body.batch_id()));
}

void GuardEnvironmentMonitored(RuleContext& context) {
  const v1::EnvironmentMonitored& body = context.event().environment_monitored();
  if (body.openness() == v1::OPENNESS_UNSPECIFIED || body.batch_ids().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "openness and at least one batch are mandatory", "openness");
  }
  for (const std::string& id : body.batch_ids()) {
    const v1::BatchState* const batch = RequireBatch(context, id);
    if (batch == nullptr) continue;
    for (const PolicyRef& policy : PoliciesOf(context, *batch)) {
      CheckEnvironment(context, body, id, *policy.policy);
    }
  }
}

void GuardHarvested(RuleContext& context) {
  const v1::Harvested& body = context.event().harvested();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  if (body.cells() == 0) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "no cells were harvested",
            "cells");
  }
  const CultureAge age = AgeOf(context, body.batch_id());
  for (const PolicyRef& policy : PoliciesOf(context, *batch)) {
    CheckAgeAtHarvest(context, body.batch_id(), age, policy.policy->manufacturing());
  }
}

}  // namespace custody
