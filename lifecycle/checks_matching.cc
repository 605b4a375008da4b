// Matching rules between order and container: CMV, collection type, allergies.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

// Before there is an order nobody is compared; afterwards a missing patient is a missing answer.
void NoPatient(CheckRun& run) {
  if (run.request().order_id().empty()) {
    run.NotApplicable("no order was named");
  } else {
    run.Unknown("there is no patient to compare with");
  }
}

// Subjects of a kind among the ancestors of a container.
absl::StatusOr<std::vector<SubjectKey>> AncestorsOf(CheckRun& run, const std::string& container_id,
                                                    v1::SubjectKind kind) {
  CUSTODY_ASSIGN_OR_RETURN(const EffectiveQuality* quality, run.Quality(container_id));
  std::vector<SubjectKey> found;
  for (const SubjectKey& key : quality->read) {
    if (key.kind == kind) found.push_back(key);
  }
  return found;
}

bool IsReactive(v1::TestOutcome outcome) {
  return outcome == v1::TEST_OUTCOME_REACTIVE || outcome == v1::TEST_OUTCOME_DETECTED ||
         outcome == v1::TEST_OUTCOME_INITIAL_REACTIVE || outcome == v1::TEST_OUTCOME_CONFIRMED_POS;
}

// The result that shows the donor (or birth mother) reactive for CMV.
const v1::ResultState* FindCmvReactive(const v1::DonorState& donor) {
  for (const v1::ResultState& result : donor.results()) {
    const v1::Marker marker = result.result().marker();
    const bool cmv = marker == v1::MARKER_CMV_AB || marker == v1::MARKER_CMV_NAT;
    if (cmv && !result.superseded() && IsReactive(result.result().outcome())) return &result;
  }
  return nullptr;
}

// What a reactive donor means for a patient.
absl::Status JudgeCmv(CheckRun& run, const v1::PatientState& patient, const SubjectKey& donor,
                      std::uint64_t evidence) {
  const bool at_risk =
      patient.cmv_igg() != v1::CMV_STATUS_POSITIVE && patient.immunosuppressed() != v1::ANSWER_NO;
  const std::string detail =
      absl::StrFormat("CMV: donor reactive, patient %s, immunosuppressed %s",
                      EnumLabel(patient.cmv_igg()), EnumLabel(patient.immunosuppressed()));
  CUSTODY_ASSIGN_OR_RETURN(const bool overridden, run.Overridden("CMV"));
  CUSTODY_ASSIGN_OR_RETURN(const bool acknowledged, run.Acknowledged("CMV"));
  const bool settled = overridden || (!at_risk && acknowledged) || !run.decides();
  const std::string_view outcome = overridden     ? "; overridden by the physician"
                                   : at_risk      ? "; blocks unless overridden"
                                   : acknowledged ? "; acknowledged by the physician"
                                                  : "; needs an acknowledgement";
  run.Add(settled ? v1::CHECK_RESULT_VALUE_WARN : v1::CHECK_RESULT_VALUE_FAIL,
          v1::REASON_CODE_E_MATCH, absl::StrFormat("%s%s", detail, outcome), donor)
      .add_evidence(evidence);
  return absl::OkStatus();
}

// The patient is the donor of every donation of the container.
absl::StatusOr<bool> IsOwnDonor(CheckRun& run, const std::string& container_id,
                                const v1::PatientState& patient) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> donations,
                           AncestorsOf(run, container_id, v1::SUBJECT_KIND_DONATION));
  if (donations.empty() || patient.same_as_donor_id().empty()) return false;
  for (const SubjectKey& key : donations) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(key.kind, key.id));
    if (state == nullptr || state->donation().donor_id() != patient.same_as_donor_id()) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<bool> IsDesignated(CheckRun& run, const std::string& container_id,
                                  const std::string& patient_id) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> donations,
                           AncestorsOf(run, container_id, v1::SUBJECT_KIND_DONATION));
  for (const SubjectKey& key : donations) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(key.kind, key.id));
    if (state == nullptr || state->donation().designated_patient_id() != patient_id) return false;
  }
  return !donations.empty();
}

