#include "lifecycle/clinical_folds.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/numeric/int128.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/container_rules.h"
#include "lifecycle/denied_attempt.h"

namespace custody {
namespace {

constexpr int kDmsoGivenMax = 64;
constexpr std::uint64_t kVolumeMaxUl = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kDecimalsMax = 9;

bool IsContainer(const FoldInput& input) {
  return input.subject.kind == v1::SUBJECT_KIND_CONTAINER;
}
bool IsOrder(const FoldInput& input) { return input.subject.kind == v1::SUBJECT_KIND_ORDER; }

// A doubtful "no" is an "unknown", and so is a doubtful "has met the virus already".
v1::Answer Doubtful(v1::Answer answer) {
  return answer == v1::ANSWER_NO ? v1::ANSWER_UNKNOWN : answer;
}
v1::CmvStatus Doubtful(v1::CmvStatus status) {
  return status == v1::CMV_STATUS_POSITIVE ? v1::CMV_STATUS_UNKNOWN : status;
}

int Strictness(v1::Answer answer) {
  switch (answer) {
    case v1::ANSWER_YES:
      return 3;
    case v1::ANSWER_NO:
      return 0;
    default:
      return answer == v1::ANSWER_UNKNOWN ? 2 : 1;
  }
}
int Strictness(v1::CmvStatus status) {
  switch (status) {
    case v1::CMV_STATUS_NEGATIVE:
      return 3;
    case v1::CMV_STATUS_POSITIVE:
      return 0;
    default:
      return status == v1::CMV_STATUS_UNKNOWN ? 2 : 1;
  }
}

// How an enrolment stands to the patient that there is.
enum class Enrolment {
  kFirst,
  // The one that made the patient, attested later: it takes back its own doubt and nothing else.
  kFirstAttested,
  // Another one only adds what makes things stricter.
  kFurther,
};

Enrolment StandingOf(const FoldInput& input, const v1::SubjectState& state) {
  if (!state.has_patient()) return Enrolment::kFirst;
  const bool made_patient =
      input.standing == Standing::kFavourableOnly && state.first_index() == input.index;
  return made_patient ? Enrolment::kFirstAttested : Enrolment::kFurther;
}

// What is on record of one fact, `known` before, after an enrolment that states it.
template <typename Fact>
Fact Enrolled(const FoldInput& input, Enrolment enrolment, Fact known, Fact stated) {
  if (enrolment == Enrolment::kFirst) return input.favourable() ? stated : Doubtful(stated);
  if (enrolment == Enrolment::kFirstAttested && known == Doubtful(stated)) return stated;
  const bool says_nothing = stated == Fact{};
  return says_nothing || Strictness(stated) <= Strictness(known) ? known : stated;
}

void RemoveId(google::protobuf::RepeatedPtrField<std::string>* list, const std::string& id) {
  const auto end = std::remove(list->begin(), list->end(), id);
  list->DeleteSubrange(static_cast<int>(end - list->begin()), static_cast<int>(list->end() - end));
}

void MergeFacts(const FoldInput& input, Enrolment enrolment, v1::PatientState* patient) {
  const v1::PatientEnrolled& body = input.event.event.patient_enrolled();
  patient->set_cmv_igg(Enrolled(input, enrolment, patient->cmv_igg(), body.cmv_igg()));
  patient->set_immunosuppressed(
      Enrolled(input, enrolment, patient->immunosuppressed(), body.immunosuppressed()));
  patient->set_dmso_allergy(
      Enrolled(input, enrolment, patient->dmso_allergy(), body.dmso_allergy()));
  patient->set_donor_specific_antibodies(Enrolled(
      input, enrolment, patient->donor_specific_antibodies(), body.donor_specific_antibodies()));
}

// Exact comparison of two decimals.
bool IsLower(const v1::Decimal& a, const v1::Decimal& b) {
  const auto scaled = [](const v1::Decimal& value) {
    absl::int128 result = value.coefficient();
    for (std::uint32_t i = std::min(value.decimals(), kDecimalsMax); i < kDecimalsMax; ++i) {
      result *= 10;
    }
    return result;
  };
  return scaled(a) < scaled(b);
}

// The worse of all measurements stands; a second one never improves the first.
void MergePostThaw(const FoldInput& input, const v1::PostThawResult& result,
                   v1::PostThawState* measured) {
  if (result.has_viability_percent() &&
      (!measured->has_viability_percent() ||
       IsLower(result.viability_percent(), measured->viability_percent()))) {
    *measured->mutable_viability_percent() = result.viability_percent();
  }
  if (result.viable_cells() > 0) {
    measured->set_viable_cells(measured->viable_cells() == 0
                                   ? result.viable_cells()
                                   : std::min(measured->viable_cells(), result.viable_cells()));
  }
  if (!result.rapid_gram().empty() && measured->rapid_gram() != "POSITIVE") {
    measured->set_rapid_gram(result.rapid_gram());
  }
  measured->set_index(input.index);
  if (input.favourable()) measured->set_attested(true);
}

// While one container runs the order is being given, whatever is decided about the next one.
void GoOn(v1::OrderPhase phase, v1::OrderState* order) {
  if (order->phase() != v1::ORDER_PHASE_ADMINISTERING) order->set_phase(phase);
}

void FinishContainer(const std::string& container_id, v1::OrderState* order) {
  AddOnce(order->mutable_finished_container_ids(), container_id);
}

// An order of several containers is administered when the last one is finished.
void SettleOrder(v1::OrderState* order) {
  const auto& finished = order->finished_container_ids();
  const bool all = std::all_of(
      order->container_ids().begin(), order->container_ids().end(),
      [&](const std::string& id) { return std::count(finished.begin(), finished.end(), id) > 0; });
  if (order->administered_at_ms() > 0) {
    order->set_phase(all ? v1::ORDER_PHASE_ADMINISTERED : v1::ORDER_PHASE_MATCHED);
  }
}

// Not before the event says that it happened, not after it was recorded: the 24 hours of dimethyl
// sulfoxide count from here.
std::int64_t EndedAtMs(const FoldInput& input) {
  const std::int64_t latest_ms = input.recorded_at_ms;
  const std::int64_t earliest_ms = std::min(input.event.event.occurred_at().utc_ms(), latest_ms);
  const std::int64_t stated_ms = input.event.event.administration_ended().ended_at_ms();
  return std::clamp(stated_ms, earliest_ms, latest_ms);
}

void FoldOrderGiven(const v1::AdministrationEnded& body, std::int64_t ended_at_ms,
                    v1::OrderState* order) {
  order->set_administered_at_ms(std::max(order->administered_at_ms(), ended_at_ms));
  for (const v1::GivenContainer& given : body.containers()) {
    FinishContainer(given.container_id(), order);
  }
  SettleOrder(order);
}

void FoldDmsoGiven(const FoldInput& input, const v1::AdministrationEnded& body,
                   const v1::GivenContainer& given, v1::PatientState* patient) {
  auto* list = patient->mutable_dmso_given();
  v1::DmsoGiven* dose = list->Add();
  dose->set_at_ms(EndedAtMs(input));
  dose->set_volume_ul(given.volume_given_ul());
  dose->set_order_id(body.order_id());
  dose->set_container_id(given.container_id());
  if (list->size() > kDmsoGivenMax) list->DeleteSubrange(0, 1);
}

void FoldContainerGiven(const FoldInput& input, const v1::AdministrationEnded& body,
                        const v1::GivenContainer& given, v1::ContainerState* container) {
  const bool completed = body.outcome() == v1::ADMINISTRATION_OUTCOME_COMPLETED &&
                         !FoundHere(input, v1::REASON_CODE_E_AMOUNT);
  FoldLife(
      input,
      completed ? LifeTrigger::kAdministrationCompleted : LifeTrigger::kAdministrationInterrupted,
      container);
  if (container->allocation() != v1::CONTAINER_ALLOCATION_CONSUMED) {
    container->set_order_id(body.order_id());
  }
  container->set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED);
  const std::uint64_t sum = std::uint64_t{container->volume_given_ul()} + given.volume_given_ul();
  container->set_volume_given_ul(static_cast<std::uint32_t>(std::min(sum, kVolumeMaxUl)));
}

}  // namespace

