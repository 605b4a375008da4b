// States of a dose at the bedside, put together by hand: everything is as it should be, and a test
// spoils one thing.
//
// Threads: one test, one thread.

#ifndef CUSTODY_TESTS_SUPPORT_BEDSIDE_STATES_H_
#define CUSTODY_TESTS_SUPPORT_BEDSIDE_STATES_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "custody/v1/verdict.pb.h"
#include "lifecycle/policy.h"
#include "lifecycle/state_view.h"

namespace custody {

class BedsideStates final : public StateView {
 public:
  static constexpr std::int64_t kNowMs = 1'795'000'000'000;
  static constexpr std::int64_t kHourMs = 3'600'000;
  static constexpr char kKey[] = "isbt:A9999:A999925000001:S1234:0000A0";

  BedsideStates() {
    AddPolicy();
    AddOrigin();
    AddLot();
    AddClinic();
  }

  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    if (withheld.contains(key)) return absl::FailedPreconditionError("E_MISSING");
    const auto found = states.find(key);
    return found == states.end() ? nullptr : &found->second;
  }

  v1::SubjectState& At(v1::SubjectKind kind, const std::string& id) {
    v1::SubjectState& state = states[SubjectKey{kind, id}];
    state.set_kind(kind);
    state.set_id(id);
    return state;
  }
  v1::ContainerState& container() {
    return *At(v1::SUBJECT_KIND_CONTAINER, container_id).mutable_container();
  }
  v1::BatchState& lot() { return *At(v1::SUBJECT_KIND_BATCH, lot_id).mutable_batch(); }
  v1::OrderState& order() { return *At(v1::SUBJECT_KIND_ORDER, order_id).mutable_order(); }
  v1::PatientState& patient() {
    return *At(v1::SUBJECT_KIND_PATIENT, patient_id).mutable_patient();
  }

  v1::VerdictRequest Request(v1::Stage stage) const {
    v1::VerdictRequest request;
    request.set_stage(stage);
    request.add_container_ids(container_id);
    request.set_order_id(order_id);
    request.set_patient_token(patient_id);
    request.add_scanned_keys(kKey);
    request.set_route(v1::ROUTE_INTRAVENOUS);
    request.set_planned_duration_ms(kHourMs / 2);
    request.set_at_ms(kNowMs);
    request.set_site_id(site_id);
    return request;
  }

  const std::string product_id = std::string(16, 'p');
  const std::string donor_id = std::string(16, 'd');
  const std::string donation_id = std::string(16, 'n');
  const std::string bank_id = std::string(16, 'k');
  const std::string lot_id = std::string(16, 'l');
  const std::string material_id = std::string(16, 'm');
  const std::string container_id = std::string(16, 'c');
  const std::string order_id = std::string(16, 'o');
  const std::string patient_id = std::string(16, 't');
  const std::string site_id = std::string(16, 's');
  const std::string tank_id = std::string(16, 'v');
  std::map<SubjectKey, v1::SubjectState> states;
  // A bundle that lacks these.
  std::set<SubjectKey> withheld;

  // Puts a policy in force in place of the one before.
  void ReplacePolicy(const v1::Policy& policy) {
    const std::string bytes = policy.SerializeAsString();
    const Digest hash = PolicyHash(bytes);
    v1::PolicyState& state = *At(v1::SUBJECT_KIND_POLICY, PolicyIdOf(hash)).mutable_policy();
    state.set_policy(bytes);
    state.set_policy_hash(std::string(hash.view()));
    state.set_product_id(product_id);
    state.set_activated(true);
    v1::ProductState& product = *At(v1::SUBJECT_KIND_PRODUCT, product_id).mutable_product();
    product.clear_policies();
    v1::PolicyInForce* in_force = product.add_policies();
    in_force->set_regime(v1::REGIME_EU);
    in_force->set_policy_id(PolicyIdOf(hash));
    in_force->set_policy_hash(std::string(hash.view()));
    in_force->set_effective_from_ms(1);
  }

