// Checks of quality: lot, holds, eligibility, cases, excursions, receipt, quality control after
// thaw.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/case_opening.h"
#include "lifecycle/check_run.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/lot_rows.h"
#include "lifecycle/policy.h"
#include "lifecycle/post_thaw.h"
#include "lifecycle/suspect_keys.h"

namespace custody {
namespace {

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

// The check that speaks about a blocker.
enum class Topic { kQuality, kHolds, kEligibility, kCases, kExcursions, kEvaluated };

Topic TopicOf(v1::ReasonCode code) {
  switch (code) {
    case v1::REASON_CODE_E_HOLD:
    case v1::REASON_CODE_KEY_SUSPECT:
      return Topic::kHolds;
    case v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE:
      return Topic::kEligibility;
    case v1::REASON_CODE_E_CASE_OPEN:
      return Topic::kCases;
    case v1::REASON_CODE_E_EXCURSION:
      return Topic::kExcursions;
    case v1::REASON_CODE_E_NOT_EVALUATED:
      return Topic::kEvaluated;
    default:
      return Topic::kQuality;
  }
}

// A container leaves or arrives in quarantine under the statements of 21 CFR 1271.60(c).
bool QuarantineAllows(const CheckRun& run, const Blocker& blocker) {
  return run.stage() == v1::STAGE_SHIP && run.question().quarantine_statements &&
         blocker.quality <= v1::QUALITY_QUARANTINE;
}

// Tissue on its way to the maker is quarantined by nature; an inspection may lift its own earlier
// quarantine.
bool ReceiptAllows(const CheckRun& run, const Blocker& blocker, bool is_tissue) {
  if (run.stage() != v1::STAGE_RECEIVE) return false;
  if (is_tissue) return blocker.quality <= v1::QUALITY_QUARANTINE;
  return blocker.quality == v1::QUALITY_QUARANTINE && blocker.detail.starts_with("receipt:");
}

void AddBlocker(CheckRun& run, v1::CheckResultValue result, const Blocker& blocker) {
  v1::Check& check = run.Add(result, blocker.code, blocker.detail, blocker.subject);
  for (const std::uint64_t index : blocker.evidence) check.add_evidence(index);
}

// A conditionally released lot needs an order and the physician's acknowledgement.
absl::StatusOr<v1::CheckResultValue> JudgeConditional(CheckRun& run) {
  if (run.stage() == v1::STAGE_RECEIVE) return v1::CHECK_RESULT_VALUE_WARN;
  if (run.request().order_id().empty()) return v1::CHECK_RESULT_VALUE_FAIL;
  if (!run.decides()) return v1::CHECK_RESULT_VALUE_WARN;
  CUSTODY_ASSIGN_OR_RETURN(const bool acknowledged, run.Acknowledged("CONDITIONAL"));
  return acknowledged ? v1::CHECK_RESULT_VALUE_WARN : v1::CHECK_RESULT_VALUE_FAIL;
}

absl::StatusOr<v1::CheckResultValue> JudgeBlocker(CheckRun& run, const Blocker& blocker,
                                                  bool is_tissue) {
  if (blocker.quality == v1::QUALITY_CONDITIONAL) return JudgeConditional(run);
  if (QuarantineAllows(run, blocker) || ReceiptAllows(run, blocker, is_tissue)) {
    return v1::CHECK_RESULT_VALUE_WARN;
  }
  return v1::CHECK_RESULT_VALUE_FAIL;
}

absl::Status CheckTopic(CheckRun& run, Topic topic, std::string_view passed) {
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const EffectiveQuality* quality, run.Quality(id));
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    const bool is_tissue = state != nullptr && state->container().batch_id().empty();
    bool found = false;
    for (const Blocker& blocker : quality->blockers) {
      if (TopicOf(blocker.code) != topic) continue;
      found = true;
      CUSTODY_ASSIGN_OR_RETURN(const v1::CheckResultValue result,
                               JudgeBlocker(run, blocker, is_tissue));
      AddBlocker(run, result, blocker);
    }
    for (const Blocker& warning : quality->warnings) {
      if (TopicOf(warning.code) != topic) continue;
      found = true;
      AddBlocker(run, v1::CHECK_RESULT_VALUE_WARN, warning);
    }
    if (!found) run.Pass(std::string(passed), ContainerKey(id));
  }
  return absl::OkStatus();
}