void FoldPatientEnrolled(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_PATIENT) return;
  const v1::PatientEnrolled& body = input.event.event.patient_enrolled();
  const Enrolment enrolment = StandingOf(input, *state);
  v1::PatientState* patient = state->mutable_patient();
  MergeFacts(input, enrolment, patient);
  if (enrolment != Enrolment::kFurther) {
    patient->set_holding_site_id(body.holding_site_id());
    if (input.favourable()) patient->set_same_as_donor_id(body.same_as_donor_id());
  }
  for (const std::string& protein : body.animal_protein_allergies()) {
    AddOnce(patient->mutable_animal_protein_allergies(), protein);
  }
}

void FoldTreatmentOrdered(const FoldInput& input, v1::SubjectState* state) {
  const v1::TreatmentOrdered& body = input.event.event.treatment_ordered();
  if (input.subject.kind == v1::SUBJECT_KIND_PATIENT) {
    AddOnce(state->mutable_patient()->mutable_order_ids(), body.order_id());
    return;
  }
  if (input.subject.kind == v1::SUBJECT_KIND_IDENTIFIER) {
    v1::IdentifierState* identifier = state->mutable_identifier();
    for (const v1::SubjectRef& ref : identifier->bound()) {
      if (ref.id() != body.order_id()) identifier->set_conflict(true);
    }
    *identifier->add_bound() = RefOf({v1::SUBJECT_KIND_ORDER, body.order_id()});
    return;
  }
  if (!IsOrder(input)) return;
  v1::OrderState* order = state->mutable_order();
  order->set_patient_id(body.patient_id());
  order->set_product_id(body.product_id());
  order->set_regime(body.regime());
  order->set_chain_of_identity(body.chain_of_identity());
  order->set_route(body.route());
  order->set_dose_basis(body.dose_basis());
  order->set_dose(body.dose());
  order->set_weight_g(body.weight_g());
  order->set_dmso_max_mg_per_kg(body.dmso_max_mg_per_kg());
  order->set_planned_at_ms(body.planned_at_ms());
  order->set_site_id(input.event.event.site_id());
  order->set_phase(v1::ORDER_PHASE_ORDERED);
}

