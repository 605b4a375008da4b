#include "lifecycle/batch_fold.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "lifecycle/batch_phase.h"

namespace custody {
namespace {

// Longest detail of a finding.
constexpr std::size_t kDetailBytesMax = 200;

}  // namespace

std::string DetailAbout(std::string_view id, std::string_view text) {
  std::string detail = ToHex(id);
  detail.append(" ").append(text);
  if (detail.size() > kDetailBytesMax) detail.resize(kDetailBytesMax);
  return detail;
}

bool FoundAbout(const FoldInput& input, v1::ReasonCode code, std::string_view id) {
  const std::string prefix = ToHex(id) + " ";
  return std::any_of(input.findings.begin(), input.findings.end(), [&](const v1::Finding& finding) {
    return finding.code() == code &&
           (finding.detail().empty() || finding.detail().starts_with(prefix));
  });
}

void RememberMakers(const FoldInput& input, v1::BatchState* batch) {
  for (const ParsedSignature& signature : input.event.signatures) {
    if (signature.signer.kind != v1::SUBJECT_KIND_PERSON) continue;
    switch (signature.statement.role()) {
      case v1::ROLE_OPERATOR:
      case v1::ROLE_SUPERVISOR:
        AddOnce(signature.signer.id, batch->mutable_operator_ids());
        break;
      case v1::ROLE_QC_ANALYST:
        AddOnce(signature.signer.id, batch->mutable_analyst_ids());
        break;
      default:
        break;
    }
  }
}

void AdvancePhase(const FoldInput& input, v1::BatchState* batch) {
  if (!input.favourable()) return;
  const std::optional<v1::BatchPhase> next =
      NextBatchPhase(batch->phase(), input.event.event.body_case());
  if (next.has_value()) batch->set_phase(*next);
}

void AddOnce(const std::string& value, google::protobuf::RepeatedPtrField<std::string>* list) {
  if (value.empty() || std::find(list->begin(), list->end(), value) != list->end()) return;
  *list->Add() = value;
}

}  // namespace custody