 private:
  void AddPolicy() {
    v1::Policy policy;
    policy.set_product_id(product_id);
    policy.set_version("test");
    policy.add_regimes(v1::REGIME_EU);
    v1::ReleaseRow* row = policy.add_rows();
    row->set_id("VI-02");
    row->set_scope(v1::ROW_SCOPE_CONTAINER);
    row->set_stage(v1::ROW_STAGE_POST_THAW);
    row->set_test("viability after thaw");
    row->set_unit("%");
    row->set_comparator(v1::COMPARATOR_GREATER);
    row->mutable_limit()->set_coefficient(900);
    row->mutable_limit()->set_decimals(1);
    row->set_rounding(v1::ROUNDING_USP_7_20);
    row->set_missing(v1::MISSING_RULE_BLOCK);
    policy.mutable_storage()->set_cumulated_above_action_max_ms(300'000);
    v1::ClinicalPolicy* clinical = policy.mutable_clinical();
    clinical->set_post_thaw_expiry_ms(kHourMs);
    clinical->set_post_thaw_qc_required(true);
    clinical->set_dose_percent_min(90);
    clinical->set_dose_percent_max(110);
    clinical->set_dmso_max_mg_per_kg_24h(1000);
    clinical->set_dmso_density_mg_per_ml(1100);
    v1::EndotoxinRule* endotoxin = clinical->add_endotoxin();
    endotoxin->set_route(v1::ROUTE_INTRAVENOUS);
    endotoxin->mutable_eu_per_kg()->set_coefficient(50);
    endotoxin->mutable_eu_per_kg()->set_decimals(1);
    endotoxin->set_per_hour(true);
    clinical->set_cmv_rule(true);
    clinical->set_mixed_lot_warning(true);
    clinical->set_denied_attempts_max(2);
    v1::ProductState& product = *At(v1::SUBJECT_KIND_PRODUCT, product_id).mutable_product();
    product.add_regimes(v1::REGIME_EU);
    product.set_presentation(v1::PRESENTATION_FROZEN);
    ReplacePolicy(policy);
  }

  void AddOrigin() {
    At(v1::SUBJECT_KIND_DONOR, donor_id).mutable_donor();
    v1::DonationState& donation = *At(v1::SUBJECT_KIND_DONATION, donation_id).mutable_donation();
    donation.set_donor_id(donor_id);
    donation.set_intent(v1::DONATION_INTENT_ALLOGENEIC);
    v1::EligibilityState* eligibility = donation.add_eligibility();
    eligibility->set_regime(v1::REGIME_EU);
    eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
    v1::MaterialState& material = *At(v1::SUBJECT_KIND_MATERIAL, material_id).mutable_material();
    material.set_animal_origin(v1::ANSWER_YES);
    material.add_animal_proteins("BOVINE");
    v1::BatchState& bank = *At(v1::SUBJECT_KIND_BATCH, bank_id).mutable_batch();
    bank.set_kind(v1::BATCH_KIND_MASTER_CELL_BANK);
    bank.set_phase(v1::BATCH_PHASE_IN_PROCESS);
    bank.add_parents()->set_donation_id(donation_id);
    bank.add_material_ids(material_id);
  }

  void AddLot() {
    v1::BatchState& batch = lot();
    batch.set_kind(v1::BATCH_KIND_DRUG_PRODUCT_LOT);
    batch.set_product_id(product_id);
    batch.add_parents()->set_batch_id(bank_id);
    batch.set_phase(v1::BATCH_PHASE_RELEASED);
    batch.add_regimes(v1::REGIME_EU);
    batch.add_release_regimes(v1::REGIME_EU);
    batch.add_release_routes(v1::ROUTE_INTRAVENOUS);
    batch.set_release_scope(v1::RELEASE_SCOPE_CLINICAL);
    batch.set_expires_at_ms(kNowMs + 1000 * kHourMs);
    batch.mutable_cryoprotectant_percent_vv()->set_coefficient(10);
    v1::QcResultState* endotoxin = batch.add_results();
    endotoxin->mutable_result()->set_test_id("EN-01");
    endotoxin->mutable_result()->set_unit("EU/mL");
    endotoxin->mutable_result()->mutable_reported()->set_coefficient(5);
    endotoxin->mutable_result()->mutable_reported()->set_decimals(1);
    endotoxin->set_attested(true);
    endotoxin->set_computed(v1::RESULT_VERDICT_PASS);
    v1::ContainerState& dose = container();
    dose.set_batch_id(lot_id);
    dose.set_volume_ul(10'000);
    dose.set_cells(70'000'000);
    dose.set_life(v1::CONTAINER_LIFE_THAWED);
    dose.set_allocation(v1::CONTAINER_ALLOCATION_VERIFIED);
    dose.set_order_id(order_id);
    dose.add_keys(kKey);
    dose.set_collection_type("V");
    dose.set_label_expires_at_ms(kNowMs + 900 * kHourMs);
    dose.set_thawed_recorded_at_ms(kNowMs - kHourMs / 4);
    dose.mutable_post_thaw()->mutable_viability_percent()->set_coefficient(931);
    dose.mutable_post_thaw()->mutable_viability_percent()->set_decimals(1);
    dose.mutable_post_thaw()->set_attested(true);
    v1::StayState* stay = dose.add_stays();
    stay->set_device_id(tank_id);
    stay->set_from_ms(kNowMs - 500 * kHourMs);
    stay->set_to_ms(kNowMs - kHourMs);
    v1::IdentifierState& label = *At(v1::SUBJECT_KIND_IDENTIFIER, kKey).mutable_identifier();
    label.add_bound()->set_id(container_id);
  }

  void AddClinic() {
    v1::DeviceState& tank = *At(v1::SUBJECT_KIND_DEVICE, tank_id).mutable_device();
    tank.set_device_type(v1::DEVICE_TYPE_STORAGE);
    v1::CalibrationState* calibration = tank.add_calibrations();
    calibration->set_calibrated_at_ms(1);
    calibration->set_valid_to_ms(kNowMs + 2000 * kHourMs);
    v1::SiteState& site = *At(v1::SUBJECT_KIND_SITE, site_id).mutable_site();
    site.set_time_zone("Europe/Madrid");
    v1::LicenceState* licence = site.add_licences();
    licence->set_licence_type(v1::LICENCE_TYPE_CLINIC);
    licence->add_regimes(v1::REGIME_EU);
    licence->set_valid_to_ms(kNowMs + 3000 * kHourMs);
    v1::PatientState& person = patient();
    person.set_cmv_igg(v1::CMV_STATUS_NEGATIVE);
    person.set_immunosuppressed(v1::ANSWER_YES);
    person.set_dmso_allergy(v1::ANSWER_NO);
    v1::OrderState& treatment = order();
    treatment.set_patient_id(patient_id);
    treatment.set_product_id(product_id);
    treatment.set_regime(v1::REGIME_EU);
    treatment.set_route(v1::ROUTE_INTRAVENOUS);
    treatment.set_dose_basis(v1::DOSE_BASIS_CELLS_PER_KG);
    treatment.set_dose(1'000'000);
    treatment.set_weight_g(70'000);
    treatment.set_phase(v1::ORDER_PHASE_MATCHED);
    treatment.set_matched_index(40);
    treatment.add_container_ids(container_id);
    treatment.set_site_id(site_id);
  }
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_BEDSIDE_STATES_H_
