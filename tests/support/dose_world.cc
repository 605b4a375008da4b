#include "tests/support/dose_world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

std::vector<std::string> Names(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

PlayedEvent OutcomeOf(absl::StatusOr<RecordedEntry> result) {
  PlayedEvent played;
  played.recorded = result.ok();
  played.status = result.status();
  std::vector<std::string> names;
  if (result.ok()) {
    for (const v1::Finding& finding : result->findings) {
      if (finding.severity() > v1::SEVERITY_INFO) names.emplace_back(ReasonName(finding.code()));
    }
    played.entry = *std::move(result);
  } else if (const std::optional<v1::Refusal> refusal = RefusalOf(played.status)) {
    for (const v1::RefusalReason& reason : refusal->reasons()) {
      names.emplace_back(ReasonName(reason.code()));
    }
  }
  played.codes = Names(std::move(names));
  return played;
}

v1::Document Paper(char letter) {
  v1::Document document;
  document.set_sha256(std::string(32, letter));
  return document;
}

v1::Decimal Number(std::int64_t coefficient, std::uint32_t decimals) {
  v1::Decimal number;
  number.set_coefficient(coefficient);
  number.set_decimals(decimals);
  return number;
}

}  // namespace

const v1::Finding* PlayedEvent::Finding(std::string_view code) const {
  if (!entry.has_value()) return nullptr;
  for (const v1::Finding& finding : entry->findings) {
    if (ReasonName(finding.code()) == code) return &finding;
  }
  return nullptr;
}

PlayedEvent PlayInto(TestLedger& ledger, v1::Event event) {
  return OutcomeOf(ledger.RecordAsRequired(std::move(event)));
}

PlayedEvent PlayInto(TestLedger& ledger, v1::Event event, const std::vector<SignAs>& signers) {
  return OutcomeOf(ledger.Record(std::move(event), signers));
}

DoseWorld::DoseWorld(const v1::Policy& policy, v1::Presentation presentation)
    : product_id(ledger_.AddProduct({v1::REGIME_US, v1::REGIME_EU}, presentation)),
      policy_hash(ledger_.ActivatePolicy(product_id, policy)),
      clinic_id(ledger_.AddSite()),
      donor_id(ledger_.NewId()),
      donation_id(ledger_.NewId()),
      material_id(ledger_.NewId()),
      bank_id(ledger_.NewId()),
      lot_id(ledger_.NewId()),
      tank_id(ledger_.AddDevice(v1::DEVICE_TYPE_STORAGE)),
      bath_id(ledger_.AddDevice(v1::DEVICE_TYPE_THAWER)),
      patient_id(ledger_.NewId()),
      order_id(ledger_.NewId()),
      vial_a_(ledger_.NewId()),
      vial_b_(ledger_.NewId()) {
  AddOrigin();
  AddLot();
  AddVial(0);
  AddVial(1);
  for (const std::size_t which : {0U, 1U}) {
    ledger_.Actor(v1::ROLE_CLINIC_RECEIVER, clinic_id, which);
    ledger_.Actor(v1::ROLE_NURSE, clinic_id, which);
  }
  ledger_.Actor(v1::ROLE_TREATING_PHYSICIAN, clinic_id);
}

void DoseWorld::AddOrigin() {
  ledger_.mutable_view().Donor(donor_id).set_donor_type(v1::DONOR_TYPE_ADULT);
  v1::DonationState& donation = Donation();
  donation.set_donor_id(donor_id);
  donation.set_intent(v1::DONATION_INTENT_ALLOGENEIC);
  donation.set_product_id(product_id);
  donation.set_starting_material(v1::RECEIPT_DECISION_ACCEPT);
  for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU}) {
    donation.add_regimes(regime);
    v1::EligibilityState* const eligibility = donation.add_eligibility();
    eligibility->set_regime(regime);
    eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
  }
  v1::MaterialState& material = ledger_.mutable_view().Material(material_id);
  material.set_released(true);
  material.set_expires_at_ms(now_ms() + 100 * kDayMs);
  material.set_animal_origin(v1::ANSWER_YES);
  material.add_animal_proteins("BOVINE");
  v1::BatchState& bank = ledger_.mutable_view().Batch(bank_id);
  bank.set_kind(v1::BATCH_KIND_MASTER_CELL_BANK);
  bank.set_product_id(product_id);
  bank.set_phase(v1::BATCH_PHASE_HARVESTED);
  bank.add_parents()->set_donation_id(donation_id);
  bank.add_material_ids(material_id);
}