absl::Status JudgeCollectionType(CheckRun& run, const std::string& id,
                                 const v1::ContainerState& container, const v1::OrderState& order,
                                 const v1::PatientState& patient) {
  const std::string& type = container.collection_type();
  const SubjectKey key = ContainerKey(id);
  if (type == "R" || type == "r") {
    run.Fail(v1::REASON_CODE_E_NOT_FOR_HUMAN_USE, absl::StrFormat("collection type %s", type), key);
    return absl::OkStatus();
  }
  if (type == "1" || type == "X") {
    CUSTODY_ASSIGN_OR_RETURN(const bool own, IsOwnDonor(run, id, patient));
    if (!own) {
      run.Fail(v1::REASON_CODE_E_MATCH,
               absl::StrFormat("DIRECTED: collection type %s is for its donor only", type), key);
      return absl::OkStatus();
    }
  }
  if (type == "2" || type == "3" || type == "4" || type == "5" || type == "F") {
    CUSTODY_ASSIGN_OR_RETURN(const bool designated, IsDesignated(run, id, order.patient_id()));
    if (!designated) {
      run.Fail(v1::REASON_CODE_E_MATCH,
               absl::StrFormat("DIRECTED: collection type %s is for its designated recipient only",
                               type),
               key);
      return absl::OkStatus();
    }
  }
  run.Pass(absl::StrFormat("collection type %s", type.empty() ? "not stated" : type), key);
  return absl::OkStatus();
}

bool IsAllergicTo(const v1::PatientState& patient, const std::string& protein) {
  return std::any_of(
      patient.animal_protein_allergies().begin(), patient.animal_protein_allergies().end(),
      [&](const std::string& allergy) { return absl::EqualsIgnoreCase(protein, allergy); });
}

void JudgeMaterial(CheckRun& run, const v1::MaterialState& material,
                   const v1::PatientState& patient, const SubjectKey& key) {
  for (const std::string& protein : material.animal_proteins()) {
    if (!IsAllergicTo(patient, protein)) continue;
    run.Fail(v1::REASON_CODE_E_MATCH, absl::StrFormat("ALLERGY: %s", protein), key);
  }
  const bool unnamed =
      material.animal_origin() != v1::ANSWER_NO && material.animal_proteins().empty();
  if (unnamed) run.Unknown("ALLERGY: the animal proteins of the material are not stated", key);
}

absl::Status JudgeMaterials(CheckRun& run, const std::string& container_id,
                            const v1::PatientState& patient) {
  if (patient.animal_protein_allergies().empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> materials,
                           AncestorsOf(run, container_id, v1::SUBJECT_KIND_MATERIAL));
  for (const SubjectKey& key : materials) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(key.kind, key.id));
    if (state != nullptr) JudgeMaterial(run, state->material(), patient, key);
  }
  return absl::OkStatus();
}

// An autologous donation, and one whose eligibility was not required.
bool IsForItsDonorOnly(const v1::DonationState& donation, v1::Regime regime) {
  return donation.intent() == v1::DONATION_INTENT_AUTOLOGOUS ||
         std::any_of(donation.eligibility().begin(), donation.eligibility().end(),
                     [&](const v1::EligibilityState& eligibility) {
                       return eligibility.regime() == regime &&
                              eligibility.outcome() == v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED;
                     });
}

// A donation for its own donor is for that patient alone, a directed one for the recipient it
// names.
void JudgeDirected(CheckRun& run, const v1::DonationState& donation, v1::Regime regime,
                   const v1::PatientState& patient, const v1::OrderState& order,
                   const SubjectKey& key) {
  if (IsForItsDonorOnly(donation, regime) && donation.donor_id() != patient.same_as_donor_id()) {
    run.Fail(v1::REASON_CODE_E_MATCH, "DIRECTED: the donation is for its donor only", key);
  }
  if (donation.intent() == v1::DONATION_INTENT_DIRECTED &&
      donation.designated_patient_id() != order.patient_id()) {
    run.Fail(v1::REASON_CODE_E_MATCH, "DIRECTED: the donation is for another recipient", key);
  }
}

}  // namespace