void FoldDoseReserved(const FoldInput& input, v1::SubjectState* state) {
  const v1::DoseReserved& body = input.event.event.dose_reserved();
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    container->set_allocation(
        NextAllocation(container->allocation(), AllocationTrigger::kReserved).to);
    container->set_order_id(body.order_id());
  } else if (IsOrder(input)) {
    v1::OrderState* order = state->mutable_order();
    for (const std::string& id : body.container_ids()) {
      AddOnce(order->mutable_container_ids(), id);
    }
    order->set_phase(v1::ORDER_PHASE_RESERVED);
  }
}

void FoldMatchVerified(const FoldInput& input, v1::SubjectState* state) {
  const v1::MatchVerified& body = input.event.event.match_verified();
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    container->set_allocation(
        NextAllocation(container->allocation(), AllocationTrigger::kMatched).to);
  } else if (IsOrder(input)) {
    v1::OrderState* order = state->mutable_order();
    GoOn(v1::ORDER_PHASE_MATCHED, order);
    order->set_matched_index(input.index);
    order->set_denied_attempts(0);
    order->clear_overrides();
    for (const v1::MatchOverride& entry : body.overrides()) order->add_overrides(entry.rule());
    *order->mutable_acknowledgements() = body.acknowledgements();
    order->set_physician_matched(
        std::any_of(input.event.signatures.begin(), input.event.signatures.end(),
                    [](const ParsedSignature& signature) {
                      return signature.statement.role() == v1::ROLE_TREATING_PHYSICIAN;
                    }));
  }
}