void DoseWorld::AddLot() {
  v1::BatchState& lot = Lot();
  lot.set_kind(v1::BATCH_KIND_DRUG_PRODUCT_LOT);
  lot.set_product_id(product_id);
  lot.add_parents()->set_batch_id(bank_id);
  lot.set_phase(v1::BATCH_PHASE_RELEASED);
  for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU}) {
    lot.add_regimes(regime);
    lot.add_release_regimes(regime);
  }
  lot.add_release_routes(v1::ROUTE_INTRAVENOUS);
  lot.set_release_scope(v1::RELEASE_SCOPE_CLINICAL);
  lot.set_expires_at_ms(now_ms() + 100 * kDayMs);
  *lot.mutable_cryoprotectant_percent_vv() = Number(10, 0);
  v1::QcResultState* const endotoxin = lot.add_results();
  endotoxin->mutable_result()->set_test_id("EN-01");
  endotoxin->mutable_result()->set_unit("EU/mL");
  *endotoxin->mutable_result()->mutable_reported() = Number(5, 1);
  endotoxin->set_attested(true);
  endotoxin->set_computed(v1::RESULT_VERDICT_PASS);
}

void DoseWorld::AddVial(int i) {
  v1::ContainerState& container = Vial(i);
  container.set_batch_id(lot_id);
  container.set_volume_ul(10'000);
  container.set_cells(70'000'000);
  container.set_life(v1::CONTAINER_LIFE_STORED);
  container.set_allocation(v1::CONTAINER_ALLOCATION_UNALLOCATED);
  container.set_labelled(true);
  container.add_keys(KeyOfVial(i));
  container.set_collection_type("V");
  container.set_label_expires_at_ms(now_ms() + 90 * kDayMs);
  v1::StayState* const stay = container.add_stays();
  stay->set_device_id(tank_id);
  stay->set_from_ms(now_ms() - 10 * kDayMs);
  *State(v1::SUBJECT_KIND_IDENTIFIER, KeyOfVial(i)).mutable_identifier()->add_bound() =
      RefOf({v1::SUBJECT_KIND_CONTAINER, vial(i)});
}

std::string DoseWorld::KeyOfVial(int i) {
  return absl::StrCat("isbt:A9999:A999926000001:S1234:0000", i == 0 ? "A0" : "B0");
}

PlayedEvent DoseWorld::Play(v1::Event event) {
  if (event.policy_hash().empty() && !FindCatalogueEntry(event)->is_observation()) {
    event.set_policy_hash(policy_hash);
  }
  const bool is_permit = event.has_administration_authorised();
  PlayedEvent played = PlayInto(ledger_, std::move(event));
  if (is_permit && played.recorded) last_permit_ = played.entry->event_digest.view();
  return played;
}

PlayedEvent DoseWorld::Play(v1::Event event, const std::vector<SignAs>& signers) {
  if (event.policy_hash().empty() && !FindCatalogueEntry(event)->is_observation()) {
    event.set_policy_hash(policy_hash);
  }
  return PlayInto(ledger_, std::move(event), signers);
}

void DoseWorld::PlayUntil(DoseStep step) {
  while (steps_played_ <= static_cast<int>(step)) {
    ledger_.Advance(kMinuteMs);
    const PlayedEvent played = Play(Make(static_cast<DoseStep>(steps_played_)));
    if (!played.recorded || !played.codes.empty()) {
      absl::FPrintF(stderr, "dose world, step %d: %s %s\n", steps_played_, played.status.ToString(),
                    absl::StrJoin(played.codes, " "));
    }
    CUSTODY_CHECK(played.recorded && played.codes.empty());
    ++steps_played_;
  }
}

v1::Event DoseWorld::AtClinic() const {
  v1::Event event;
  event.set_site_id(clinic_id);
  return event;
}

v1::Event DoseWorld::MakeEnrolment() const {
  v1::Event event = AtClinic();
  v1::PatientEnrolled* const body = event.mutable_patient_enrolled();
  body->set_patient_id(patient_id);
  body->set_holding_site_id(clinic_id);
  *body->mutable_consent() = Paper('c');
  body->set_cmv_igg(v1::CMV_STATUS_NEGATIVE);
  body->set_immunosuppressed(v1::ANSWER_NO);
  body->set_dmso_allergy(v1::ANSWER_NO);
  body->set_donor_specific_antibodies(v1::ANSWER_NO);
  return event;
}

v1::Event DoseWorld::MakeOrder() const {
  v1::Event event = AtClinic();
  v1::TreatmentOrdered* const body = event.mutable_treatment_ordered();
  body->set_order_id(order_id);
  body->set_patient_id(patient_id);
  body->set_product_id(product_id);
  body->set_regime(v1::REGIME_EU);
  body->set_route(v1::ROUTE_INTRAVENOUS);
  body->set_dose_basis(v1::DOSE_BASIS_CELLS_PER_KG);
  body->set_dose(1'000'000);
  body->set_weight_g(70'000);
  body->set_weight_measured_on("2026-11-01");
  body->set_indication_code("SR-AGVHD");
  body->set_planned_at_ms(now_ms() + 2 * kHourMs);
  return event;
}

v1::Event DoseWorld::MakeReservation() const {
  v1::Event event = AtClinic();
  event.mutable_dose_reserved()->set_order_id(order_id);
  event.mutable_dose_reserved()->add_container_ids(vial());
  return event;
}

v1::Event DoseWorld::MakeMatch() const {
  v1::Event event = AtClinic();
  event.mutable_match_verified()->set_order_id(order_id);
  event.mutable_match_verified()->add_container_ids(vial());
  return event;
}

v1::Event DoseWorld::MakeRelease() const {
  v1::Event event = AtClinic();
  event.mutable_reservation_released()->set_order_id(order_id);
  event.mutable_reservation_released()->add_container_ids(vial());
  return event;
}

v1::Event DoseWorld::MakeThawPermit() const {
  v1::Event event = AtClinic();
  v1::ThawAuthorised* const body = event.mutable_thaw_authorised();
  body->set_order_id(order_id);
  body->add_container_ids(vial());
  body->set_planned_infusion_start_ms(now_ms() + kHourMs);
  body->set_planned_infusion_duration_ms(kHourMs / 2);
  body->set_patient_present_and_fit(v1::ANSWER_YES);
  return event;
}

v1::Event DoseWorld::MakeThawStart() const {
  v1::Event event = AtClinic();
  v1::ThawStarted* const body = event.mutable_thaw_started();
  body->set_order_id(order_id);
  body->add_container_ids(vial());
  body->set_device_id(bath_id);
  body->set_bath_temperature_millicelsius(37'000);
  return event;
}

v1::Event DoseWorld::MakeThawEnd() const {
  v1::Event event = AtClinic();
  v1::ThawCompleted* const body = event.mutable_thaw_completed();
  body->set_order_id(order_id);
  body->add_container_ids(vial());
  body->set_visual_check(v1::VISUAL_CHECK_CONFORMS);
  return event;
}

v1::Event DoseWorld::MakeThawAbort() const {
  v1::Event event = AtClinic();
  event.mutable_thaw_aborted()->set_order_id(order_id);
  event.mutable_thaw_aborted()->add_container_ids(vial());
  event.mutable_thaw_aborted()->set_abort_reason("bath failed");
  return event;
}

v1::Event DoseWorld::MakeQc() const {
  v1::Event event = AtClinic();
  event.mutable_post_thaw_qc()->set_order_id(order_id);
  event.mutable_post_thaw_qc()->set_method("trypan blue");
  v1::PostThawResult* const result = event.mutable_post_thaw_qc()->add_results();
  result->set_container_id(vial());
  *result->mutable_viability_percent() = Number(931, 1);
  result->set_viable_cells(68'000'000);
  return event;
}

v1::Event DoseWorld::MakePreparation() const {
  v1::Event event = AtClinic();
  v1::DosePrepared* const body = event.mutable_dose_prepared();
  body->set_order_id(order_id);
  v1::PreparedContainer* const prepared = body->add_containers();
  prepared->set_container_id(vial());
  prepared->set_final_volume_ul(20'000);
  prepared->set_scanned_key(KeyOfVial());
  body->set_expires_at_ms(now_ms() + kHourMs);
  return event;
}

v1::Event DoseWorld::MakePermit() const {
  v1::Event event = AtClinic();
  v1::AdministrationAuthorised* const body = event.mutable_administration_authorised();
  body->set_order_id(order_id);
  body->set_patient_id(patient_id);
  body->add_container_ids(vial());
  body->set_scanned_patient_token(patient_id);
  body->add_scanned_container_keys(KeyOfVial());
  body->set_route(v1::ROUTE_INTRAVENOUS);
  body->set_planned_duration_ms(kHourMs / 2);
  return event;
}

v1::Event DoseWorld::MakeStart() const {
  v1::Event event = AtClinic();
  v1::AdministrationStarted* const body = event.mutable_administration_started();
  body->set_order_id(order_id);
  body->set_patient_id(patient_id);
  body->add_container_ids(vial());
  body->set_route(v1::ROUTE_INTRAVENOUS);
  body->set_authorisation(last_permit_);
  return event;
}

v1::Event DoseWorld::MakeEnd() const {
  v1::Event event = AtClinic();
  v1::AdministrationEnded* const body = event.mutable_administration_ended();
  body->set_order_id(order_id);
  body->set_patient_id(patient_id);
  body->set_outcome(v1::ADMINISTRATION_OUTCOME_COMPLETED);
  v1::GivenContainer* const given = body->add_containers();
  given->set_container_id(vial());
  given->set_volume_given_ul(10'000);
  body->set_ended_at_ms(now_ms());
  return event;
}

v1::Event DoseWorld::MakeDiscard() const {
  v1::Event event = AtClinic();
  event.mutable_container_discarded()->add_container_ids(vial());
  event.mutable_container_discarded()->set_order_id(order_id);
  event.mutable_container_discarded()->set_reason_code("REST");
  return event;
}

v1::Event DoseWorld::MakeFollowUp() const {
  v1::Event event = AtClinic();
  v1::FollowUpRecorded* const body = event.mutable_follow_up_recorded();
  body->set_order_id(order_id);
  body->set_patient_id(patient_id);
  body->set_milestone(v1::FOLLOW_UP_MILESTONE_M1);
  body->set_seen_on("2026-12-21");
  return event;
}

v1::Event DoseWorld::Make(DoseStep step) const {
  switch (step) {
    case DoseStep::kEnrolled:
      return MakeEnrolment();
    case DoseStep::kOrdered:
      return MakeOrder();
    case DoseStep::kReserved:
      return MakeReservation();
    case DoseStep::kMatched:
      return MakeMatch();
    case DoseStep::kThawAuthorised:
      return MakeThawPermit();
    case DoseStep::kThawing:
      return MakeThawStart();
    case DoseStep::kThawed:
      return MakeThawEnd();
    case DoseStep::kTested:
      return MakeQc();
    case DoseStep::kAuthorised:
      return MakePermit();
    case DoseStep::kStarted:
      return MakeStart();
    case DoseStep::kEnded:
      return MakeEnd();
  }
  return {};
}

}  // namespace custody