// Holds, cases and events without rules on the order and its patient.
absl::StatusOr<std::vector<const v1::SubjectState*>> OrderAndPatient(CheckRun& run) {
  std::vector<const v1::SubjectState*> states;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* order,
                           run.Find(v1::SUBJECT_KIND_ORDER, run.request().order_id()));
  if (order == nullptr) return states;
  states.push_back(order);
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* patient,
                           run.Find(v1::SUBJECT_KIND_PATIENT, order->order().patient_id()));
  if (patient != nullptr) states.push_back(patient);
  return states;
}

SubjectKey KeyOfState(const v1::SubjectState& state) { return {state.kind(), state.id()}; }

}  // namespace

absl::Status CheckLotQuality(CheckRun& run) { return CheckTopic(run, Topic::kQuality, "released"); }

absl::Status CheckHolds(CheckRun& run) {
  CUSTODY_RETURN_IF_ERROR(CheckTopic(run, Topic::kHolds, "no hold"));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<const v1::SubjectState*> states, OrderAndPatient(run));
  for (const v1::SubjectState* state : states) {
    for (const v1::OpenHold& hold : state->holds()) {
      run.Fail(v1::REASON_CODE_E_HOLD,
               absl::StrFormat("hold %s (%s)", ToHex(hold.hold_id()), hold.hold_reason_code()),
               KeyOfState(*state))
          .add_evidence(hold.placed_index());
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<SuspectDecision> suspects,
                             FindSuspectDecisions(run.view(), *state));
    for (const SuspectDecision& suspect : suspects) {
      v1::Check& check = run.Fail(v1::REASON_CODE_KEY_SUSPECT, suspect.Text(), KeyOfState(*state));
      check.add_evidence(suspect.index);
      check.add_evidence(suspect.revoked_by);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEligibility(CheckRun& run) {
  return CheckTopic(run, Topic::kEligibility, "all ancestor donations are eligible");
}

absl::Status CheckCases(CheckRun& run) {
  CUSTODY_RETURN_IF_ERROR(CheckTopic(run, Topic::kCases, "no case"));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<const v1::SubjectState*> states, OrderAndPatient(run));
  for (const v1::SubjectState* state : states) {
    for (const v1::OpenCase& open : state->open_cases()) {
      CUSTODY_ASSIGN_OR_RETURN(const bool is_open, IsOpen(run.view(), open));
      if (!is_open) continue;
      const bool critical = open.severity() == v1::SEVERITY_CRITICAL;
      run.Add(critical ? v1::CHECK_RESULT_VALUE_FAIL : v1::CHECK_RESULT_VALUE_WARN,
              v1::REASON_CODE_E_CASE_OPEN,
              absl::StrFormat("case %s is open", ToHex(open.case_id())), KeyOfState(*state))
          .add_evidence(open.opened_index());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckExcursions(CheckRun& run) {
  return CheckTopic(run, Topic::kExcursions, "no excursion without a judgement");
}

absl::Status CheckEvaluated(CheckRun& run) {
  CUSTODY_RETURN_IF_ERROR(CheckTopic(run, Topic::kEvaluated, "everything was judged"));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<const v1::SubjectState*> states, OrderAndPatient(run));
  for (const v1::SubjectState* state : states) {
    if (state->not_evaluated_since() == 0) continue;
    run.Fail(v1::REASON_CODE_E_NOT_EVALUATED, "an event has no rules in this version",
             KeyOfState(*state))
        .add_evidence(state->not_evaluated_since() - 1);
  }
  return absl::OkStatus();
}

absl::Status CheckCompleteRecord(CheckRun& run) {
  const auto judge = [&run](const v1::SubjectState& state) {
    for (const v1::OpenGroup& group : state.open_groups()) {
      run.Fail(v1::REASON_CODE_E_GROUP_INCOMPLETE,
               absl::StrFormat("%d of %d parts of group %s are recorded", group.parts_seen_size(),
                               group.parts(), ToHex(group.group_id())),
               KeyOfState(state));
    }
  };
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* container, run.Container(id));
    if (container == nullptr) continue;
    judge(*container);
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* lot,
                             run.Find(v1::SUBJECT_KIND_BATCH, container->container().batch_id()));
    if (lot != nullptr) judge(*lot);
  }
  return absl::OkStatus();
}