void FoldReservationReleased(const FoldInput& input, v1::SubjectState* state) {
  const v1::ReservationReleased& body = input.event.event.reservation_released();
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    container->set_allocation(
        NextAllocation(container->allocation(), AllocationTrigger::kReleased).to);
    container->clear_order_id();
    container->clear_thaw_order_id();
    container->clear_thaw_authorised_at_ms();
    container->clear_thaw_authorised_index();
    container->clear_thaw_policy_hash();
  } else if (IsOrder(input)) {
    v1::OrderState* order = state->mutable_order();
    for (const std::string& id : body.container_ids()) {
      RemoveId(order->mutable_container_ids(), id);
    }
    // What remains is another dose and needs another match.
    order->set_phase(order->container_ids().empty() ? v1::ORDER_PHASE_ORDERED
                                                    : v1::ORDER_PHASE_RESERVED);
  }
}

void FoldThawAuthorised(const FoldInput& input, v1::SubjectState* state) {
  const v1::ThawAuthorised& body = input.event.event.thaw_authorised();
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    container->set_thaw_order_id(body.order_id());
    container->set_thaw_authorised_index(input.index);
    container->set_thaw_authorised_at_ms(input.recorded_at_ms);
    container->set_thaw_policy_hash(input.event.event.policy_hash());
  } else if (IsOrder(input)) {
    GoOn(v1::ORDER_PHASE_THAW_AUTHORISED, state->mutable_order());
  }
}

void FoldAdministrationAuthorised(const FoldInput& input, v1::SubjectState* state) {
  if (!IsOrder(input)) return;
  const v1::AdministrationAuthorised& body = input.event.event.administration_authorised();
  v1::OrderState* order = state->mutable_order();
  GoOn(v1::ORDER_PHASE_AUTHORISED, order);
  v1::AuthorisationState* authorisation = order->add_authorisations();
  const std::string_view digest = input.event.digest.view();
  authorisation->set_event_digest(digest.data(), digest.size());
  authorisation->set_index(input.index);
  *authorisation->mutable_container_ids() = body.container_ids();
  authorisation->set_valid_from_ms(input.recorded_at_ms);
  authorisation->set_policy_hash(input.event.event.policy_hash());
  authorisation->set_planned_duration_ms(body.planned_duration_ms());
  authorisation->set_site_id(input.event.event.site_id());
}

void FoldThawStarted(const FoldInput& input, v1::SubjectState* state) {
  if (!IsContainer(input)) return;
  v1::ContainerState* container = state->mutable_container();
  FoldLife(input, LifeTrigger::kThawStarted, container);
  CloseStays(input, container);
  container->set_thaw_device_id(input.event.event.thaw_started().device_id());
}

void FoldThawCompleted(const FoldInput& input, v1::SubjectState* state) {
  if (!IsContainer(input)) return;
  v1::ContainerState* container = state->mutable_container();
  FoldLife(input, LifeTrigger::kThawCompleted, container);
  if (!input.adverse()) return;
  // The clock starts once and by the ledger's own time.
  if (container->thawed_recorded_at_ms() == 0) {
    container->set_thawed_recorded_at_ms(input.recorded_at_ms);
  }
  if (input.event.event.thaw_completed().visual_check() != v1::VISUAL_CHECK_CONFORMS) {
    container->set_visual_failed(true);
  }
}

void FoldPostThawQc(const FoldInput& input, v1::SubjectState* state) {
  if (!IsContainer(input)) return;
  for (const v1::PostThawResult& result : input.event.event.post_thaw_qc().results()) {
    if (result.container_id() != input.subject.id) continue;
    // What passes waits for its authority; what fails counts at once.
    const bool fails = FoundHere(input, v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION);
    if (!input.favourable() && !fails) continue;
    v1::PostThawResult counted = result;
    // By a method that the policy does not name.
    if (!fails && FoundHere(input, v1::REASON_CODE_E_POLICY)) counted.clear_viability_percent();
    MergePostThaw(input, counted, state->mutable_container()->mutable_post_thaw());
  }
}

