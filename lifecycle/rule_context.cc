#include "lifecycle/rule_context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// A subject that only was named so far (a hold on it, a case about it) has no state of its kind and
// is as unknown as one without any entry.
template <typename T>
const T* StateOf(const v1::SubjectState* state, bool (v1::SubjectState::*has)() const,
                 const T& (v1::SubjectState::*get)() const) {
  return state != nullptr && (state->*has)() ? &(state->*get)() : nullptr;
}

}  // namespace

bool RuleContext::SignedBy(const SubjectKey& person) const {
  return std::any_of(signers_.begin(), signers_.end(), [&](const EventSigner& signer) {
    return signer.authorised && signer.key == person;
  });
}

bool RuleContext::SignedInRole(v1::Role role) const {
  return std::any_of(signers_.begin(), signers_.end(), [&](const EventSigner& signer) {
    return signer.authorised && signer.role == role;
  });
}

bool RuleContext::SignedByTwo(v1::Role first, v1::Role second) const {
  return std::any_of(signers_.begin(), signers_.end(), [&](const EventSigner& one) {
    if (!one.authorised || one.role != first) return false;
    return std::any_of(signers_.begin(), signers_.end(), [&](const EventSigner& other) {
      return other.authorised && other.role == second && other.key != one.key;
    });
  });
}

void RuleContext::KeepError(const absl::Status& status) {
  if (status_.ok()) status_ = status;
}

const v1::SubjectState* RuleContext::Find(v1::SubjectKind kind, std::string_view id) {
  if (id.empty()) return nullptr;
  const absl::StatusOr<const v1::SubjectState*> found = view_.Find({kind, std::string(id)});
  if (!found.ok()) {
    KeepError(found.status());
    return nullptr;
  }
  return *found;
}

std::optional<RecordedEvent> RuleContext::FindEvent(std::string_view digest) {
  absl::StatusOr<std::optional<RecordedEvent>> found = view_.FindEvent(digest);
  if (!found.ok()) {
    KeepError(found.status());
    return std::nullopt;
  }
  return *std::move(found);
}

const v1::PersonState* RuleContext::Person(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_PERSON, id), &v1::SubjectState::has_person,
                 &v1::SubjectState::person);
}
const v1::DeviceState* RuleContext::Device(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_DEVICE, id), &v1::SubjectState::has_device,
                 &v1::SubjectState::device);
}
const v1::SiteState* RuleContext::Site(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_SITE, id), &v1::SubjectState::has_site,
                 &v1::SubjectState::site);
}
const v1::ProductState* RuleContext::Product(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_PRODUCT, id), &v1::SubjectState::has_product,
                 &v1::SubjectState::product);
}
const v1::DonorState* RuleContext::Donor(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_DONOR, id), &v1::SubjectState::has_donor,
                 &v1::SubjectState::donor);
}
const v1::DonationState* RuleContext::Donation(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_DONATION, id), &v1::SubjectState::has_donation,
                 &v1::SubjectState::donation);
}
const v1::MaterialState* RuleContext::Material(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_MATERIAL, id), &v1::SubjectState::has_material,
                 &v1::SubjectState::material);
}
const v1::BatchState* RuleContext::Batch(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_BATCH, id), &v1::SubjectState::has_batch,
                 &v1::SubjectState::batch);
}
const v1::ContainerState* RuleContext::Container(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_CONTAINER, id), &v1::SubjectState::has_container,
                 &v1::SubjectState::container);
}
const v1::IdentifierState* RuleContext::Identifier(std::string_view key) {
  return StateOf(Find(v1::SUBJECT_KIND_IDENTIFIER, key), &v1::SubjectState::has_identifier,
                 &v1::SubjectState::identifier);
}
const v1::ShipmentState* RuleContext::Shipment(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_SHIPMENT, id), &v1::SubjectState::has_shipment,
                 &v1::SubjectState::shipment);
}
const v1::PatientState* RuleContext::Patient(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_PATIENT, id), &v1::SubjectState::has_patient,
                 &v1::SubjectState::patient);
}
const v1::OrderState* RuleContext::Order(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_ORDER, id), &v1::SubjectState::has_order,
                 &v1::SubjectState::order);
}
const v1::CaseState* RuleContext::Case(std::string_view id) {
  return StateOf(Find(v1::SUBJECT_KIND_CASE, id), &v1::SubjectState::has_case_,
                 &v1::SubjectState::case_);
}

const v1::LedgerState* RuleContext::Ledger() {
  const Digest id = Sha256(std::string_view(event_.event.ledger()));
  const v1::SubjectState* state = Find(v1::SUBJECT_KIND_LEDGER, id.view().substr(0, 16));
  return state != nullptr && state->has_ledger() ? &state->ledger() : nullptr;
}

bool RuleContext::IsOpen(const v1::OpenCase& open) {
  const v1::CaseState* opened = Case(open.case_id());
  return opened == nullptr || !opened->closed();
}

