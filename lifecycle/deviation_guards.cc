#include <string>

#include "lifecycle/lot_guard.h"
#include "lifecycle/manufacturing_guards.h"

namespace custody {
namespace {

constexpr std::size_t kDeviationIdBytes = 16;

const v1::DeviationState* FindDeviation(const v1::BatchState& batch, const std::string& id) {
  for (const v1::DeviationState& deviation : batch.deviations()) {
    if (deviation.deviation_id() == id) return &deviation;
  }
  return nullptr;
}

// The open deviation that a decision is about.
const v1::DeviationState* RequireOpen(RuleContext& context, const v1::BatchState& batch,
                                      const std::string& batch_id, const std::string& id) {
  const v1::DeviationState* const found = FindDeviation(batch, id);
  if (found == nullptr) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the batch has no such deviation", "deviation_id", BatchKey(batch_id));
  } else if (found->closed()) {
    Violate(context, v1::REASON_CODE_E_AFTER_FINAL, v1::SEVERITY_MAJOR, "the deviation is closed",
            "deviation_id", BatchKey(batch_id));
  }
  return found;
}

}  // namespace

void GuardDeviationOpened(RuleContext& context) {
  const v1::DeviationOpened& body = context.event().deviation_opened();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (body.deviation_id().size() != kDeviationIdBytes) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "deviation_id has 16 bytes",
            "deviation_id");
  }
  if (batch != nullptr && FindDeviation(*batch, body.deviation_id()) != nullptr) {
    Violate(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MAJOR,
            "the batch has this deviation already", "deviation_id", BatchKey(body.batch_id()));
  }
}

void GuardDeviationClassified(RuleContext& context) {
  const v1::DeviationClassified& body = context.event().deviation_classified();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  context.RequirePolicies(batch->product_id(), batch->regimes());
  if (body.deviation_class() == v1::DEVIATION_CLASS_UNSPECIFIED) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "deviation_class is not stated",
            "deviation_class");
  }
  const v1::DeviationState* const known =
      RequireOpen(context, *batch, body.batch_id(), body.deviation_id());
  const bool is_lower = known != nullptr && body.deviation_class() < known->deviation_class();
  if (is_lower && context.event().reason().code().empty()) {
    Violate(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
            "a lower class needs a reason", "reason");
  }
}

void GuardDeviationClosed(RuleContext& context) {
  const v1::DeviationClosed& body = context.event().deviation_closed();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  context.RequirePolicies(batch->product_id(), batch->regimes());
  const v1::DeviationState* const known =
      RequireOpen(context, *batch, body.batch_id(), body.deviation_id());
  if (known != nullptr && known->deviation_class() == v1::DEVIATION_CLASS_UNSPECIFIED) {
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
            "a deviation is classified before it is closed", "deviation_class",
            BatchKey(body.batch_id()));
  }
  if (body.root_cause().empty()) {
    Violate(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
            "closing a deviation needs its root cause", "root_cause");
  }
}

}  // namespace custody
