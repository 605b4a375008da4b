#include "lifecycle/lot_fitness.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

void ViolateWith(RuleContext& context, v1::ReasonCode code, std::string message, std::string detail,
                 std::vector<std::uint64_t> evidence, SubjectKey subject) {
  RuleContext::Violation violation;
  violation.code = code;
  violation.message = std::move(message);
  violation.detail = std::move(detail);
  violation.evidence = std::move(evidence);
  violation.subject = std::move(subject);
  context.Violate(std::move(violation));
}

// What can be wrong with a subject of any kind. Cases on the lot itself are found by the framework,
// as on every subject of a decision.
void RequireNothingOpen(RuleContext& context, const SubjectKey& key, const SubjectKey& lot) {
  const v1::SubjectState* const state = context.Find(key.kind, key.id);
  if (state == nullptr) return;
  for (const v1::OpenHold& hold : state->holds()) {
    ViolateWith(context, v1::REASON_CODE_E_HOLD, absl::StrFormat("%s is on hold", Describe(key)),
                hold.hold_reason_code(), {hold.placed_index()}, key);
  }
  for (const v1::OpenCase& open_case : state->open_cases()) {
    if (open_case.severity() != v1::SEVERITY_CRITICAL || key == lot) continue;
    if (!context.IsOpen(open_case)) continue;
    ViolateWith(context, v1::REASON_CODE_E_CASE_OPEN,
                absl::StrFormat("a critical case is open on %s", Describe(key)),
                ToHex(open_case.case_id()), {open_case.opened_index()}, key);
  }
  if (state->not_evaluated_since() != 0) {
    ViolateWith(context, v1::REASON_CODE_E_NOT_EVALUATED,
                absl::StrFormat("%s has an event without rules", Describe(key)), "",
                {state->not_evaluated_since() - 1}, key);
  }
  if (state->open_groups_size() > 0) {
    ViolateWith(context, v1::REASON_CODE_E_GROUP_INCOMPLETE,
                absl::StrFormat("parts of an act on %s are missing", Describe(key)), "", {}, key);
  }
}

void RequireAncestorPhase(RuleContext& context, const std::string& id,
                          const v1::BatchState& batch) {
  const auto bad = [&](v1::ReasonCode code) {
    const std::string phase = EnumLabel(batch.phase());
    Violate(context, code, v1::SEVERITY_CRITICAL,
            absl::StrFormat("%s, an ancestor, is in %s", Describe(BatchKey(id)), phase), phase,
            BatchKey(id));
  };
  switch (batch.phase()) {
    case v1::BATCH_PHASE_REJECTED:
      return bad(v1::REASON_CODE_E_REJECTED);
    case v1::BATCH_PHASE_RECALLED:
      return bad(v1::REASON_CODE_E_RECALLED);
    case v1::BATCH_PHASE_SUSPENDED:
      return bad(v1::REASON_CODE_E_HOLD);
    case v1::BATCH_PHASE_UNSPECIFIED:
    case v1::BATCH_PHASE_ABORTED:
      return bad(v1::REASON_CODE_E_STATE);
    default:
      return;
  }
}

void RequireNoInvestigation(RuleContext& context, const std::string& id,
                            const v1::BatchState& batch) {
  for (const v1::OosState& oos : batch.oos()) {
    if (oos.closed()) continue;
    Violate(context, v1::REASON_CODE_E_OOS_OPEN, v1::SEVERITY_CRITICAL,
            absl::StrFormat("an investigation of row %s is open", oos.test_id()), oos.test_id(),
            BatchKey(id));
  }
}

void ViolateFailure(RuleContext& context, const std::string& batch_id,
                    const v1::QcResultState& failed) {
  const std::string& test_id = failed.result().test_id();
  ViolateWith(context, v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION,
              absl::StrFormat("%s: a result of %s is out of specification",
                              Describe(BatchKey(batch_id)), test_id),
              test_id, {failed.index()}, BatchKey(batch_id));
}

// The result is about the batch as a whole, or about a container that cells of the lot came from.
bool ConcernsLot(const Ancestry& ancestry, const v1::QcResultState& result) {
  const std::vector<std::string>& sources = ancestry.source_containers;
  return result.container_id().empty() ||
         std::find(sources.begin(), sources.end(), result.container_id()) != sources.end();
}

// A failure of a batch that the lot comes from stands until it is corrected or invalidated.
void RequireNoFailureOf(RuleContext& context, const Ancestry& ancestry, const std::string& id,
                        const v1::BatchState& ancestor) {
  for (const v1::QcResultState& known : ancestor.results()) {
    if (IsStandingFailure(known) && ConcernsLot(ancestry, known))
      ViolateFailure(context, id, known);
  }
}

// Rows judge the results that the policies know; a failure of anything else is judged here.
void RequireNoUnknownFailure(RuleContext& context, const std::string& batch_id,
                             const v1::BatchState& lot) {
  const std::vector<PolicyRef> policies = PoliciesOf(context, lot);
  for (const v1::QcResultState& known : lot.results()) {
    const bool is_known = std::any_of(policies.begin(), policies.end(), [&](const auto& policy) {
      return FindRow(*policy.policy, known.result().test_id()) != nullptr;
    });
    if (!is_known && IsStandingFailure(known)) ViolateFailure(context, batch_id, known);
  }
}

