#include "tests/support/rule_bench.h"

#include <algorithm>
#include <utility>

#include "lifecycle/policy.h"
#include "lifecycle/rules.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

v1::ReleaseRow* AddRow(const char* id, v1::Policy* policy) {
  v1::ReleaseRow* const row = policy->add_rows();
  row->set_id(id);
  row->set_scope(v1::ROW_SCOPE_LOT);
  row->set_stage(v1::ROW_STAGE_RELEASE);
  row->set_test(id);
  row->set_missing(v1::MISSING_RULE_BLOCK);
  row->set_rounding(v1::ROUNDING_USP_7_20);
  return row;
}

v1::ReleaseRow* AddNumber(const char* id, v1::Comparator comparator, std::int64_t coefficient,
                          std::uint32_t decimals, const char* unit, v1::Policy* policy) {
  v1::ReleaseRow* const row = AddRow(id, policy);
  row->set_comparator(comparator);
  row->mutable_limit()->set_coefficient(coefficient);
  row->mutable_limit()->set_decimals(decimals);
  row->set_unit(unit);
  return row;
}

v1::ReleaseRow* AddWord(const char* id, v1::QualitativeResult expected, v1::Policy* policy) {
  v1::ReleaseRow* const row = AddRow(id, policy);
  row->set_comparator(v1::COMPARATOR_IS);
  row->set_expected(expected);
  return row;
}

}  // namespace

bool RuleBench::Outcome::Has(v1::ReasonCode code) const {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const v1::Finding& finding) { return finding.code() == code; });
}

RuleBench::RuleBench() : product_id_(16, 'p') { SetPolicy(DefaultPolicy(product_id_)); }

v1::Policy RuleBench::DefaultPolicy(const std::string& product_id) {
  v1::Policy policy;
  policy.set_product_id(product_id);
  policy.set_version("test");
  AddNumber("ID-01", v1::COMPARATOR_GREATER_OR_EQUAL, 950, 1, "%", &policy)
      ->add_methods("flow cytometry");
  AddNumber("ID-07a", v1::COMPARATOR_LESS_OR_EQUAL, 20, 1, "%", &policy)
      ->set_alternative_group("CD14-CD11B");
  AddNumber("ID-07b", v1::COMPARATOR_LESS_OR_EQUAL, 20, 1, "%", &policy)
      ->set_alternative_group("CD14-CD11B");
  AddWord("ID-10", v1::QUALITATIVE_RESULT_CONFORMS, &policy)->set_scope(v1::ROW_SCOPE_BANK);
  AddWord("ST-01", v1::QUALITATIVE_RESULT_NO_GROWTH, &policy);
  AddNumber("EN-02", v1::COMPARATOR_LESS_OR_EQUAL, 20, 2, "EU/mL", &policy)
      ->add_routes(v1::ROUTE_INTRATHECAL);
  AddNumber("PA-01", v1::COMPARATOR_LESS_OR_EQUAL, 5, 0, "", &policy);
  AddNumber("PA-02", v1::COMPARATOR_LESS_OR_EQUAL, 200, 1, "", &policy);
  AddNumber("LB-01", v1::COMPARATOR_EQUAL, 0, 0, "labels", &policy);
  AddWord("DE-01", v1::QUALITATIVE_RESULT_CONFORMS, &policy);
  AddNumber("VI-02", v1::COMPARATOR_GREATER, 900, 1, "%", &policy)
      ->set_scope(v1::ROW_SCOPE_CONTAINER);
  policy.mutable_rows(policy.rows_size() - 1)->set_stage(v1::ROW_STAGE_POST_THAW);
  v1::ManufacturingPolicy* const making = policy.mutable_manufacturing();
  making->set_passage_max(5);
  making->add_checkpoints_required("STERILITY");
  v1::EnvironmentRule* const rule = making->add_environment();
  rule->set_openness("OPEN");
  rule->set_local_class("A");
  rule->set_background_class("B");
  making->mutable_cryoprotectant_percent_vv_max()->set_coefficient(100);
  making->mutable_cryoprotectant_percent_vv_max()->set_decimals(1);
  policy.mutable_storage()->set_shelf_life_days(730);
  return policy;
}

void RuleBench::SetPolicy(const v1::Policy& policy) {
  const std::string bytes = policy.SerializeAsString();
  const Digest hash = PolicyHash(bytes);
  policy_hash_ = std::string(hash.view());
  v1::PolicyState* const state =
      view_.State(v1::SUBJECT_KIND_POLICY, PolicyIdOf(hash)).mutable_policy();
  state->set_policy(bytes);
  state->set_policy_hash(policy_hash_);
  v1::ProductState* const product =
      view_.State(v1::SUBJECT_KIND_PRODUCT, product_id_).mutable_product();
  product->Clear();
  product->set_name("MSC");
  for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU}) {
    product->add_regimes(regime);
    v1::PolicyInForce* const in_force = product->add_policies();
    in_force->set_regime(regime);
    in_force->set_policy_id(PolicyIdOf(hash));
    in_force->set_policy_hash(policy_hash_);
  }
}

