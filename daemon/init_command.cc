#include "daemon/init_command.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/certificate.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "crypto/random.h"
#include "daemon/files.h"
#include "daemon/key_place.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/initialize.h"
#include "daemon/parts.h"
#include "nlohmann/json.hpp"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kCardBytesMax = 64U << 10;

std::string TextOf(const nlohmann::json& card, const char* name) {
  const auto found = card.find(name);
  return found != card.end() && found->is_string() ? found->get<std::string>() : "";
}

v1::SignerKey KeyOfSpki(const VerifyKey& key) {
  v1::SignerKey signer_key;
  signer_key.set_spki(key.spki());
  signer_key.set_algorithm(key.algorithm() == KeyAlgorithm::kEd25519
                               ? v1::KEY_ALGORITHM_ED25519
                               : v1::KEY_ALGORITHM_ECDSA_P256);
  return signer_key;
}

absl::StatusOr<v1::PersonEnrolment> ReadPerson(std::string_view what, const std::string& path,
                                               v1::Role role) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(what, path));
  absl::StatusOr<v1::PersonEnrolment> person = ParsePersonCard(text, role);
  if (person.ok()) return person;
  return absl::InvalidArgumentError(
      absl::StrFormat("%s %s: %s", what, path, StdView(person.status().message())));
}

absl::StatusOr<v1::PrincipalEnrolment> ReadPrincipal(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile("--principal-certificate", path));
  const absl::StatusOr<Certificate> certificate = ParseCertificatePem(pem);
  if (!certificate.ok()) {
    return absl::InvalidArgumentError(absl::StrFormat("--principal-certificate %s: %s", path,
                                                      StdView(certificate.status().message())));
  }
  const PrincipalPtr everything = DevelopmentPrincipal();
  v1::PrincipalEnrolment principal;
  principal.set_principal_id(RandomBytes(kIdBytes));
  principal.set_label(certificate->subject_common_name);
  principal.add_certificate_spki_sha256(std::string(certificate->spki_sha256.view()));
  for (const v1::Permission permission : everything->permissions) {
    principal.add_permissions(permission);
  }
  return principal;
}

// The note goes in as it is, with every cosignature; who has the old log's key can check it.
absl::StatusOr<v1::PredecessorLog> ReadPredecessor(const std::string& path,
                                                   const std::string& origin) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile("--predecessor", path));
  const absl::StatusOr<Note> note = ParseNote(text);
  const absl::StatusOr<Checkpoint> checkpoint =
      note.ok() ? ParseCheckpointText(note->text) : absl::StatusOr<Checkpoint>(note.status());
  if (!checkpoint.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--predecessor %s is no signed checkpoint: %s", path,
                        StdView(checkpoint.status().message())));
  }
  if (checkpoint->origin == origin) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "--predecessor %s is of %s, which is this ledger's own origin; a new ledger needs a new "
        "ledger.origin",
        path, origin));
  }
  v1::PredecessorLog predecessor;
  predecessor.set_origin(checkpoint->origin);
  predecessor.set_checkpoint(text);
  return predecessor;
}

// A key in a token is there already: custodyd new-key makes one.
absl::Status MakeKeyIfAbsent(const std::string& place, const std::string& passphrase) {
  std::error_code error;
  if (IsPkcs11Uri(place) || std::filesystem::exists(place, error)) return absl::OkStatus();
  return MakeSigningKey(place, KeyAlgorithm::kEd25519, passphrase).status();
}

absl::Status MakeDirectories(const Config& config) {
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(config.ledger.data_directory));
  for (const std::string& file : {AnchorFile(config), LogKeyFile(config), ServiceKeyFile(config)}) {
    if (IsPkcs11Uri(file)) continue;
    const std::string parent = std::filesystem::path(file).parent_path().string();
    if (!parent.empty()) CUSTODY_RETURN_IF_ERROR(MakeDirectory(parent));
  }
  return absl::OkStatus();
}

absl::Status MakeKeys(const Config& config) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, ReadPassphrase(config));
  CUSTODY_RETURN_IF_ERROR(MakeKeyIfAbsent(LogKeyFile(config), passphrase));
  return MakeKeyIfAbsent(ServiceKeyFile(config), passphrase);
}

