#include "lifecycle/lot_rows.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/decimal.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

template <typename List, typename Value>
bool Has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename Listed, typename Asked>
bool AppliesTo(const Listed& listed, const Asked& asked) {
  return listed.empty() ||
         std::any_of(listed.begin(), listed.end(), [&](auto value) { return Has(asked, value); });
}

bool IsBank(v1::BatchKind kind) {
  return kind == v1::BATCH_KIND_MASTER_CELL_BANK || kind == v1::BATCH_KIND_WORKING_CELL_BANK;
}

std::string TextOf(const v1::Decimal& value) {
  const auto decimal = Decimal::Create(value.coefficient(), value.decimals());
  return decimal.ok() ? decimal->ToString() : "?";
}

std::string ValueText(const v1::QcResult& result) {
  return result.has_reported() ? TextOf(result.reported()) : EnumLabel(result.qualitative());
}

// One lot and one policy.
class LotJudge {
 public:
  LotJudge(const StateView& view, const LotUse& use) : view_(view), use_(use) {}

  absl::Status Read(std::string_view batch_id);
  std::vector<RowJudgement> Judge(const v1::Policy& policy);

 private:
  bool Concerns(const v1::ReleaseRow& row) const;
  RowJudgement JudgeRow(const v1::ReleaseRow& row) const;
  void AddResults(const v1::BatchState& batch, RowJudgement* judgement, bool* passed) const;
  // The value that the record itself gives for a row.
  std::optional<v1::QcResult> ComputedValue(const v1::ReleaseRow& row) const;
  RowJudgement JudgeEligibility(const v1::ReleaseRow& row) const;

  const StateView& view_;
  const LotUse& use_;
  const v1::BatchState* lot_ = nullptr;
  Ancestry ancestry_;
  std::vector<const v1::BatchState*> batches_;  // The lot first.
  std::vector<std::pair<std::string, const v1::DonationState*>> donations_;
  CultureAge age_;
};

absl::Status LotJudge::Read(std::string_view batch_id) {
  CUSTODY_ASSIGN_OR_RETURN(ancestry_,
                           Ancestors(view_, {v1::SUBJECT_KIND_BATCH, std::string(batch_id)}));
  for (const std::string& id : ancestry_.batches) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                             view_.Find({v1::SUBJECT_KIND_BATCH, id}));
    if (state != nullptr && state->has_batch()) batches_.push_back(&state->batch());
    if (id == batch_id && state != nullptr && state->has_batch()) lot_ = &state->batch();
  }
  if (lot_ == nullptr) return absl::NotFoundError("the batch is unknown");
  for (const std::string& id : ancestry_.donations) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                             view_.Find({v1::SUBJECT_KIND_DONATION, id}));
    const bool is_known = state != nullptr && state->has_donation();
    donations_.emplace_back(id, is_known ? &state->donation() : nullptr);
  }
  CUSTODY_ASSIGN_OR_RETURN(age_, FindCultureAge(view_, ancestry_));
  return absl::OkStatus();
}

bool LotJudge::Concerns(const v1::ReleaseRow& row) const {
  if (row.stage() != v1::ROW_STAGE_RELEASE) return false;
  if (!AppliesTo(row.regimes(), use_.regimes) || !AppliesTo(row.routes(), use_.routes))
    return false;
  if (lot_->kind() == v1::BATCH_KIND_DRUG_PRODUCT_LOT) {
    return row.scope() == v1::ROW_SCOPE_LOT || row.scope() == v1::ROW_SCOPE_BANK;
  }
  return IsBank(lot_->kind()) && row.scope() == v1::ROW_SCOPE_BANK;
}

void LotJudge::AddResults(const v1::BatchState& batch, RowJudgement* judgement,
                          bool* passed) const {
  for (const v1::QcResultState& known : batch.results()) {
    if (known.invalidated() || known.result().test_id() != judgement->row->id()) continue;
    const bool met = JudgeResult(*judgement->row, known.result()) == v1::RESULT_VERDICT_PASS &&
                     known.result().verdict() != v1::RESULT_VERDICT_FAIL;
    const bool counts = known.attested() && AcceptsMethod(*judgement->row, known.result().method());
    if (met && !counts) continue;
    judgement->evidence.push_back(known.index());
    judgement->detail = ValueText(known.result());
    if (!met) {
      judgement->outcome = RowOutcome::kNotMet;
      return;
    }
    *passed = true;
  }
}

std::optional<v1::QcResult> LotJudge::ComputedValue(const v1::ReleaseRow& row) const {
  v1::QcResult value;
  value.set_unit(row.unit());
  if (row.id() == "PA-01") {
    value.mutable_reported()->set_coefficient(age_.passage_number);
    return value;
  }
  if (row.id() == "PA-02") {
    if (!age_.population_doublings.has_value()) return std::nullopt;
    *value.mutable_reported() = *age_.population_doublings;
    return value;
  }
  if (row.id() == "LB-01") {
    if (!lot_->labels_reconciled() && lot_->label_difference() == 0) return std::nullopt;
    value.mutable_reported()->set_coefficient(lot_->label_difference());
    return value;
  }
  if (row.id() == "RS-01" && lot_->has_cryoprotectant_percent_vv() &&
      !lot_->cryoprotectant_unknown()) {
    *value.mutable_reported() = lot_->cryoprotectant_percent_vv();
    return value;
  }
  return std::nullopt;
}