void FoldDosePrepared(const FoldInput& input, v1::SubjectState* state) {
  if (!IsContainer(input)) return;
  const v1::DosePrepared& body = input.event.event.dose_prepared();
  v1::ContainerState* container = state->mutable_container();
  FoldLife(input, LifeTrigger::kPrepared, container);
  for (const v1::PreparedContainer& prepared : body.containers()) {
    // Diluted, the same volume given is less dimethyl sulfoxide.
    if (prepared.container_id() == input.subject.id && input.favourable()) {
      container->set_prepared_volume_ul(prepared.final_volume_ul());
    }
  }
  if (!input.adverse()) return;
  AddOnce(container->mutable_diluent_material_ids(), body.diluent_material_id());
  const std::int64_t known = container->post_preparation_expires_at_ms();
  if (body.expires_at_ms() > 0 && (known == 0 || body.expires_at_ms() < known)) {
    container->set_post_preparation_expires_at_ms(body.expires_at_ms());
  }
}

void FoldAdministrationStarted(const FoldInput& input, v1::SubjectState* state) {
  if (!input.adverse()) return;
  const v1::AdministrationStarted& body = input.event.event.administration_started();
  if (IsContainer(input)) {
    v1::ContainerState* container = state->mutable_container();
    FoldLife(input, LifeTrigger::kAdministrationStarted, container);
    // The first order that consumed it stays on record.
    if (container->allocation() != v1::CONTAINER_ALLOCATION_CONSUMED) {
      container->set_order_id(body.order_id());
    }
    container->set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED);
  } else if (IsOrder(input)) {
    v1::OrderState* order = state->mutable_order();
    order->set_phase(v1::ORDER_PHASE_ADMINISTERING);
    for (v1::AuthorisationState& authorisation : *order->mutable_authorisations()) {
      if (authorisation.event_digest() == body.authorisation()) authorisation.set_used(true);
    }
  }
}

void FoldAdministrationEnded(const FoldInput& input, v1::SubjectState* state) {
  if (!input.adverse()) return;
  const v1::AdministrationEnded& body = input.event.event.administration_ended();
  if (IsOrder(input)) {
    FoldOrderGiven(body, EndedAtMs(input), state->mutable_order());
    return;
  }
  for (const v1::GivenContainer& given : body.containers()) {
    if (input.subject.kind == v1::SUBJECT_KIND_PATIENT) {
      FoldDmsoGiven(input, body, given, state->mutable_patient());
    } else if (IsContainer(input) && given.container_id() == input.subject.id) {
      FoldContainerGiven(input, body, given, state->mutable_container());
    }
  }
}

void FoldContainerDiscarded(const FoldInput& input, v1::SubjectState* state) {
  const v1::ContainerDiscarded& body = input.event.event.container_discarded();
  if (IsContainer(input)) {
    FoldLife(input,
             body.residual_only() ? LifeTrigger::kResidualDiscarded : LifeTrigger::kDiscarded,
             state->mutable_container());
    CloseStays(input, state->mutable_container());
  } else if (IsOrder(input) && input.favourable()) {
    v1::OrderState* order = state->mutable_order();
    for (const std::string& id : body.container_ids()) FinishContainer(id, order);
    SettleOrder(order);
  }
}

void FoldThawAborted(const FoldInput& input, v1::SubjectState* state) {
  if (!IsContainer(input)) return;
  FoldLife(input, LifeTrigger::kThawAborted, state->mutable_container());
}

void FoldFollowUpRecorded(const FoldInput& input, v1::SubjectState* state) {
  if (!IsOrder(input) || !input.favourable()) return;
  state->mutable_order()->add_follow_ups(input.event.event.follow_up_recorded().milestone());
}

void FoldDeniedAttempt(const FoldInput& input, v1::SubjectState* state) {
  // An attempt on an order that the ledger does not know creates none.
  if (!IsOrder(input) || !state->has_order()) return;
  if (!UsesMatch(input.event.event.attempt_denied().event_code())) return;
  v1::OrderState* order = state->mutable_order();
  order->set_denied_attempts(order->denied_attempts() + 1);
}

}  // namespace custody
