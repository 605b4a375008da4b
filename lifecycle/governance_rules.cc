// Governance: who may act, where, with what, under which policy (GOV, PRD, TRN).

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "lifecycle/enrolment.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/policy.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

void Violate(v1::ReasonCode code, std::string message, RuleContext& context) {
  RuleContext::Violation violation;
  violation.code = code;
  violation.message = std::move(message);
  context.Violate(std::move(violation));
}

void GuardLedgerCreated(RuleContext& context) {
  const v1::LedgerCreated& body = context.event().ledger_created();
  if (!context.from_ledger() || context.Ledger() != nullptr) {
    Violate(v1::REASON_CODE_E_SUBJECT_EXISTS, "a ledger is created once, as its entry 0", context);
  }
  const Digest origin_hash = Sha256(std::string_view(body.origin()));
  if (body.origin() != context.event().ledger() ||
      body.ledger_id() != origin_hash.view().substr(0, 16)) {
    Violate(v1::REASON_CODE_E_FIELD, "origin and ledger_id do not fit the event", context);
  }
  CheckPerson(body.administrator(), context);
  CheckPerson(body.quality_assurance(), context);
  CheckFoundingRole(body.administrator(), v1::ROLE_ADMINISTRATOR, context);
  CheckFoundingRole(body.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE, context);
  if (body.administrator().person_id() == body.quality_assurance().person_id()) {
    Violate(v1::REASON_CODE_E_SAME_PERSON,
            "administrator and quality assurance are different persons", context);
  }
  CheckDevice(body.service(), context);
  for (const v1::PrincipalEnrolment& principal : body.principals()) {
    CheckPrincipal(principal, context);
  }
  CheckFoundingSignature(body.service(), context);
}

void FoldLedgerCreated(const FoldInput& input, v1::SubjectState* state) {
  const v1::LedgerCreated& body = input.event.event.ledger_created();
  if (input.subject.kind == v1::SUBJECT_KIND_LEDGER) {
    v1::LedgerState& ledger = *state->mutable_ledger();
    ledger.set_origin(body.origin());
    ledger.set_format_version(body.format_version());
    ledger.set_rules_version(body.rules_version());
    ledger.set_service_device_id(body.service().device_id());
    *ledger.mutable_limits() = body.limits();
    return;
  }
  if (input.subject.id == body.administrator().person_id()) {
    EnrolPerson(body.administrator(), input.index, state->mutable_person());
  } else if (input.subject.id == body.quality_assurance().person_id()) {
    EnrolPerson(body.quality_assurance(), input.index, state->mutable_person());
  } else if (input.subject.id == body.service().device_id()) {
    EnrolDevice(body.service(), input.index, state->mutable_device());
  }
  for (const v1::PrincipalEnrolment& principal : body.principals()) {
    if (input.subject.id == principal.principal_id()) {
      *state->mutable_principal()->mutable_enrolment() = principal;
    }
  }
}

void GuardActorEnrolled(RuleContext& context) {
  const v1::PersonEnrolment& person = context.event().actor_enrolled().person();
  context.RequireNew(v1::SUBJECT_KIND_PERSON, person.person_id());
  CheckPerson(person, context);
  if (!person.has_identity_proof()) {
    Violate(v1::REASON_CODE_E_MISSING, "identity_proof is missing: who checked the identity, how",
            context);
  }
}

void FoldActorEnrolled(const FoldInput& input, v1::SubjectState* state) {
  EnrolPerson(input.event.event.actor_enrolled().person(), input.index, state->mutable_person());
}

void GuardRolesChanged(RuleContext& context) {
  const v1::RolesChanged& body = context.event().roles_changed();
  context.RequireKnown(v1::SUBJECT_KIND_PERSON, body.person_id());
  CheckRoles(body.roles(), context);
}

void FoldRolesChanged(const FoldInput& input, v1::SubjectState* state) {
  *state->mutable_person()->mutable_roles() = input.event.event.roles_changed().roles();
}