absl::StatusOr<v1::LedgerCreated> MakeCreated(const InitArguments& arguments,
                                              const LedgerKeys& keys) {
  v1::LedgerCreated created;
  CUSTODY_ASSIGN_OR_RETURN(
      *created.mutable_administrator(),
      ReadPerson("--administrator", arguments.administrator_file, v1::ROLE_ADMINISTRATOR));
  CUSTODY_ASSIGN_OR_RETURN(
      *created.mutable_quality_assurance(),
      ReadPerson("--quality", arguments.quality_file, v1::ROLE_QUALITY_ASSURANCE));
  v1::DeviceEnrolment& service = *created.mutable_service();
  service.set_device_id(RandomBytes(kIdBytes));
  service.set_device_type(v1::DEVICE_TYPE_SERVICE);
  service.set_serial("custodyd");
  *service.add_keys() = KeyOfSpki(keys.service.verify_key());
  for (const std::string& path : arguments.principal_certificate_files) {
    CUSTODY_ASSIGN_OR_RETURN(*created.add_principals(), ReadPrincipal(path));
  }
  for (const std::string& path : arguments.predecessor_files) {
    CUSTODY_ASSIGN_OR_RETURN(*created.add_predecessors(),
                             ReadPredecessor(path, keys.log.verifier().name()));
  }
  // The defaults of policy.proto, stated so that everybody can read them in entry 0.
  v1::RecordingLimits& limits = *created.mutable_limits();
  limits.set_late_entry_after_ms(86'400'000);
  limits.set_future_tolerance_ms(120'000);
  limits.set_signature_window_ms(86'400'000);
  return created;
}

std::string TrustToml(const std::string& origin, const std::string& leaf_hash,
                      const std::string& vkey) {
  return absl::StrFormat(
      "# What an offline verifier believes about this ledger. Hand it over on a channel of its "
      "own.\n"
      "ledger           = \"%s\"\n"
      "entry0_leaf_hash = \"%s\"\n"
      "log_keys         = [\"%s\"]\n",
      origin, leaf_hash, vkey);
}

}  // namespace

absl::StatusOr<v1::PersonEnrolment> ParsePersonCard(std::string_view json, v1::Role role) {
  if (json.size() > kCardBytesMax) return absl::InvalidArgumentError("the card is too large");
  const nlohmann::json card = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!card.is_object()) return absl::InvalidArgumentError("the card is no JSON object");
  v1::PersonEnrolment person;
  const absl::StatusOr<std::string> id = FromHex(TextOf(card, "person_id"));
  if (!id.ok() || id->size() != kIdBytes) {
    return absl::InvalidArgumentError("person_id wants 32 hexadecimal digits");
  }
  person.set_person_id(*id);
  const absl::StatusOr<std::string> spki = FromBase64(TextOf(card, "public_key"));
  if (!spki.ok()) return absl::InvalidArgumentError("public_key wants base64");
  const absl::StatusOr<VerifyKey> key = VerifyKey::FromSpki(*spki);
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("public_key: %s", StdView(key.status().message())));
  }
  *person.add_keys() = KeyOfSpki(*key);
  if (const std::string text = TextOf(card, "printed_name_commitment"); !text.empty()) {
    const absl::StatusOr<Digest> commitment = Digest::FromHex(text);
    if (!commitment.ok()) {
      return absl::InvalidArgumentError("printed_name_commitment wants 64 hexadecimal digits");
    }
    person.mutable_printed_name()->set_sha256(std::string(commitment->view()));
  }
  person.add_roles()->set_role(role);
  return person;
}

absl::StatusOr<InitResult> InitLedger(const Config& config, const InitArguments& arguments) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  const LedgerOptions options = LedgerOptionsOf(config);
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  CUSTODY_RETURN_IF_ERROR(MakeDirectories(config));
  CUSTODY_RETURN_IF_ERROR(MakeKeys(config));
  CUSTODY_ASSIGN_OR_RETURN(const LedgerKeys keys, LoadKeys(config));
  CUSTODY_ASSIGN_OR_RETURN(v1::LedgerCreated created, MakeCreated(arguments, keys));
  RocksdbOptions store_options = StoreOptionsOf(config);
  store_options.create_if_missing = true;
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<RocksdbStore> store,
                           RocksdbStore::Open(store_options));
  const SystemClock clock;
  CUSTODY_ASSIGN_OR_RETURN(const InitialLedger initial,
                           InitializeLedger(*store, options, keys, clock, std::move(created)));
  InitResult result;
  result.entry0_leaf_hash = initial.entry0_leaf_hash.ToHex();
  result.log_vkey = FormatVkey(keys.log.verifier());
  result.trust_toml = TrustToml(config.ledger.origin, result.entry0_leaf_hash, result.log_vkey);
  return result;
}

}  // namespace custody
