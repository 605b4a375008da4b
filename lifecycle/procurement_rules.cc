// Rules of PRC-01 to PRC-05: from the donation number to the decision on the starting material.

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/batch_fold.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/donor_rules.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/labels/din.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/refusal.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

constexpr std::string_view kDinScheme = "din:";
constexpr std::string_view kLocalScheme = "local:";

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// The form of a donation number, in the words of the label parsers.
void CheckDonationIdentifier(RuleContext& context, std::string_view identifier) {
  if (identifier.starts_with(kLocalScheme) && identifier.size() > kLocalScheme.size()) return;
  if (!identifier.starts_with(kDinScheme)) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "a donation number begins with din: or local:", "donation_identifier");
    return;
  }
  const auto din = Din::Parse(identifier.substr(kDinScheme.size()));
  if (din.ok()) return;
  const v1::ReasonCode code = ReasonFromName(ReasonCodeOf(din.status()));
  Flag(context, code == v1::REASON_CODE_UNSPECIFIED ? v1::REASON_CODE_E_SCAN_MALFORMED : code,
       v1::SEVERITY_MAJOR, std::string(din.status().message()), "donation_identifier");
}

// One number, one donation, for ever.
void CheckNotReused(RuleContext& context, const std::string& identifier,
                    const std::string& donation_id) {
  const v1::IdentifierState* const state = context.Identifier(identifier);
  if (state == nullptr) return;
  const SubjectKey donation{v1::SUBJECT_KIND_DONATION, donation_id};
  const bool reused = std::any_of(state->bound().begin(), state->bound().end(),
                                  [&](const auto& bound) { return KeyOf(bound) != donation; });
  if (!reused) return;
  Flag(context, v1::REASON_CODE_E_DIN_REUSED, v1::SEVERITY_CRITICAL,
       absl::StrFormat("%s already names another donation", identifier), identifier);
}

// The policies of a donation's product that its consents must satisfy.
void CheckConsent(RuleContext& context, const v1::DonorState& donor, const std::string& product_id,
                  const google::protobuf::RepeatedField<int>& regimes) {
  for (const int regime : regimes) {
    const auto policy = context.PolicyFor(product_id, static_cast<v1::Regime>(regime));
    if (!policy.has_value() || HasConsent(context, donor, policy->policy->donor().consent_scopes(),
                                          context.occurred_at_ms())) {
      continue;
    }
    Flag(context, v1::REASON_CODE_E_CONSENT, v1::SEVERITY_CRITICAL,
         "a consent that the policy asks for was not given, or was withdrawn, at that time",
         EnumLabel(static_cast<v1::Regime>(regime)));
    return;
  }
}

void GuardDonationAssigned(RuleContext& context) {
  const v1::DonationAssigned& body = context.event().donation_assigned();
  context.RequireNew(v1::SUBJECT_KIND_DONATION, body.donation_id());
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  context.RequireKnown(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  CheckDonationIdentifier(context, body.donation_identifier());
  CheckNotReused(context, body.donation_identifier(), body.donation_id());
  if (body.regimes().empty() || body.tissue_type() == v1::TISSUE_TYPE_UNSPECIFIED ||
      body.intent() == v1::DONATION_INTENT_UNSPECIFIED) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "a donation states regimes, tissue and intent", "regimes, tissue_type, intent");
  }
  const bool allogeneic = body.intent() == v1::DONATION_INTENT_ALLOGENEIC;
  if (!allogeneic && body.designated_patient_id().empty()) {
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
         "an autologous or directed donation names its patient", "designated_patient_id");
  }
  context.RequirePolicies(body.product_id(), body.regimes());
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor == nullptr) return;
  if (donor->deferred()) {
    Flag(context, v1::REASON_CODE_E_DONOR_DEFERRED, v1::SEVERITY_CRITICAL, "the donor is deferred",
         "donor");
  }
  if (donor->donor_type() == v1::DONOR_TYPE_NEWBORN) {
    context.RequireKnown(v1::SUBJECT_KIND_DONOR, donor->birth_mother_id());
  }
  CheckConsent(context, *donor, body.product_id(), body.regimes());
}

void GuardTissueProcured(RuleContext& context) {
  const v1::TissueProcured& body = context.event().tissue_procured();
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, body.donation_id());
  CheckDonationIdentifier(context, body.donation_identifier());
  CheckNotReused(context, body.donation_identifier(), body.donation_id());
  if (body.started_at_ms() <= 0 || body.ended_at_ms() < body.started_at_ms()) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "the times of procurement are missing or in the wrong order", "started_at_ms");
  }
  const v1::DonationState* const donation = context.Donation(body.donation_id());
  if (donation == nullptr) return;
  if (donation->procured_at_ms() != 0) {
    Flag(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_CRITICAL,
         "the donation was procured already", "donation");
  }
  if (donation->donation_identifier() != body.donation_identifier()) {
    Flag(context, v1::REASON_CODE_E_LABEL_CONFLICT, v1::SEVERITY_CRITICAL,
         absl::StrFormat("the tissue bears %s, the donation was assigned %s",
                         body.donation_identifier(), donation->donation_identifier()),
         "donation_identifier");
  }
  if (donation->tissue_type() != body.tissue_type()) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
         "another tissue was planned for this donation", "tissue_type");
  }
  const v1::DonorState* const donor = context.Donor(donation->donor_id());
  if (donor != nullptr) {
    CheckConsent(context, *donor, donation->product_id(), donation->regimes());
  }
}

