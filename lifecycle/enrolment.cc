#include "lifecycle/enrolment.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr int kKeysMax = 16;

void Wrong(std::string message, RuleContext& context) {
  RuleContext::Violation violation;
  violation.code = v1::REASON_CODE_E_FIELD;
  violation.message = std::move(message);
  context.Violate(std::move(violation));
}

bool MayHoldEverywhere(v1::Role role) {
  switch (role) {
    case v1::ROLE_ADMINISTRATOR:
    case v1::ROLE_QUALITY_ASSURANCE:
    case v1::ROLE_DATA_PROTECTION_OFFICER:
    case v1::ROLE_AUDITOR:
    case v1::ROLE_RELEASE_AUTHORITY:
    case v1::ROLE_VIGILANCE_OFFICER:
      return true;
    default:
      return false;
  }
}

void CheckCertificate(const v1::SignerKey& key, const VerifyKey& verify_key, RuleContext& context) {
  const absl::StatusOr<Certificate> certificate = ParseCertificateDer(key.certificate());
  if (!certificate.ok()) {
    Wrong("the certificate of a key cannot be read", context);
    return;
  }
  if (certificate->spki_sha256 != verify_key.key_id()) {
    Wrong("the certificate certifies another key", context);
  }
  // X.509 counts the last second in.
  const std::int64_t end_ms = certificate->not_after_ms + kSecondMs;
  if (key.not_before_ms() < certificate->not_before_ms || key.not_after_ms() == 0 ||
      key.not_after_ms() > end_ms) {
    Wrong("the key is valid for longer than its certificate", context);
  }
}

void CheckKeys(const google::protobuf::RepeatedPtrField<v1::SignerKey>& keys,
               RuleContext& context) {
  if (keys.size() > kKeysMax) Wrong("more than 16 keys", context);
  std::set<std::string> seen;
  for (const v1::SignerKey& key : keys) {
    CheckKey(key, context);
    if (!seen.insert(key.spki()).second) Wrong("the same key twice", context);
  }
}

}  // namespace

void CheckPeriod(std::int64_t from_ms, std::int64_t to_ms, RuleContext& context) {
  if (to_ms == 0 || to_ms > from_ms) return;
  Wrong(absl::StrFormat("valid from %d until %d", from_ms, to_ms), context);
}

void CheckKey(const v1::SignerKey& key, RuleContext& context) {
  const absl::StatusOr<VerifyKey> verify_key = VerifyKey::FromSpki(key.spki());
  if (!verify_key.ok()) {
    Wrong("a key is no canonical SubjectPublicKeyInfo of Ed25519 or P-256", context);
    return;
  }
  const v1::KeyAlgorithm algorithm = verify_key->algorithm() == KeyAlgorithm::kEd25519
                                         ? v1::KEY_ALGORITHM_ED25519
                                         : v1::KEY_ALGORITHM_ECDSA_P256;
  if (key.algorithm() != algorithm) Wrong("the algorithm of a key is another one", context);
  CheckPeriod(key.not_before_ms(), key.not_after_ms(), context);
  if (!key.certificate().empty()) CheckCertificate(key, *verify_key, context);
}

void CheckRoles(const google::protobuf::RepeatedPtrField<v1::RoleGrant>& roles,
                RuleContext& context) {
  for (const v1::RoleGrant& grant : roles) {
    CheckPeriod(grant.valid_from_ms(), grant.valid_to_ms(), context);
    if (grant.role() == v1::ROLE_UNSPECIFIED || grant.role() == v1::ROLE_DEVICE) {
      Wrong("a person holds a role of a person", context);
    } else if (!grant.site_id().empty()) {
      context.RequireKnown(v1::SUBJECT_KIND_SITE, grant.site_id());
    } else if (!MayHoldEverywhere(grant.role())) {
      Wrong(absl::StrFormat("%s is granted for a site", EnumLabel(grant.role())), context);
    }
  }
}

void CheckPerson(const v1::PersonEnrolment& person, RuleContext& context) {
  if (person.person_id().empty()) Wrong("person_id is missing", context);
  if (person.keys().empty()) Wrong("a person needs a key", context);
  CheckRoles(person.roles(), context);
  CheckKeys(person.keys(), context);
}

void CheckDevice(const v1::DeviceEnrolment& device, RuleContext& context) {
  if (device.device_id().empty()) Wrong("device_id is missing", context);
  if (device.device_type() == v1::DEVICE_TYPE_UNSPECIFIED) {
    Wrong("device_type is missing", context);
  }
  if (!device.site_id().empty()) {
    context.RequireKnown(v1::SUBJECT_KIND_SITE, device.site_id());
  }
  CheckKeys(device.keys(), context);
}

void CheckPrincipal(const v1::PrincipalEnrolment& principal, RuleContext& context) {
  if (principal.principal_id().empty()) Wrong("principal_id is missing", context);
  if (principal.certificate_spki_sha256().empty()) Wrong("a principal needs a key", context);
  for (const std::string& hash : principal.certificate_spki_sha256()) {
    if (hash.size() != Digest::kSizeBytes) Wrong("a key hash is not 32 bytes", context);
  }
  for (const std::string& site : principal.site_ids()) {
    context.RequireKnown(v1::SUBJECT_KIND_SITE, site);
  }
}

void CheckFoundingRole(const v1::PersonEnrolment& person, v1::Role role, RuleContext& context) {
  const auto& roles = person.roles();
  const bool held = std::any_of(roles.begin(), roles.end(), [&](const v1::RoleGrant& grant) {
    return grant.role() == role && grant.site_id().empty();
  });
  if (!held) Wrong(absl::StrFormat("nobody holds %s", EnumLabel(role)), context);
}

void CheckFoundingSignature(const v1::DeviceEnrolment& service, RuleContext& context) {
  for (const ParsedSignature& signature : context.parsed().signatures) {
    const auto& keys = service.keys();
    const bool own = std::any_of(keys.begin(), keys.end(), [&](const v1::SignerKey& key) {
      return Sha256(std::string_view(key.spki())).view() == signature.statement.key_id();
    });
    if (!own || signature.statement.device_id() != service.device_id()) {
      Wrong("entry 0 is signed by the service key that it enrols", context);
    }
  }
}

v1::KeyState MakeKeyState(const v1::SignerKey& key, std::uint64_t index) {
  v1::KeyState state;
  *state.mutable_key() = key;
  state.set_key_id(std::string(Sha256(std::string_view(key.spki())).view()));
  state.set_registered_index(index);
  return state;
}

void EnrolPerson(const v1::PersonEnrolment& person, std::uint64_t index, v1::PersonState* state) {
  *state->mutable_printed_name() = person.printed_name();
  *state->mutable_roles() = person.roles();
  for (const v1::SignerKey& key : person.keys()) *state->add_keys() = MakeKeyState(key, index);
}

void EnrolDevice(const v1::DeviceEnrolment& device, std::uint64_t index, v1::DeviceState* state) {
  state->set_device_type(device.device_type());
  state->set_serial(device.serial());
  state->set_site_id(device.site_id());
  for (const v1::SignerKey& key : device.keys()) *state->add_keys() = MakeKeyState(key, index);
}

}  // namespace custody
