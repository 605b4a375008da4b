#include "daemon/parts.h"

#include <set>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/build_info.h"
#include "daemon/files.h"
#include "daemon/key_place.h"
#include "daemon/services/tls_files.h"

namespace custody {
namespace {

// A note has one line for each key, and readers refuse two.
absl::Status CheckDistinct(const LedgerKeys& keys) {
  std::set<std::uint32_t> seen;
  for (const NoteVerifier& key : keys.LogVerifiers()) {
    if (seen.insert(key.key_id()).second) continue;
    return absl::InvalidArgumentError(
        absl::StrFormat("ledger.further_log_key_files: the log key %s signs already; leave it out",
                        FormatVkey(key)));
  }
  return absl::OkStatus();
}

}  // namespace

LedgerOptions LedgerOptionsOf(const Config& config) {
  LedgerOptions options;
  options.batch_events_max = config.limits.batch_events_max;
  options.batch_bytes_max = config.limits.batch_bytes_max;
  options.batch_touches_max = config.limits.batch_touches_max;
  options.queue_events_max = config.limits.queue_events_max;
  options.queue_bytes_max = config.limits.queue_bytes_max;
  options.queue_bulk_events_max = config.limits.queue_bulk_events_max;
  options.pending_max = config.limits.pending_max;
  options.verify_threads = config.limits.verify_threads;
  options.seal_interval_ms_max = config.seal.interval_ms_max;
  options.anchor_path = AnchorFile(config);
  options.disk_reserve_bytes = config.storage.reserve_bytes_min;
  options.state_cache_subjects_max = config.storage.state_cache_subjects_max;
  return options;
}

RocksdbOptions StoreOptionsOf(const Config& config) {
  RocksdbOptions options;
  options.path = StoreFolder(config);
  options.block_cache_bytes_max = config.storage.block_cache_bytes_max;
  options.write_buffer_bytes_max = config.storage.write_buffer_bytes_max;
  options.open_files_max = config.storage.open_files_max;
  return options;
}

absl::StatusOr<ServerOptions> ServerOptionsOf(const Config& config) {
  ServerOptions options;
  options.address = config.listen.address;
  options.insecure_loopback = config.listen.insecure_loopback;
  options.reflection = config.listen.reflection;
  options.message_bytes_max = config.limits.message_bytes_max;
  options.metadata_bytes_max = config.limits.metadata_bytes_max;
  options.streams_per_connection_max = config.limits.streams_per_connection_max;
  options.read_threads = config.limits.read_threads;
  options.read_queue_max = config.limits.read_queue_max;
  options.keepalive_ms = config.limits.keepalive_ms;
  options.keepalive_timeout_ms = config.limits.keepalive_timeout_ms;
  options.client_ping_interval_ms_min = config.limits.client_ping_interval_ms_min;
  options.call_bytes_max = config.limits.call_bytes_max;
  options.service.stream_in_flight_max = config.limits.stream_in_flight_max;
  options.service.stream_bytes_max = config.limits.stream_bytes_max;
  options.service.page_entries_max = config.limits.page_entries_max;
  options.service.trace_nodes_max = config.limits.trace_nodes_max;
  options.version = std::string(BuildVersion());
  options.commit = std::string(BuildCommit());
  if (config.listen.insecure_loopback) return options;
  CUSTODY_ASSIGN_OR_RETURN(options.certificate_pem, ReadSmallFile("listen.certificate_file",
                                                                  config.listen.certificate_file));
  CUSTODY_ASSIGN_OR_RETURN(options.private_key_pem, ReadSmallFile("listen.private_key_file",
                                                                  config.listen.private_key_file));
  CUSTODY_ASSIGN_OR_RETURN(options.client_ca_pem,
                           ReadSmallFile("listen.client_ca_file", config.listen.client_ca_file));
  return options;
}

absl::StatusOr<LedgerKeys> LoadKeys(const Config& config) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, ReadPassphrase(config));
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey log,
                           LoadSigningKey("ledger.log_key_file", LogKeyFile(config), passphrase));
  CUSTODY_ASSIGN_OR_RETURN(SigningKey service, LoadSigningKey("ledger.service_key_file",
                                                              ServiceKeyFile(config), passphrase));
  CUSTODY_ASSIGN_OR_RETURN(NoteSigner signer, NoteSigner::Create(config.ledger.origin, log));
  LedgerKeys keys{std::move(signer), std::move(service)};
  for (const std::string& file : config.ledger.further_log_key_files) {
    CUSTODY_ASSIGN_OR_RETURN(const SigningKey further,
                             LoadSigningKey("ledger.further_log_key_files", file, passphrase));
    CUSTODY_ASSIGN_OR_RETURN(NoteSigner also, NoteSigner::Create(config.ledger.origin, further));
    keys.further_log.push_back(std::move(also));
  }
  CUSTODY_RETURN_IF_ERROR(CheckDistinct(keys));
  return keys;
}

absl::StatusOr<std::unique_ptr<WitnessKeeper>> MakeWitnessKeeper(const Config& config,
                                                                 const LedgerKeys& keys,
                                                                 const Clock& clock) {
  const std::string& path = config.witnessing.policy_file;
  if (path.empty()) return std::unique_ptr<WitnessKeeper>();
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile("witnessing.policy_file", path));
  absl::StatusOr<WitnessPolicy> policy = WitnessKeeper::ParsePolicy(text, keys.LogVerifiers());
  if (!policy.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("witnessing.policy_file %s: %s", path, StdView(policy.status().message())));
  }
  WitnessKeeperOptions options;
  options.policy = *std::move(policy);
  options.timeout_ms = config.witnessing.timeout_ms_max;
  options.grace_ms = config.witnessing.grace_ms;
  options.interval_ms_min = config.witnessing.interval_ms_min;
  options.evidence_folder = config.ledger.data_directory + "/evidence";
  return WitnessKeeper::Create(std::move(options), keys.LogVerifiers(), clock);
}

namespace {

// Its form; what it says about this log is asked once the key is there.
absl::Status CheckWitnessPolicy(const Config& config) {
  const std::string& path = config.witnessing.policy_file;
  if (path.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile("witnessing.policy_file", path));
  const absl::Status form = ParseWitnessPolicy(text).status();
  if (form.ok()) return form;
  return absl::InvalidArgumentError(
      absl::StrFormat("witnessing.policy_file %s: %s", path, StdView(form.message())));
}

}  // namespace

absl::Status CheckEverything(const Config& config) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  CUSTODY_RETURN_IF_ERROR(Validate(LedgerOptionsOf(config)));
  CUSTODY_RETURN_IF_ERROR(Validate(StoreOptionsOf(config)));
  CUSTODY_RETURN_IF_ERROR(CheckWitnessPolicy(config));
  CUSTODY_ASSIGN_OR_RETURN(const ServerOptions server, ServerOptionsOf(config));
  if (!server.insecure_loopback) {
    return CheckTlsTexts(server.certificate_pem, server.private_key_pem, server.client_ca_pem);
  }
  if (IsLoopbackAddress(server.address)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("listen.insecure_loopback is true, but listen.address is %s, which is not "
                      "loopback",
                      server.address));
}

}  // namespace custody