void GuardProcurementPackaged(RuleContext& context) {
  const v1::ProcurementPackaged& body = context.event().procurement_packaged();
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, body.donation_id());
  for (const std::string& id : body.container_ids()) {
    context.RequireNew(v1::SUBJECT_KIND_CONTAINER, id);
  }
  if (body.container_ids().empty()) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "no container is named",
         "container_ids");
  }
  const v1::DonationState* const donation = context.Donation(body.donation_id());
  if (donation != nullptr && donation->procured_at_ms() == 0) {
    Flag(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
         "the procurement of the donation is not recorded", "TissueProcured");
  }
}

// Every container named is one of the donation's.
void CheckContainers(RuleContext& context, const v1::DonationState& donation,
                     const google::protobuf::RepeatedPtrField<std::string>& container_ids) {
  for (const std::string& id : container_ids) {
    context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, id);
    if (Contains(donation.container_ids(), id)) continue;
    Flag(context, v1::REASON_CODE_E_CONTAINER_MISMATCH, v1::SEVERITY_CRITICAL,
         absl::StrFormat("container %s is not of this donation", ToHex(id)), ToHex(id));
  }
}

// What is received has been delivered before.
void CheckArrived(RuleContext& context,
                  const google::protobuf::RepeatedPtrField<std::string>& container_ids) {
  for (const std::string& id : container_ids) {
    const v1::ContainerState* const container = context.Container(id);
    if (container == nullptr || container->life() == v1::CONTAINER_LIFE_AT_RECEIVER ||
        container->life() == v1::CONTAINER_LIFE_STORED) {
      continue;
    }
    Flag(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
         absl::StrFormat("container %s is received, its delivery is not recorded", ToHex(id)),
         DetailAbout(id, "not delivered"));
  }
}

void GuardStartingMaterialReceived(RuleContext& context) {
  const v1::StartingMaterialReceived& body = context.event().starting_material_received();
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, body.donation_id());
  const v1::DonationState* const donation = context.Donation(body.donation_id());
  if (donation == nullptr) return;
  if (body.container_ids().empty()) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "no container is named",
         "container_ids");
  }
  CheckContainers(context, *donation, body.container_ids());
  CheckArrived(context, body.container_ids());
  if (donation->procured_at_ms() == 0) {
    Flag(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
         "the procurement of the donation is not recorded", "TissueProcured");
  }
  if (body.seal_intact() != v1::ANSWER_YES || body.label_correct() != v1::ANSWER_YES) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
         "the seal is not intact or the label is not correct", "seal_intact, label_correct");
  }
}

bool AllowsAcceptance(const v1::EligibilityState& determined) {
  if (determined.reopened()) return false;
  switch (determined.outcome()) {
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE:
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK:
    case v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED:
    // The second sample is due in six months; the product waits for it in quarantine.
    case v1::ELIGIBILITY_OUTCOME_PENDING_RETEST:
      return true;
    default:
      return false;
  }
}

// Nothing of the donation is on its way any more: it arrived, or it was lost or discarded.
bool HasArrived(RuleContext& context, const v1::DonationState& donation) {
  if (donation.received_container_ids().empty()) return false;
  return std::all_of(donation.container_ids().begin(), donation.container_ids().end(),
                     [&](const std::string& id) {
                       const v1::ContainerState* const container = context.Container(id);
                       return Contains(donation.received_container_ids(), id) ||
                              (container != nullptr && IsFinal(container->life()));
                     });
}

void CheckAcceptance(RuleContext& context, const v1::DonationState& donation) {
  if (!HasArrived(context, donation)) {
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
         "the receipt of the material, or of a part of it, is not recorded",
         "StartingMaterialReceived");
  }
  for (const int regime : donation.regimes()) {
    const auto& all = donation.eligibility();
    const bool allowed = std::any_of(all.begin(), all.end(), [regime](const auto& determined) {
      return determined.regime() == regime && AllowsAcceptance(determined);
    });
    if (allowed) continue;
    const std::string name = EnumLabel(static_cast<v1::Regime>(regime));
    Flag(context, v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, v1::SEVERITY_CRITICAL,
         absl::StrFormat("the donation is not determined eligible for %s; it stays in quarantine",
                         name),
         name);
  }
}

