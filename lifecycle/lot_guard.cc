#include "lifecycle/lot_guard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/batch_phase.h"
#include "lifecycle/enum_label.h"

namespace custody {

void Violate(RuleContext& context, v1::ReasonCode code, v1::Severity severity, std::string message,
             std::string detail, SubjectKey subject) {
  RuleContext::Violation violation;
  violation.code = code;
  violation.severity = severity;
  violation.message = std::move(message);
  violation.detail = std::move(detail);
  violation.subject = std::move(subject);
  context.Violate(std::move(violation));
}

SubjectKey BatchKey(std::string_view batch_id) {
  return {v1::SUBJECT_KIND_BATCH, std::string(batch_id)};
}

const v1::BatchState* RequireBatch(RuleContext& context, std::string_view batch_id,
                                   v1::Severity out_of_place) {
  context.RequireKnown(v1::SUBJECT_KIND_BATCH, batch_id);
  const v1::BatchState* const batch = context.Batch(batch_id);
  if (batch == nullptr) return nullptr;
  if (InPlace(batch->phase(), context.event().body_case())) return batch;
  const std::string phase = EnumLabel(batch->phase());
  const bool is_final = IsFinal(batch->phase());
  Violate(context, is_final ? v1::REASON_CODE_E_AFTER_FINAL : v1::REASON_CODE_E_STATE, out_of_place,
          absl::StrFormat("%s has no place while the batch is in %s",
                          AbslView(context.parsed().code()), phase),
          phase, BatchKey(batch_id));
  return batch;
}

std::vector<PolicyRef> PoliciesOf(RuleContext& context, const v1::BatchState& batch) {
  std::vector<PolicyRef> policies;
  for (const int regime : batch.regimes()) {
    AddPolicyOnce(context.PolicyFor(batch.product_id(), static_cast<v1::Regime>(regime)),
                  &policies);
  }
  return policies;
}

Ancestry AncestorsOf(RuleContext& context, std::string_view batch_id) {
  absl::StatusOr<Ancestry> ancestry = Ancestors(context.view(), BatchKey(batch_id));
  if (ancestry.ok()) return *std::move(ancestry);
  context.KeepError(ancestry.status());
  return {};
}

bool IsGraveAndOpen(const v1::DeviationState& deviation) {
  return !deviation.closed() && deviation.deviation_class() != v1::DEVIATION_CLASS_MINOR;
}

}  // namespace custody