// Exactly one of the two is named and known.
template <typename Body>
void CheckKeyOwner(const Body& body, RuleContext& context) {
  if (body.person_id().empty() == body.device_id().empty()) {
    Violate(v1::REASON_CODE_E_FIELD, "a key belongs to a person or to a device", context);
    return;
  }
  if (body.device_id().empty()) {
    context.RequireKnown(v1::SUBJECT_KIND_PERSON, body.person_id());
  } else {
    context.RequireKnown(v1::SUBJECT_KIND_DEVICE, body.device_id());
  }
}

template <typename Body>
const google::protobuf::RepeatedPtrField<v1::KeyState>* KeysOfOwner(const Body& body,
                                                                    RuleContext& context) {
  if (const v1::PersonState* person = context.Person(body.person_id())) return &person->keys();
  if (const v1::DeviceState* device = context.Device(body.device_id())) return &device->keys();
  return nullptr;
}

google::protobuf::RepeatedPtrField<v1::KeyState>* MutableKeys(v1::SubjectState* state) {
  return state->kind() == v1::SUBJECT_KIND_PERSON ? state->mutable_person()->mutable_keys()
                                                  : state->mutable_device()->mutable_keys();
}

void GuardKeyRegistered(RuleContext& context) {
  const v1::KeyRegistered& body = context.event().key_registered();
  CheckKeyOwner(body, context);
  CheckKey(body.key(), context);
  const auto* keys = KeysOfOwner(body, context);
  if (keys == nullptr) return;
  const bool enrolled = std::any_of(keys->begin(), keys->end(), [&](const v1::KeyState& key) {
    return key.key().spki() == body.key().spki();
  });
  if (enrolled) Violate(v1::REASON_CODE_E_SUBJECT_EXISTS, "the key is enrolled already", context);
}

void FoldKeyRegistered(const FoldInput& input, v1::SubjectState* state) {
  *MutableKeys(state)->Add() = MakeKeyState(input.event.event.key_registered().key(), input.index);
}

void GuardKeyRevoked(RuleContext& context) {
  const v1::KeyRevoked& body = context.event().key_revoked();
  CheckKeyOwner(body, context);
  const auto* keys = KeysOfOwner(body, context);
  if (keys == nullptr) return;
  const bool known = std::any_of(keys->begin(), keys->end(), [&](const v1::KeyState& key) {
    return key.key_id() == body.key_id();
  });
  if (!known) Violate(v1::REASON_CODE_E_UNKNOWN_KEY, "the signer has no such key", context);
  if (body.compromised_since_ms() == 0) return;
  // Opens a case: somebody has to look through what the key signed.
  context.Note(v1::REASON_CODE_KEY_SUSPECT, v1::SEVERITY_MAJOR,
               absl::StrFormat("what key %s signed is suspect if it was recorded at %d or later",
                               ToHex(body.key_id()).substr(0, 16), body.compromised_since_ms()));
}

void FoldKeyRevoked(const FoldInput& input, v1::SubjectState* state) {
  const v1::KeyRevoked& body = input.event.event.key_revoked();
  for (v1::KeyState& key : *MutableKeys(state)) {
    if (key.key_id() != body.key_id()) continue;
    if (key.revoked_index() == 0) key.set_revoked_index(input.index + 1);
    if (body.compromised_since_ms() != 0 &&
        (key.compromised_since_ms() == 0 ||
         body.compromised_since_ms() < key.compromised_since_ms())) {
      key.set_compromised_since_ms(body.compromised_since_ms());
    }
  }
}

void GuardPolicyPublished(RuleContext& context) {
  const v1::PolicyPublished& body = context.event().policy_published();
  context.RequireKnown(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  context.RequireNew(v1::SUBJECT_KIND_POLICY, body.policy_id());
  if (body.policy_id() != PolicyIdOf(PolicyHash(body.policy()))) {
    Violate(v1::REASON_CODE_E_FIELD, "policy_id is not the start of the policy's hash", context);
  }
  const absl::Status valid = ValidatePolicy(body.policy());
  if (!valid.ok()) {
    Violate(v1::REASON_CODE_E_FIELD, std::string(valid.message()), context);
    return;
  }
  v1::Policy policy;
  if (!policy.ParseFromString(body.policy()) || policy.product_id() != body.product_id()) {
    Violate(v1::REASON_CODE_E_FIELD, "the policy is written for another product", context);
  }
}

void FoldPolicyPublished(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind != v1::SUBJECT_KIND_POLICY) return;
  const v1::PolicyPublished& body = input.event.event.policy_published();
  v1::PolicyState& policy = *state->mutable_policy();
  policy.set_policy(body.policy());
  policy.set_policy_hash(std::string(PolicyHash(body.policy()).view()));
  policy.set_product_id(body.product_id());
}