void GuardStartingMaterialDecision(RuleContext& context) {
  const v1::StartingMaterialDecision& body = context.event().starting_material_decision();
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, body.donation_id());
  if (body.decision() == v1::RECEIPT_DECISION_UNSPECIFIED) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "the decision is missing",
         "decision");
  }
  const v1::DonationState* const donation = context.Donation(body.donation_id());
  if (donation == nullptr) return;
  CheckContainers(context, *donation, body.container_ids());
  context.RequirePolicies(donation->product_id(), donation->regimes());
  if (donation->starting_material() == v1::RECEIPT_DECISION_REJECT) {
    Flag(context, v1::REASON_CODE_E_AFTER_FINAL, v1::SEVERITY_MAJOR,
         "the starting material was rejected", "donation");
  }
  if (body.decision() == v1::RECEIPT_DECISION_ACCEPT) CheckAcceptance(context, *donation);
}

void FoldDonationAssigned(const FoldInput& input, v1::SubjectState* state) {
  const v1::DonationAssigned& body = input.event.event.donation_assigned();
  switch (input.subject.kind) {
    case v1::SUBJECT_KIND_IDENTIFIER:
      BindIdentifier({v1::SUBJECT_KIND_DONATION, body.donation_id()}, state);
      return;
    case v1::SUBJECT_KIND_DONOR:
      state->mutable_donor()->add_donation_ids(body.donation_id());
      return;
    case v1::SUBJECT_KIND_DONATION:
      break;
    default:
      return;
  }
  v1::DonationState* const donation = state->mutable_donation();
  donation->set_donor_id(body.donor_id());
  donation->set_donation_identifier(body.donation_identifier());
  donation->set_tissue_type(body.tissue_type());
  donation->set_intent(body.intent());
  *donation->mutable_regimes() = body.regimes();
  donation->set_product_id(body.product_id());
  donation->set_designated_patient_id(body.designated_patient_id());
  donation->set_site_id(input.event.event.site_id());
}

void FoldTissueProcured(const FoldInput& input, v1::SubjectState* state) {
  const v1::TissueProcured& body = input.event.event.tissue_procured();
  if (input.subject.kind == v1::SUBJECT_KIND_IDENTIFIER) {
    BindIdentifier({v1::SUBJECT_KIND_DONATION, body.donation_id()}, state);
    return;
  }
  if (!input.favourable() || input.subject.kind != v1::SUBJECT_KIND_DONATION) return;
  v1::DonationState* const donation = state->mutable_donation();
  if (donation->procured_at_ms() != 0) return;  // The first procurement counts.
  donation->set_procured_at_ms(body.started_at_ms());
  donation->set_procured_index(input.index);
  // Windows are counted in the days of the place where the tissue was taken.
  donation->set_site_id(input.event.event.site_id());
}

// Received is what was delivered and belongs to the donation; the donation, when all of it is.
void ReceiveContainers(const FoldInput& input, v1::DonationState* donation) {
  for (const std::string& id : input.event.event.starting_material_received().container_ids()) {
    if (!Contains(donation->container_ids(), id) ||
        FoundAbout(input, v1::REASON_CODE_E_STATE, id)) {
      continue;
    }
    AddOnce(id, donation->mutable_received_container_ids());
  }
  donation->set_received(!donation->container_ids().empty() &&
                         donation->received_container_ids_size() == donation->container_ids_size());
}

void FoldProcurementPackaged(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  const v1::ProcurementPackaged& body = input.event.event.procurement_packaged();
  if (input.subject.kind == v1::SUBJECT_KIND_DONATION) {
    v1::DonationState* const donation = state->mutable_donation();
    for (const std::string& id : body.container_ids()) {
      if (Contains(donation->container_ids(), id)) continue;
      donation->add_container_ids(id);
      donation->set_received(false);
    }
    return;
  }
  if (input.subject.kind != v1::SUBJECT_KIND_CONTAINER || state->has_container()) return;
  v1::ContainerState* const container = state->mutable_container();
  container->set_donation_id(body.donation_id());
  container->set_life(v1::CONTAINER_LIFE_OUT);
  container->set_allocation(v1::CONTAINER_ALLOCATION_UNALLOCATED);
  container->set_site_id(input.event.event.site_id());
}

void FoldStartingMaterialReceived(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  if (input.subject.kind == v1::SUBJECT_KIND_DONATION) {
    ReceiveContainers(input, state->mutable_donation());
  } else if (input.subject.kind == v1::SUBJECT_KIND_CONTAINER && state->has_container()) {
    state->mutable_container()->set_site_id(input.event.event.site_id());
  }
}

void FoldStartingMaterialDecision(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_DONATION) return;
  state->mutable_donation()->set_starting_material(
      input.event.event.starting_material_decision().decision());
}

}  // namespace

std::span<const Rule> ProcurementRules() {
  using E = v1::Event;
  static constexpr Rule kRules[] = {
      {E::kDonationAssigned, GuardDonationAssigned, FoldDonationAssigned},
      {E::kTissueProcured, GuardTissueProcured, FoldTissueProcured},
      {E::kProcurementPackaged, GuardProcurementPackaged, FoldProcurementPackaged},
      {E::kStartingMaterialReceived, GuardStartingMaterialReceived, FoldStartingMaterialReceived},
      {E::kStartingMaterialDecision, GuardStartingMaterialDecision, FoldStartingMaterialDecision},
  };
  return kRules;
}

}  // namespace custody
