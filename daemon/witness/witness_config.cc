#include "daemon/witness/witness_config.h"

#include <initializer_list>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "daemon/http/address.h"
#include "daemon/witness/witness.h"

namespace custody {
namespace {

absl::Status Between(std::string_view key, std::uint32_t value, std::uint32_t least,
                     std::uint32_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is %u, want %u to %u", key, value, least, most));
}

}  // namespace

std::vector<ConfigKey> KeysOf(WitnessConfig* c) {
  return {
      {"witness.name", &c->witness.name},
      {"witness.data_directory", &c->witness.data_directory},
      {"witness.key_file", &c->witness.key_file},
      {"witness.key_passphrase_file", &c->witness.key_passphrase_file},
      {"witness.logs", &c->witness.logs},
      {"listen.address", &c->listen.address},
      {"listen.address_file", &c->listen.address_file},
      {"listen.threads", &c->listen.threads},
      {"listen.connections_max", &c->listen.connections_max},
      {"listen.patience_ms_max", &c->listen.patience_ms_max},
      {"audit.endpoint", &c->audit.endpoint},
      {"audit.ledger", &c->audit.ledger},
      {"audit.name", &c->audit.name},
      {"audit.key_file", &c->audit.key_file},
      {"audit.ca_certificate_file", &c->audit.ca_certificate_file},
      {"audit.certificate_file", &c->audit.certificate_file},
      {"audit.private_key_file", &c->audit.private_key_file},
      {"audit.server_name", &c->audit.server_name},
      {"audit.entry0_leaf_hash", &c->audit.entry0_leaf_hash},
      {"audit.wait_ms_max", &c->audit.wait_ms_max},
      {"log.level", &c->log.level},
      {"log.format", &c->log.format},
      {"log.file", &c->log.file},
      {"stop.drain_ms_max", &c->stop.drain_ms_max},
  };
}

absl::StatusOr<WitnessConfig> LoadWitnessConfig(
    const std::string& path, const Environment& environment,
    const std::vector<std::pair<std::string, std::string>>& flags) {
  WitnessConfig config;
  CUSTODY_RETURN_IF_ERROR(
      LoadSettings(path, "CUSTODY_WITNESS_", environment, flags, KeysOf(&config)));
  return config;
}

namespace {

absl::Status CheckAudit(const WitnessConfig& config) {
  const WitnessAuditSection& audit = config.audit;
  if (audit.endpoint.empty()) return absl::OkStatus();
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const std::string&>>{
           {"audit.ledger", audit.ledger},
           {"audit.name", audit.name},
           {"audit.ca_certificate_file", audit.ca_certificate_file},
           {"audit.certificate_file", audit.certificate_file},
           {"audit.private_key_file", audit.private_key_file}}) {
    if (value.empty()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s is empty, and audit.endpoint is %s", key, audit.endpoint));
    }
  }
  if (audit.name == config.witness.name) {
    return absl::InvalidArgumentError(
        absl::StrFormat("audit.name and witness.name are both %s: an audit says more than a "
                        "witness and has a name of its own",
                        audit.name));
  }
  if (!audit.entry0_leaf_hash.empty() && !Digest::FromHex(audit.entry0_leaf_hash).ok()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "audit.entry0_leaf_hash is %s, want 64 hexadecimal digits, as in the trust.toml of the log",
        audit.entry0_leaf_hash));
  }
  CUSTODY_ASSIGN_OR_RETURN(const auto keys, ParseLogKeys(config.witness.logs));
  if (keys.contains(audit.ledger)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("audit.ledger is %s, and witness.logs has no key of it", audit.ledger));
}

}  // namespace

absl::Status ValidateWitnessConfig(const WitnessConfig& config) {
  if (config.witness.name.empty()) {
    return absl::InvalidArgumentError(
        "witness.name is empty, want the name under which this witness signs, for example "
        "\"witness.hospital.example.org\"; it never changes");
  }
  if (config.witness.data_directory.empty()) {
    return absl::InvalidArgumentError("witness.data_directory is empty");
  }
  CUSTODY_RETURN_IF_ERROR(ParseLogKeys(config.witness.logs).status());
  CUSTODY_RETURN_IF_ERROR(ParseHostPort(config.listen.address).status());
  CUSTODY_RETURN_IF_ERROR(Between("listen.threads", config.listen.threads, 1, 64));
  CUSTODY_RETURN_IF_ERROR(
      Between("listen.connections_max", config.listen.connections_max, 1, 65'536));
  CUSTODY_RETURN_IF_ERROR(
      Between("listen.patience_ms_max", config.listen.patience_ms_max, 100, 600'000));
  CUSTODY_RETURN_IF_ERROR(Between("audit.wait_ms_max", config.audit.wait_ms_max, 0, 10'000));
  CUSTODY_RETURN_IF_ERROR(CheckAudit(config));
  return CheckLogSection(config.log);
}

std::string AuditKeyFile(const WitnessConfig& config) {
  return config.audit.key_file.empty() ? config.witness.data_directory + "/audit.key"
                                       : config.audit.key_file;
}

std::string WitnessKeyFile(const WitnessConfig& config) {
  return config.witness.key_file.empty() ? config.witness.data_directory + "/witness.key"
                                         : config.witness.key_file;
}

}  // namespace custody