absl::Status CheckReceipt(CheckRun& run) {
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) {
      run.Unknown("the container is unknown", ContainerKey(id));
    } else if (state->container().receipt_pending()) {
      run.Fail(v1::REASON_CODE_E_MISSING, "the shipment was not inspected (ReceiptInspected)",
               ContainerKey(id));
    } else {
      run.Pass("", ContainerKey(id));
    }
  }
  return absl::OkStatus();
}

namespace {

// Retained vials of the lot stand for the container: one passed, and none failed.
bool LotHasRetainedResult(const v1::BatchState& lot, const v1::ReleaseRow& row) {
  bool passed = false;
  for (const v1::QcResultState& result : lot.results()) {
    if (result.result().test_id() != row.id() || result.invalidated()) continue;
    if (IsStandingFailure(result)) return false;
    passed |= result.attested() && result.computed() == v1::RESULT_VERDICT_PASS &&
              AcceptsMethod(row, result.result().method());
  }
  return passed;
}

void JudgePostThawRow(CheckRun& run, const v1::ReleaseRow& row, const SubjectKey& key,
                      const v1::ContainerState& container) {
  const v1::PostThawState& measured = container.post_thaw();
  const std::optional<v1::QcResult> result = PostThawResultFor(
      row, measured.has_viability_percent() ? &measured.viability_percent() : nullptr,
      measured.viable_cells(), container.cells(), measured.rapid_gram());
  if (!result.has_value()) {
    if (row.missing() == v1::MISSING_RULE_IGNORE) return;
    run.Add(row.missing() == v1::MISSING_RULE_WARN ? v1::CHECK_RESULT_VALUE_WARN
                                                   : v1::CHECK_RESULT_VALUE_FAIL,
            v1::REASON_CODE_E_POST_THAW_QC, absl::StrFormat("%s was not measured", row.id()), key);
    return;
  }
  if (JudgeResult(row, *result) == v1::RESULT_VERDICT_PASS) {
    run.Pass(absl::StrFormat("%s meets its limit", row.id()), key);
    return;
  }
  run.Fail(v1::REASON_CODE_E_POLICY,
           absl::StrFormat("%s (%s) is not met: %d with %d decimals", row.id(), row.test(),
                           result->reported().coefficient(), result->reported().decimals()),
           key)
      .add_evidence(container.post_thaw().index());
}

absl::Status JudgePostThaw(CheckRun& run, const std::string& id, const v1::Policy& policy) {
  const SubjectKey key = ContainerKey(id);
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
  if (state == nullptr) {
    run.Unknown("the container is unknown", key);
    return absl::OkStatus();
  }
  const v1::ContainerState& container = state->container();
  if (container.visual_failed()) {
    run.Fail(v1::REASON_CODE_E_POLICY, "the visual check after thaw did not conform", key);
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(id));
  const bool measured = container.has_post_thaw();
  const bool required = policy.clinical().post_thaw_qc_required();
  if (required && !(measured && container.post_thaw().attested())) {
    run.Fail(v1::REASON_CODE_E_POST_THAW_QC,
             measured ? "the result lacks its second signature" : "no result is recorded", key);
  }
  for (const v1::ReleaseRow& row : policy.rows()) {
    if (row.stage() != v1::ROW_STAGE_POST_THAW) continue;
    if (measured) {
      JudgePostThawRow(run, row, key, container);
    } else if (!required && row.missing() == v1::MISSING_RULE_BLOCK &&
               (lot == nullptr || !LotHasRetainedResult(*lot, row))) {
      run.Fail(
          v1::REASON_CODE_E_POST_THAW_QC,
          absl::StrFormat("%s: neither the container nor retained vials have a result", row.id()),
          key);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPostThawQc(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const bool fresh, run.IsFresh());
  if (fresh) {
    run.NotApplicable("the product is not frozen");
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> now, run.Policy());
  if (!now.has_value()) {
    run.Unknown("no policy is in force");
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, run.ProductId());
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, run.Regime());
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    // The policy in force when it was thawed judges.
    std::optional<PolicyRef> policy = now;
    if (state != nullptr && state->container().thawed_recorded_at_ms() > 0) {
      CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> then,
                               FindPolicyInForce(run.view(), product_id, regime,
                                                 state->container().thawed_recorded_at_ms()));
      if (then.has_value()) policy = then;
    }
    CUSTODY_RETURN_IF_ERROR(JudgePostThaw(run, id, *policy->policy));
  }
  return absl::OkStatus();
}

}  // namespace custody
