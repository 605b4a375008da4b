// Checks of identity: scans, labels, match verification.

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"

namespace custody {
namespace {

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

bool HasKey(const v1::ContainerState& container, const std::string& key) {
  return std::count(container.keys().begin(), container.keys().end(), key) > 0;
}

}  // namespace

absl::Status CheckContainerScan(CheckRun& run) {
  const v1::VerdictRequest& request = run.request();
  if (request.scanned_keys().empty()) {
    run.Defer("no label was scanned");
    return absl::OkStatus();
  }
  if (request.scanned_keys_size() != request.container_ids_size()) {
    run.Fail(v1::REASON_CODE_E_CONTAINER_MISMATCH,
             absl::StrFormat("%d labels were scanned for %d containers",
                             request.scanned_keys_size(), request.container_ids_size()));
    return absl::OkStatus();
  }
  for (int i = 0; i < request.container_ids_size(); ++i) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                             run.Container(request.container_ids(i)));
    const std::string& scanned = request.scanned_keys(i);
    if (state != nullptr && state->container().batch_id().empty() &&
        state->container().keys().empty()) {
      run.Warn(v1::REASON_CODE_E_MISSING, "no label is recorded for this tissue",
               ContainerKey(request.container_ids(i)));
    } else if (state != nullptr && HasKey(state->container(), scanned)) {
      run.Pass(scanned, ContainerKey(request.container_ids(i)));
    } else {
      run.Fail(v1::REASON_CODE_E_CONTAINER_MISMATCH,
               absl::StrFormat("%s is not a label of this container", scanned),
               ContainerKey(request.container_ids(i)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPatientScan(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  const std::string& scanned = run.request().patient_token();
  if (order == nullptr) {
    run.Unknown("there is no order to compare with");
  } else if (scanned.empty()) {
    run.Defer("no wristband was scanned");
  } else if (scanned == order->patient_id()) {
    run.Pass("the wristband is the patient of the order");
  } else {
    run.Fail(v1::REASON_CODE_E_PATIENT_MISMATCH,
             absl::StrFormat("the wristband says %s, the order %s", ToHex(scanned),
                             ToHex(order->patient_id())),
             {v1::SUBJECT_KIND_ORDER, run.request().order_id()});
  }
  return absl::OkStatus();
}

absl::Status CheckLabelConflict(CheckRun& run) {
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) continue;
    for (const std::string& key : state->container().keys()) {
      CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* label,
                               run.Find(v1::SUBJECT_KIND_IDENTIFIER, key));
      if (label == nullptr || !label->identifier().conflict()) continue;
      run.Fail(v1::REASON_CODE_E_LABEL_CONFLICT,
               absl::StrFormat("%s is bound to more than one subject", key), ContainerKey(id))
          .add_evidence(label->last_index());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMatchVerified(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  if (order == nullptr) {
    run.Unknown("there is no order");
    return absl::OkStatus();
  }
  const SubjectKey key{v1::SUBJECT_KIND_ORDER, run.request().order_id()};
  if (order->phase() < v1::ORDER_PHASE_MATCHED || order->matched_index() == 0) {
    run.Fail(v1::REASON_CODE_E_MATCH_REQUIRED, "no match is verified for the order", key);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  const std::uint32_t limit =
      policy.has_value() ? policy->policy->clinical().denied_attempts_max() : 0;
  if (policy.has_value() && limit > 0 && order->denied_attempts() >= limit) {
    run.Fail(v1::REASON_CODE_E_MATCH_REQUIRED,
             absl::StrFormat("%d attempts were denied since the match, limit %d",
                             order->denied_attempts(), limit),
             key)
        .add_evidence(order->matched_index());
    return absl::OkStatus();
  }
  run.Pass(absl::StrFormat("matched by entry %d", order->matched_index()), key);
  return absl::OkStatus();
}

}  // namespace custody