RowJudgement LotJudge::JudgeEligibility(const v1::ReleaseRow& row) const {
  RowJudgement judgement{.row = &row, .outcome = RowOutcome::kMet, .detail = "", .evidence = {}};
  if (donations_.empty()) judgement.outcome = RowOutcome::kMissing;
  for (const auto& [id, donation] : donations_) {
    for (const v1::Regime regime : use_.regimes) {
      const std::optional<std::string> why =
          donation == nullptr ? "unknown donation" : WhyNotEligible(*donation, regime);
      if (!why.has_value()) continue;
      judgement.outcome = RowOutcome::kNotMet;
      judgement.detail = absl::StrFormat("donation %s: %s", ToHex(id), *why);
    }
  }
  return judgement;
}

RowJudgement LotJudge::JudgeRow(const v1::ReleaseRow& row) const {
  if (row.id() == "DE-01") return JudgeEligibility(row);
  RowJudgement judgement{
      .row = &row, .outcome = RowOutcome::kMissing, .detail = "", .evidence = {}};
  bool passed = false;
  if (row.scope() == v1::ROW_SCOPE_BANK) {
    for (const v1::BatchState* batch : batches_) {
      if (judgement.outcome != RowOutcome::kNotMet) AddResults(*batch, &judgement, &passed);
    }
  } else {
    AddResults(*lot_, &judgement, &passed);
  }
  if (judgement.outcome == RowOutcome::kNotMet) return judgement;
  const std::optional<v1::QcResult> computed = ComputedValue(row);
  // A reported result of residues says more than the recipe does.
  if (computed.has_value() && !(row.id() == "RS-01" && passed)) {
    judgement.detail = TextOf(computed->reported());
    passed = JudgeResult(row, *computed) == v1::RESULT_VERDICT_PASS;
    if (!passed) judgement.outcome = RowOutcome::kNotMet;
  }
  if (passed) judgement.outcome = RowOutcome::kMet;
  return judgement;
}

std::vector<RowJudgement> LotJudge::Judge(const v1::Policy& policy) {
  std::vector<RowJudgement> judgements;
  std::set<std::string> satisfied_groups;
  for (const v1::ReleaseRow& row : policy.rows()) {
    if (!Concerns(row)) continue;
    judgements.push_back(JudgeRow(row));
    const bool is_met = judgements.back().outcome == RowOutcome::kMet;
    if (is_met && !row.alternative_group().empty())
      satisfied_groups.insert(row.alternative_group());
  }
  for (RowJudgement& judgement : judgements) {
    if (judgement.outcome == RowOutcome::kMissing &&
        satisfied_groups.contains(judgement.row->alternative_group())) {
      judgement.outcome = RowOutcome::kNotNeeded;
    }
  }
  return judgements;
}

}  // namespace

bool RowJudgement::blocks() const {
  if (outcome == RowOutcome::kNotMet) return true;
  return outcome == RowOutcome::kMissing && row->missing() == v1::MISSING_RULE_BLOCK;
}

absl::StatusOr<std::vector<RowJudgement>> JudgeLotRows(const StateView& view,
                                                       std::string_view batch_id,
                                                       const v1::Policy& policy,
                                                       const LotUse& use) {
  LotJudge judge(view, use);
  CUSTODY_RETURN_IF_ERROR(judge.Read(batch_id));
  return judge.Judge(policy);
}

bool IsStandingFailure(const v1::QcResultState& result) {
  return !result.invalidated() && (result.computed() == v1::RESULT_VERDICT_FAIL ||
                                   result.result().verdict() == v1::RESULT_VERDICT_FAIL);
}

const v1::EligibilityState* FindEligibility(const v1::DonationState& donation, v1::Regime regime) {
  const v1::EligibilityState* found = nullptr;
  for (const v1::EligibilityState& eligibility : donation.eligibility()) {
    if (eligibility.regime() == regime) found = &eligibility;
  }
  return found;
}

std::optional<std::string> WhyNotEligible(const v1::DonationState& donation, v1::Regime regime) {
  const v1::EligibilityState* const found = FindEligibility(donation, regime);
  const std::string name = EnumLabel(regime);
  if (found == nullptr) return absl::StrFormat("not determined for %s", name);
  if (found->reopened()) return absl::StrFormat("reopened for %s", name);
  switch (found->outcome()) {
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE:
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK:
      return std::nullopt;
    case v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED:
      if (donation.intent() == v1::DONATION_INTENT_AUTOLOGOUS) return std::nullopt;
      return "no determination is not enough for an allogeneic donation";
    default:
      return absl::StrFormat("%s for %s", EnumLabel(found->outcome()), name);
  }
}

absl::StatusOr<CultureAge> FindCultureAge(const StateView& view, const Ancestry& ancestry) {
  CultureAge age;
  for (const std::string& id : ancestry.batches) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                             view.Find({v1::SUBJECT_KIND_BATCH, id}));
    if (state == nullptr || !state->has_batch()) continue;
    const v1::BatchState& batch = state->batch();
    age.passage_number = std::max(age.passage_number, batch.passage_number());
    if (!batch.has_population_doublings_total()) continue;
    if (!age.population_doublings.has_value() ||
        CompareDecimals(batch.population_doublings_total(), *age.population_doublings) > 0) {
      age.population_doublings = batch.population_doublings_total();
    }
  }
  return age;
}

}  // namespace custody