void RuleBench::AddDonation(const std::string& donation_id, const std::string& donor_id) {
  view_.Donor(donor_id).set_donor_type(v1::DONOR_TYPE_ADULT);
  v1::DonationState& donation = view_.Donation(donation_id);
  donation.set_donor_id(donor_id);
  donation.set_intent(v1::DONATION_INTENT_ALLOGENEIC);
  donation.set_starting_material(v1::RECEIPT_DECISION_ACCEPT);
  for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU}) {
    v1::EligibilityState* const eligibility = donation.add_eligibility();
    eligibility->set_regime(regime);
    eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
  }
}

RuleBench::Outcome RuleBench::Play(const ScenarioStep& step, Standing standing) {
  ParsedEvent parsed;
  parsed.event = step.event;
  parsed.catalogue = FindCatalogueEntry(parsed.event);
  if (!parsed.catalogue->is_observation()) parsed.event.set_policy_hash(policy_hash_);
  FillSubjects(&parsed.event);
  for (const v1::SubjectRef& ref : parsed.event.subjects()) parsed.subjects.push_back(KeyOf(ref));
  std::vector<EventSigner> signers;
  for (const ScenarioSigner& by : step.signers) {
    const bool is_device = by.role == v1::ROLE_DEVICE;
    const SubjectKey key{is_device ? v1::SUBJECT_KIND_DEVICE : v1::SUBJECT_KIND_PERSON,
                         ActorId(by.actor)};
    signers.push_back({key, by.role, by.meaning, now_ms, true});
    ParsedSignature signature;
    signature.signer = key;
    signature.statement.set_role(by.role);
    signature.statement.set_meaning(by.meaning);
    parsed.signatures.push_back(std::move(signature));
  }
  Outcome outcome;
  outcome.index = next_index_++;
  parsed.digest = Sha256(parsed.event.SerializeAsString() + std::to_string(outcome.index));

  const Rule* const rule = FindRule(parsed.event.body_case());
  RuleContext context(view_, parsed, now_ms);
  context.set_signers(std::move(signers));
  if (rule != nullptr) rule->guard(context);
  for (const RuleContext::Violation& violation : context.violations()) {
    outcome.codes.push_back(violation.code);
    v1::Finding& finding = outcome.findings.emplace_back();
    finding.set_code(violation.code);
    finding.set_severity(violation.severity);
    finding.set_detail(violation.detail);
  }
  outcome.findings.insert(outcome.findings.end(), context.notes().begin(), context.notes().end());
  outcome.recorded = parsed.catalogue->is_observation() || outcome.codes.empty();
  if (!outcome.recorded) return outcome;
  for (std::size_t i = 0; rule != nullptr && i < parsed.subjects.size(); ++i) {
    const SubjectKey& key = parsed.subjects[i];
    rule->fold({parsed, outcome.index, now_ms, outcome.findings, standing, key,
                parsed.event.subjects(static_cast<int>(i)).role()},
               &view_.State(key.kind, key.id));
  }
  outcome.consequences = context.consequences();
  for (const v1::Event& event : outcome.consequences) Play(ScenarioStep{event, {}});
  return outcome;
}

RuleBench::Outcome RuleBench::Play(v1::Event event, std::vector<ScenarioSigner> signers,
                                   Standing standing) {
  event.mutable_occurred_at()->set_utc_ms(now_ms);
  return Play(ScenarioStep{std::move(event), std::move(signers)}, standing);
}

std::vector<v1::ReasonCode> RuleBench::PlayAll(const std::vector<ScenarioStep>& steps) {
  std::vector<v1::ReasonCode> codes;
  for (const ScenarioStep& step : steps) {
    const Outcome outcome = Play(step);
    codes.insert(codes.end(), outcome.codes.begin(), outcome.codes.end());
  }
  return codes;
}

LotScenario RuleBench::MakeLot(bool released, int containers) {
  AddDonation(Id('n'), Id('d'));
  LotScenarioOptions options;
  options.donation_id = Id('n');
  options.product_id = product_id_;
  options.site_id = Id('s');
  options.containers = containers;
  LotScenario lot = MakeLotScenario(options);
  // Rows that the policy of the bench does not have are left out.
  v1::QcResultReported* const report = lot.testing.back().event.mutable_qc_result_reported();
  const v1::Policy policy = DefaultPolicy(product_id_);
  v1::QcResultReported kept = *report;
  kept.clear_results();
  lot.result_ids.clear();
  for (const v1::QcResult& result : report->results()) {
    if (FindRow(policy, result.test_id()) == nullptr) continue;
    *kept.add_results() = result;
    lot.result_ids.push_back(result.result_id());
  }
  *report = std::move(kept);
  v1::CoaIssued* const certificate = lot.release[1].event.mutable_coa_issued();
  certificate->clear_result_ids();
  for (const std::string& id : lot.result_ids) certificate->add_result_ids(id);
  PlayAll(lot.manufacture);
  PlayAll(lot.testing);
  if (released) PlayAll(lot.release);
  return lot;
}

}  // namespace custody