absl::Status CheckCmv(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (policy.has_value() && !policy->policy->clinical().cmv_rule()) {
    run.NotApplicable("the policy has no CMV rule");
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (patient == nullptr) {
    NoPatient(run);
    return absl::OkStatus();
  }
  std::set<SubjectKey> donors;
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> found,
                             AncestorsOf(run, id, v1::SUBJECT_KIND_DONOR));
    donors.insert(found.begin(), found.end());
  }
  for (const SubjectKey& donor : donors) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(donor.kind, donor.id));
    if (state == nullptr) continue;
    const v1::ResultState* reactive = FindCmvReactive(state->donor());
    if (reactive == nullptr) {
      run.Pass("no reactive CMV result", donor);
    } else {
      CUSTODY_RETURN_IF_ERROR(JudgeCmv(run, *patient, donor, reactive->index()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCollectionType(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (order == nullptr || patient == nullptr) {
    NoPatient(run);
    return absl::OkStatus();
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) continue;
    CUSTODY_RETURN_IF_ERROR(JudgeCollectionType(run, id, state->container(), *order, *patient));
  }
  return absl::OkStatus();
}

absl::Status CheckAutologous(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, run.Regime());
  if (order == nullptr || patient == nullptr) {
    NoPatient(run);
    return absl::OkStatus();
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> donations,
                             AncestorsOf(run, id, v1::SUBJECT_KIND_DONATION));
    for (const SubjectKey& key : donations) {
      CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(key.kind, key.id));
      if (state != nullptr) {
        JudgeDirected(run, state->donation(), regime, *patient, *order, key);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAllergy(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (patient == nullptr) {
    NoPatient(run);
    return absl::OkStatus();
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_RETURN_IF_ERROR(JudgeMaterials(run, id, *patient));
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(id));
    if (lot == nullptr) continue;
    CUSTODY_ASSIGN_OR_RETURN(const bool known, run.KnowsCryoprotectant(*lot));
    if (known && lot->cryoprotectant_percent_vv().coefficient() <= 0) continue;
    if (patient->dmso_allergy() == v1::ANSWER_YES) {
      run.Fail(v1::REASON_CODE_E_MATCH, "ALLERGY: dimethyl sulfoxide", ContainerKey(id));
    } else if (patient->dmso_allergy() != v1::ANSWER_NO) {
      run.Warn(v1::REASON_CODE_E_MATCH,
               "ALLERGY: it is not known whether dimethyl sulfoxide is tolerated",
               ContainerKey(id));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAntibodies(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (patient == nullptr) {
    NoPatient(run);
  } else if (patient->donor_specific_antibodies() == v1::ANSWER_YES) {
    run.Warn(v1::REASON_CODE_E_MATCH, "ANTIBODIES: donor-specific antibodies are recorded");
  }
  return absl::OkStatus();
}

absl::Status CheckMixedLots(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (policy.has_value() && !policy->policy->clinical().mixed_lot_warning()) {
    run.NotApplicable("the policy allows it");
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  std::set<std::string> containers(run.request().container_ids().begin(),
                                   run.request().container_ids().end());
  if (order != nullptr) {
    containers.insert(order->container_ids().begin(), order->container_ids().end());
  }
  std::set<std::string> lots;
  for (const std::string& id : containers) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state != nullptr) lots.insert(state->container().batch_id());
  }
  if (lots.size() > 1) {
    run.Warn(v1::REASON_CODE_E_MATCH,
             absl::StrFormat("MIXED_LOT: the containers come from %d lots", lots.size()));
  }
  return absl::OkStatus();
}

}  // namespace custody
