#include "lifecycle/denied_attempt.h"

#include <optional>
#include <string>

#include "base/status_macros.h"
#include "lifecycle/refusal.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

constexpr int kReasonsMax = 16;
constexpr int kTargetsMax = 200;

// The order to which the wristband belongs; empty when it is of the patient of the event, of nobody
// known, or of a patient without an open order.
absl::StatusOr<std::string> OrderOfWristband(const StateView& view, const v1::Event& event) {
  if (!event.has_administration_authorised()) return std::string();
  const v1::AdministrationAuthorised& body = event.administration_authorised();
  if (body.scanned_patient_token().empty()) return std::string();
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* patient,
                           view.Find({v1::SUBJECT_KIND_PATIENT, body.scanned_patient_token()}));
  if (patient == nullptr || !patient->has_patient()) return std::string();
  const auto& orders = patient->patient().order_ids();
  for (auto id = orders.rbegin(); id != orders.rend(); ++id) {
    if (*id == body.order_id()) return std::string();
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* order,
                             view.Find({v1::SUBJECT_KIND_ORDER, *id}));
    if (order != nullptr && order->order().phase() < v1::ORDER_PHASE_ADMINISTERED) return *id;
  }
  return std::string();
}

}  // namespace

bool UsesMatch(std::string_view event_code) {
  return event_code == "CLN-06" || event_code == "CLN-06T";
}

absl::StatusOr<v1::Event> BuildAttemptDenied(const StateView& view, const ParsedEvent& event,
                                             const absl::Status& refusal) {
  v1::Event denied;
  v1::AttemptDenied& body = *denied.mutable_attempt_denied();
  body.set_event(std::string(event.digest.view()));
  body.set_event_code(std::string(event.code()));
  for (const SubjectKey& key : event.subjects) {
    if (body.targets_size() == kTargetsMax) break;
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view.Find(key));
    if (state == nullptr || key.kind == v1::SUBJECT_KIND_IDENTIFIER) continue;
    *body.add_targets() = RefOf(key, v1::SUBJECT_ROLE_SCOPE);
  }
  const std::optional<v1::Refusal> details = RefusalOf(refusal);
  for (int i = 0; details.has_value() && i < details->reasons_size() && i < kReasonsMax; ++i) {
    // The code and what it is about; sentences are for the screen.
    v1::RefusalReason& reason = *body.add_reasons();
    reason.set_code(details->reasons(i).code());
    if (details->reasons(i).has_subject())
      *reason.mutable_subject() = details->reasons(i).subject();
  }
  for (const ParsedSignature& signature : event.signatures) {
    if (signature.signer.kind == v1::SUBJECT_KIND_PERSON) body.add_person_ids(signature.signer.id);
  }
  CUSTODY_ASSIGN_OR_RETURN(*body.mutable_scanned_order_id(), OrderOfWristband(view, event.event));
  return denied;
}

}  // namespace custody