std::optional<PolicyRef> RuleContext::PolicyFor(std::string_view product_id, v1::Regime regime) {
  absl::StatusOr<std::optional<PolicyRef>> found =
      FindPolicyInForce(view_, product_id, regime, recorded_at_ms_);
  if (!found.ok()) {
    KeepError(found.status());
    return std::nullopt;
  }
  return *std::move(found);
}

void AddPolicyOnce(const std::optional<PolicyRef>& policy, std::vector<PolicyRef>* policies) {
  if (!policy.has_value()) return;
  const bool is_there =
      std::any_of(policies->begin(), policies->end(),
                  [&](const PolicyRef& known) { return known.hash == policy->hash; });
  if (!is_there) policies->push_back(*policy);
}

void RuleContext::Violate(Violation violation) { violations_.push_back(std::move(violation)); }

void RuleContext::RequireKnown(v1::SubjectKind kind, std::string_view id) {
  const v1::SubjectState* state = Find(kind, id);
  if (state != nullptr && state->state_case() != v1::SubjectState::STATE_NOT_SET) return;
  const SubjectKey key{kind, std::string(id)};
  Violate({.code = v1::REASON_CODE_E_UNKNOWN_SUBJECT,
           .severity = v1::SEVERITY_CRITICAL,
           .message = absl::StrFormat("%s is not known", Describe(key)),
           .detail = Describe(key),
           .remedy = {},
           .evidence = {},
           .subject = key});
}

void RuleContext::RequireNew(v1::SubjectKind kind, std::string_view id) {
  const v1::SubjectState* state = Find(kind, id);
  if (state == nullptr || state->state_case() == v1::SubjectState::STATE_NOT_SET) return;
  const SubjectKey key{kind, std::string(id)};
  Violate({.code = v1::REASON_CODE_E_SUBJECT_EXISTS,
           .severity = v1::SEVERITY_CRITICAL,
           .message = absl::StrFormat("%s exists already", Describe(key)),
           .detail = Describe(key),
           .remedy = {},
           .evidence = {state->first_index()},
           .subject = key});
}

std::optional<PolicyRef> RuleContext::RequirePolicy(std::string_view product_id,
                                                    v1::Regime regime) {
  google::protobuf::RepeatedField<int> regimes;
  regimes.Add(regime);
  const std::vector<PolicyRef> policies = RequirePolicies(product_id, regimes);
  return policies.empty() ? std::nullopt : std::optional<PolicyRef>(policies.front());
}

std::vector<PolicyRef> RuleContext::RequirePolicies(
    std::string_view product_id, const google::protobuf::RepeatedField<int>& regimes) {
  std::vector<PolicyRef> policies;
  for (const int value : regimes) {
    const auto regime = static_cast<v1::Regime>(value);
    const std::optional<PolicyRef> policy = PolicyFor(product_id, regime);
    AddPolicyOnce(policy, &policies);
    if (policy.has_value() || !status_.ok()) continue;
    const SubjectKey product{v1::SUBJECT_KIND_PRODUCT, std::string(product_id)};
    Violate({.code = v1::REASON_CODE_E_POLICY_MISSING,
             .message = absl::StrFormat("%s has no policy in force for %s", Describe(product),
                                        EnumLabel(regime)),
             .detail = EnumLabel(regime),
             .remedy = {},
             .evidence = {},
             .subject = product});
  }
  RequireNamed(product_id, policies);
  return policies;
}

void RuleContext::RequireAnyPolicy(std::string_view product_id,
                                   const google::protobuf::RepeatedField<int>& regimes) {
  std::vector<PolicyRef> policies;
  for (const int regime : regimes) {
    AddPolicyOnce(PolicyFor(product_id, static_cast<v1::Regime>(regime)), &policies);
  }
  RequireNamed(product_id, policies);
}

void RuleContext::RequireNamed(std::string_view product_id,
                               const std::vector<PolicyRef>& policies) {
  std::string in_force;
  for (const PolicyRef& policy : policies) {
    if (event_.event.policy_hash() == policy.hash) return;
    in_force += (in_force.empty() ? "" : " or ") + ToHex(std::string_view(policy.hash));
  }
  if (policies.empty()) return;
  Violate(
      {.code = v1::REASON_CODE_E_POLICY_HASH,
       .message = absl::StrFormat("the event names policy %s, in force is %s",
                                  ToHex(std::string_view(event_.event.policy_hash())), in_force),
       .detail = ToHex(std::string_view(policies.front().hash).substr(0, 16)),
       .remedy = {},
       .evidence = {},
       .subject = {v1::SUBJECT_KIND_PRODUCT, std::string(product_id)}});
}

void RuleContext::Note(v1::ReasonCode code, v1::Severity severity, std::string_view detail) {
  v1::Finding finding;
  finding.set_code(code);
  finding.set_severity(severity);
  finding.set_detail(std::string(detail));
  notes_.push_back(std::move(finding));
}

void RuleContext::Consequence(v1::Event event) { consequences_.push_back(std::move(event)); }

}  // namespace custody