void CheckActivatedRegimes(const v1::PolicyActivated& body, const v1::PolicyState& state,
                           RuleContext& context) {
  v1::Policy policy;
  if (!policy.ParseFromString(state.policy())) return;
  if (body.regimes().empty()) {
    Violate(v1::REASON_CODE_E_FIELD, "the activation names no regime", context);
  }
  for (const int regime : body.regimes()) {
    const auto& written_for = policy.regimes();
    if (std::find(written_for.begin(), written_for.end(), regime) == written_for.end()) {
      Violate(v1::REASON_CODE_E_REGIME,
              absl::StrFormat("the policy is not written for %s",
                              EnumLabel(static_cast<v1::Regime>(regime))),
              context);
    }
  }
}

void GuardPolicyActivated(RuleContext& context) {
  const v1::PolicyActivated& body = context.event().policy_activated();
  context.RequireKnown(v1::SUBJECT_KIND_POLICY, body.policy_id());
  context.RequireKnown(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  const v1::SubjectState* state = context.Find(v1::SUBJECT_KIND_POLICY, body.policy_id());
  if (state == nullptr || !state->has_policy()) return;
  if (state->policy().product_id() != body.product_id()) {
    Violate(v1::REASON_CODE_E_FIELD, "the policy is written for another product", context);
  }
  // The fold of the product sees only this event, so the whole hash stands in its header.
  if (context.event().policy_hash() != state->policy().policy_hash()) {
    Violate(v1::REASON_CODE_E_POLICY_HASH, "policy_hash is not the hash of the policy", context);
  }
  if (body.effective_from_ms() != 0 && body.effective_from_ms() < context.recorded_at_ms()) {
    Violate(v1::REASON_CODE_E_FIELD,
            absl::StrFormat("effective_from %d is before %d", body.effective_from_ms(),
                            context.recorded_at_ms()),
            context);
  }
  CheckActivatedRegimes(body, state->policy(), context);
}

void FoldPolicyActivated(const FoldInput& input, v1::SubjectState* state) {
  const v1::PolicyActivated& body = input.event.event.policy_activated();
  if (input.subject.kind == v1::SUBJECT_KIND_POLICY) {
    state->mutable_policy()->set_activated(true);
    return;
  }
  for (const int regime : body.regimes()) {
    v1::PolicyInForce& added = *state->mutable_product()->add_policies();
    added.set_regime(static_cast<v1::Regime>(regime));
    added.set_policy_id(body.policy_id());
    added.set_policy_hash(input.event.event.policy_hash());
    added.set_effective_from_ms(body.effective_from_ms() == 0 ? input.recorded_at_ms
                                                              : body.effective_from_ms());
  }
}

void GuardSiteRegistered(RuleContext& context) {
  const v1::SiteRegistered& body = context.event().site_registered();
  context.RequireNew(v1::SUBJECT_KIND_SITE, body.site_id());
  const std::string& country = body.country();
  const bool alpha2 =
      country.size() == 2 &&
      std::all_of(country.begin(), country.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!alpha2) Violate(v1::REASON_CODE_E_FIELD, "country is not ISO 3166-1 alpha-2", context);
  // Windows and expiries are counted in the days of the site.
  absl::TimeZone zone;
  if (body.time_zone().empty() || !absl::LoadTimeZone(body.time_zone(), &zone)) {
    Violate(v1::REASON_CODE_E_FIELD, "time_zone is no IANA time zone", context);
  }
  if (body.organisation().empty()) {
    Violate(v1::REASON_CODE_E_FIELD, "organisation is missing", context);
  }
  if (body.functions().empty()) Violate(v1::REASON_CODE_E_FIELD, "functions are missing", context);
}

void FoldSiteRegistered(const FoldInput& input, v1::SubjectState* state) {
  const v1::SiteRegistered& body = input.event.event.site_registered();
  v1::SiteState& site = *state->mutable_site();
  site.set_organisation(body.organisation());
  site.set_country(body.country());
  site.set_time_zone(body.time_zone());
  *site.mutable_functions() = body.functions();
}

void GuardLicenceRecorded(RuleContext& context) {
  const v1::LicenceRecorded& body = context.event().licence_recorded();
  context.RequireKnown(v1::SUBJECT_KIND_SITE, body.site_id());
  if (body.licence_type() == v1::LICENCE_TYPE_UNSPECIFIED) {
    Violate(v1::REASON_CODE_E_FIELD, "licence_type is missing", context);
  }
  if (!body.has_document()) {
    Violate(v1::REASON_CODE_E_MISSING, "document is missing: the licence itself", context);
  }
  CheckPeriod(body.valid_from_ms(), body.valid_to_ms(), context);
}

void FoldLicenceRecorded(const FoldInput& input, v1::SubjectState* state) {
  const v1::LicenceRecorded& body = input.event.event.licence_recorded();
  v1::LicenceState& licence = *state->mutable_site()->add_licences();
  licence.set_licence_type(body.licence_type());
  licence.set_number(body.number());
  *licence.mutable_regimes() = body.regimes();
  licence.set_valid_from_ms(body.valid_from_ms());
  licence.set_valid_to_ms(body.valid_to_ms());
}

void GuardDeviceRegistered(RuleContext& context) {
  const v1::DeviceEnrolment& device = context.event().device_registered().device();
  context.RequireNew(v1::SUBJECT_KIND_DEVICE, device.device_id());
  CheckDevice(device, context);
}

void FoldDeviceRegistered(const FoldInput& input, v1::SubjectState* state) {
  EnrolDevice(input.event.event.device_registered().device(), input.index, state->mutable_device());
}

void GuardDeviceCalibrated(RuleContext& context) {
  const v1::DeviceCalibrated& body = context.event().device_calibrated();
  context.RequireKnown(v1::SUBJECT_KIND_DEVICE, body.device_id());
  if (body.valid_to_ms() <= body.calibrated_at_ms()) {
    Violate(v1::REASON_CODE_E_FIELD, "the calibration ends before it begins", context);
  }
  if (!body.has_certificate()) {
    Violate(v1::REASON_CODE_E_MISSING, "certificate is missing: the calibration's", context);
  }
}

void FoldDeviceCalibrated(const FoldInput& input, v1::SubjectState* state) {
  const v1::DeviceCalibrated& body = input.event.event.device_calibrated();
  v1::CalibrationState& added = *state->mutable_device()->add_calibrations();
  added.set_calibrated_at_ms(body.calibrated_at_ms());
  added.set_valid_to_ms(body.valid_to_ms());
}

void GuardPrincipalEnrolled(RuleContext& context) {
  const v1::PrincipalEnrolment& principal = context.event().principal_enrolled().principal();
  context.RequireNew(v1::SUBJECT_KIND_PRINCIPAL, principal.principal_id());
  CheckPrincipal(principal, context);
}

void FoldPrincipalEnrolled(const FoldInput& input, v1::SubjectState* state) {
  *state->mutable_principal()->mutable_enrolment() =
      input.event.event.principal_enrolled().principal();
}

void GuardPrincipalChanged(RuleContext& context) {
  const v1::PrincipalEnrolment& principal = context.event().principal_changed().principal();
  context.RequireKnown(v1::SUBJECT_KIND_PRINCIPAL, principal.principal_id());
  CheckPrincipal(principal, context);
}

void FoldPrincipalChanged(const FoldInput& input, v1::SubjectState* state) {
  *state->mutable_principal()->mutable_enrolment() =
      input.event.event.principal_changed().principal();
}

void GuardPrincipalRevoked(RuleContext& context) {
  context.RequireKnown(v1::SUBJECT_KIND_PRINCIPAL,
                       context.event().principal_revoked().principal_id());
}

void FoldPrincipalRevoked(const FoldInput&, v1::SubjectState* state) {
  state->mutable_principal()->set_revoked(true);
}

void GuardRulesVersion(RuleContext& context) {
  const v1::RulesVersionActivated& body = context.event().rules_version_activated();
  const v1::LedgerState* ledger = context.Ledger();
  context.RequireKnown(v1::SUBJECT_KIND_LEDGER, body.ledger_id());
  if (ledger != nullptr && body.rules_version() <= ledger->rules_version()) {
    Violate(v1::REASON_CODE_E_STATE,
            absl::StrFormat("rules version %d is in force", ledger->rules_version()), context);
  }
  if (body.rules_version() > kRulesVersion) {
    Violate(v1::REASON_CODE_UNIMPLEMENTED,
            absl::StrFormat("this program runs rules version %d at most", kRulesVersion), context);
  }
}

void FoldRulesVersion(const FoldInput& input, v1::SubjectState* state) {
  state->mutable_ledger()->set_rules_version(
      input.event.event.rules_version_activated().rules_version());
}

void GuardProductRegistered(RuleContext& context) {
  const v1::ProductRegistered& body = context.event().product_registered();
  context.RequireNew(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  if (body.name().empty() || body.regimes().empty() ||
      body.presentation() == v1::PRESENTATION_UNSPECIFIED) {
    Violate(v1::REASON_CODE_E_FIELD, "a product has a name, regimes and a presentation", context);
  }
}

void FoldProductRegistered(const FoldInput& input, v1::SubjectState* state) {
  const v1::ProductRegistered& body = input.event.event.product_registered();
  v1::ProductState& product = *state->mutable_product();
  product.set_name(body.name());
  *product.mutable_regimes() = body.regimes();
  product.set_presentation(body.presentation());
}

void GuardTrainingRecorded(RuleContext& context) {
  const v1::TrainingRecorded& body = context.event().training_recorded();
  context.RequireKnown(v1::SUBJECT_KIND_PERSON, body.person_id());
  if (body.procedure().empty()) Violate(v1::REASON_CODE_E_FIELD, "procedure is missing", context);
  CheckPeriod(body.valid_from_ms(), body.valid_to_ms(), context);
}

void FoldTrainingRecorded(const FoldInput& input, v1::SubjectState* state) {
  const v1::TrainingRecorded& body = input.event.event.training_recorded();
  v1::TrainingState& training = *state->mutable_person()->add_trainings();
  training.set_procedure(body.procedure());
  training.set_version(body.version());
  training.set_valid_from_ms(body.valid_from_ms());
  training.set_valid_to_ms(body.valid_to_ms());
}

constexpr Rule kRules[] = {
    {v1::Event::kLedgerCreated, GuardLedgerCreated, FoldLedgerCreated},
    {v1::Event::kActorEnrolled, GuardActorEnrolled, FoldActorEnrolled},
    {v1::Event::kRolesChanged, GuardRolesChanged, FoldRolesChanged},
    {v1::Event::kKeyRegistered, GuardKeyRegistered, FoldKeyRegistered},
    {v1::Event::kKeyRevoked, GuardKeyRevoked, FoldKeyRevoked},
    {v1::Event::kPolicyPublished, GuardPolicyPublished, FoldPolicyPublished},
    {v1::Event::kPolicyActivated, GuardPolicyActivated, FoldPolicyActivated},
    {v1::Event::kSiteRegistered, GuardSiteRegistered, FoldSiteRegistered},
    {v1::Event::kLicenceRecorded, GuardLicenceRecorded, FoldLicenceRecorded},
    {v1::Event::kDeviceRegistered, GuardDeviceRegistered, FoldDeviceRegistered},
    {v1::Event::kDeviceCalibrated, GuardDeviceCalibrated, FoldDeviceCalibrated},
    {v1::Event::kPrincipalEnrolled, GuardPrincipalEnrolled, FoldPrincipalEnrolled},
    {v1::Event::kPrincipalChanged, GuardPrincipalChanged, FoldPrincipalChanged},
    {v1::Event::kPrincipalRevoked, GuardPrincipalRevoked, FoldPrincipalRevoked},
    {v1::Event::kRulesVersionActivated, GuardRulesVersion, FoldRulesVersion},
    {v1::Event::kProductRegistered, GuardProductRegistered, FoldProductRegistered},
    {v1::Event::kTrainingRecorded, GuardTrainingRecorded, FoldTrainingRecorded},
};

}  // namespace

std::span<const Rule> GovernanceRules() { return kRules; }

}  // namespace custody