void RequireDonation(RuleContext& context, const std::string& id, const LotUse& use) {
  const SubjectKey key{v1::SUBJECT_KIND_DONATION, id};
  const v1::DonationState* const donation = context.Donation(id);
  if (donation == nullptr) return;  // RequireAncestry() says that it is unknown.
  if (donation->starting_material() != v1::RECEIPT_DECISION_ACCEPT) {
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_CRITICAL,
            absl::StrFormat("the starting material of %s is not accepted", Describe(key)), "PRC-05",
            key);
  }
  for (const v1::Regime regime : use.regimes) {
    const std::optional<std::string> why = WhyNotEligible(*donation, regime);
    if (!why.has_value()) continue;
    const v1::EligibilityState* const found = FindEligibility(*donation, regime);
    std::vector<std::uint64_t> evidence;
    if (found != nullptr) evidence.push_back(found->determined_index());
    ViolateWith(context, v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE,
                absl::StrFormat("%s: %s", Describe(key), *why), EnumLabel(regime),
                std::move(evidence), key);
  }
}

void RequireAncestry(RuleContext& context, const Ancestry& ancestry, const std::string& batch_id) {
  for (const SubjectKey& key : ancestry.unknown) {
    Violate(context, v1::REASON_CODE_E_UNKNOWN_SUBJECT, v1::SEVERITY_CRITICAL,
            absl::StrFormat("%s, an ancestor, is not known", Describe(key)), Describe(key), key);
  }
  if (ancestry.truncated) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL,
            "the ancestors are too many to check them all", "ancestors", BatchKey(batch_id));
  }
  if (ancestry.donations.empty()) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_CRITICAL,
            "the lot comes from no donation", "PRC-01", BatchKey(batch_id));
  }
}

}  // namespace

void RequireNoGraveDeviation(RuleContext& context, const std::string& batch_id,
                             const v1::BatchState& batch) {
  for (const v1::DeviationState& deviation : batch.deviations()) {
    if (!IsGraveAndOpen(deviation)) continue;
    ViolateWith(context, v1::REASON_CODE_E_DEVIATION_OPEN,
                absl::StrFormat("a deviation %s is open (%s)", deviation.description_code(),
                                EnumLabel(deviation.deviation_class())),
                ToHex(deviation.deviation_id()), {deviation.opened_index()}, BatchKey(batch_id));
  }
}

void RequireEnvironment(RuleContext& context, const std::string& batch_id,
                        const v1::BatchState& batch) {
  for (int i = 0; i < batch.environment_failures_size(); ++i) {
    const std::uint64_t index = batch.environment_failure_indices(i);
    bool is_answered = false;
    for (const v1::DeviationState& deviation : batch.deviations()) {
      is_answered = is_answered || (deviation.closed() && deviation.opened_index() > index &&
                                    deviation.description_code() == kEnvironmentDeviation);
    }
    if (is_answered) continue;
    ViolateWith(
        context, v1::REASON_CODE_E_POLICY,
        absl::StrFormat("the environment was not good enough: %s", batch.environment_failures(i)),
        kEnvironmentDeviation, {index}, BatchKey(batch_id));
  }
}

void RequireRows(RuleContext& context, const std::string& batch_id,
                 const std::vector<PolicyRef>& policies, const LotUse& use) {
  for (const PolicyRef& policy : policies) {
    const absl::StatusOr<std::vector<RowJudgement>> rows =
        JudgeLotRows(context.view(), batch_id, *policy.policy, use);
    if (!rows.ok()) return context.KeepError(rows.status());
    for (const RowJudgement& judgement : *rows) {
      if (!judgement.blocks()) continue;
      const bool is_missing = judgement.outcome == RowOutcome::kMissing;
      ViolateWith(context, is_missing ? v1::REASON_CODE_E_MISSING : v1::REASON_CODE_E_POLICY,
                  is_missing ? absl::StrFormat("row %s (%s) has no attested result",
                                               judgement.row->id(), judgement.row->test())
                             : absl::StrFormat("row %s (%s) is not met: %s", judgement.row->id(),
                                               judgement.row->test(), judgement.detail),
                  judgement.row->id(), judgement.evidence, BatchKey(batch_id));
    }
  }
}

void RequireFitLot(RuleContext& context, const std::string& batch_id, const v1::BatchState& batch,
                   const std::vector<PolicyRef>& policies, const LotUse& use) {
  const Ancestry ancestry = AncestorsOf(context, batch_id);
  RequireAncestry(context, ancestry, batch_id);
  for (const SubjectKey& key : ancestry.Subjects()) {
    RequireNothingOpen(context, key, BatchKey(batch_id));
  }
  for (const std::string& id : ancestry.batches) {
    const v1::BatchState* const ancestor = context.Batch(id);
    if (ancestor == nullptr) continue;
    if (id != batch_id) RequireAncestorPhase(context, id, *ancestor);
    RequireNoInvestigation(context, id, *ancestor);
    if (id != batch_id) RequireNoFailureOf(context, ancestry, id, *ancestor);
    RequireNoGraveDeviation(context, id, *ancestor);
    RequireEnvironment(context, id, *ancestor);
  }
  for (const std::string& id : ancestry.donations) RequireDonation(context, id, use);
  for (const std::string& id : ancestry.materials) {
    const v1::MaterialState* const material = context.Material(id);
    if (material == nullptr || material->released()) continue;
    Violate(context, v1::REASON_CODE_E_MATERIAL, v1::SEVERITY_MAJOR,
            "a material that touched the cells is not released", ToHex(id),
            {v1::SUBJECT_KIND_MATERIAL, id});
  }
  RequireNoUnknownFailure(context, batch_id, batch);
  RequireRows(context, batch_id, policies, use);
}

}  // namespace custody
