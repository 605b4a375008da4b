#include "daemon/witness/witness_commands.h"

#include <csignal>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/build_info.h"
#include "daemon/files.h"
#include "daemon/http/server.h"
#include "daemon/logging.h"
#include "daemon/signals.h"
#include "daemon/systemd_notify.h"
#include "daemon/witness/auditor.h"
#include "daemon/witness/witness.h"
#include "daemon/witness/witness_text.h"

namespace custody {
namespace {

constexpr int kTickMs = 200;

absl::StatusOr<std::string> Passphrase(const WitnessConfig& config) {
  if (config.witness.key_passphrase_file.empty()) return std::string();
  CUSTODY_ASSIGN_OR_RETURN(std::string text, ReadSmallFile("witness.key_passphrase_file",
                                                           config.witness.key_passphrase_file));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// Waits for a signal to stop, keeping systemd's watchdog content.
void RunUntilSignal(const SystemdNotifier& systemd) {
  std::int64_t since_watchdog_ms = 0;
  for (;;) {
    const int signal = WaitForSignal(kTickMs);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) {
      Log(LogLevel::kWarning, "SIGHUP: nothing is read again while serving; restart instead");
    }
    since_watchdog_ms += kTickMs;
    if (systemd.watchdog_interval_ms() > 0 && since_watchdog_ms >= systemd.watchdog_interval_ms()) {
      systemd.Notify("WATCHDOG=1");
      since_watchdog_ms = 0;
    }
  }
}

absl::StatusOr<NoteSigner> LoadKey(const WitnessConfig& config, std::string_view setting,
                                   const std::string& path, const std::string& name) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(setting, path));
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, Passphrase(config));
  const absl::StatusOr<SigningKey> key = SigningKey::FromPem(pem, passphrase);
  if (!key.ok()) {
    return absl::Status(key.status().code(), absl::StrFormat("%s %s: %s", setting, path,
                                                             StdView(key.status().message())));
  }
  return NoteSigner::CreateCosigner(name, *key);
}

absl::Status MakeKeyIfAbsent(const WitnessConfig& config, const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, Passphrase(config));
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEd25519));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, passphrase.empty()
                                                      ? key.ToUnencryptedPem()
                                                      : key.ToEncryptedPem(passphrase));
  return WriteSecretFile(path, pem);
}

// Null without an audit.
absl::StatusOr<std::unique_ptr<Auditor>> StartAuditor(const WitnessConfig& config) {
  if (config.audit.endpoint.empty()) return std::unique_ptr<Auditor>();
  CUSTODY_ASSIGN_OR_RETURN(NoteSigner signer, LoadAuditKey(config));
  AuditorOptions options;
  options.folder = config.witness.data_directory + "/audit";
  options.wait_ms_max = config.audit.wait_ms_max;
  if (!config.audit.entry0_leaf_hash.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(options.entry0_leaf_hash,
                             Digest::FromHex(config.audit.entry0_leaf_hash));
  }
  ClientOptions& connection = options.connection;
  connection.endpoint = config.audit.endpoint;
  connection.ledger = config.audit.ledger;
  connection.ca_certificate_file = config.audit.ca_certificate_file;
  connection.certificate_file = config.audit.certificate_file;
  connection.private_key_file = config.audit.private_key_file;
  connection.server_name_override = config.audit.server_name;
  CUSTODY_ASSIGN_OR_RETURN(const auto keys, ParseLogKeys(config.witness.logs));
  for (const NoteVerifier& key : keys.at(config.audit.ledger)) {
    connection.log_keys.push_back(FormatVkey(key));
  }
  return Auditor::Start(std::move(options), std::move(signer));
}

}  // namespace

absl::StatusOr<NoteSigner> LoadWitnessKey(const WitnessConfig& config) {
  return LoadKey(config, "witness.key_file", WitnessKeyFile(config), config.witness.name);
}

absl::StatusOr<NoteSigner> LoadAuditKey(const WitnessConfig& config) {
  return LoadKey(config, "audit.key_file", AuditKeyFile(config), config.audit.name);
}

absl::StatusOr<std::string> InitWitness(const WitnessConfig& config) {
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(config.witness.data_directory));
  CUSTODY_RETURN_IF_ERROR(MakeKeyIfAbsent(config, WitnessKeyFile(config)));
  CUSTODY_ASSIGN_OR_RETURN(const NoteSigner signer, LoadWitnessKey(config));
  std::string vkeys = FormatVkey(signer.verifier());
  if (config.audit.endpoint.empty()) return vkeys;
  CUSTODY_RETURN_IF_ERROR(MakeKeyIfAbsent(config, AuditKeyFile(config)));
  CUSTODY_ASSIGN_OR_RETURN(const NoteSigner audit, LoadAuditKey(config));
  return vkeys + "\n" + FormatVkey(audit.verifier());
}

absl::Status ServeWitness(const WitnessConfig& config) {
  const SystemdNotifier systemd;
  CUSTODY_ASSIGN_OR_RETURN(const NoteSigner signer, LoadWitnessKey(config));
  if (config.witness.logs.empty()) {
    return absl::InvalidArgumentError(
        "witness.logs is empty, want the vkeys of the logs to watch (custodyd init and custody log "
        "status print them)");
  }
  CUSTODY_ASSIGN_OR_RETURN(
      const std::unique_ptr<Witness> witness,
      Witness::Open(config.witness.data_directory, signer, config.witness.logs, SystemWallSeconds));
  // Before the server: requests ask it until the server has stopped.
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<Auditor> auditor, StartAuditor(config));
  if (auditor != nullptr) {
    witness->SetSecondOpinion([&](const SignedCheckpoint& shown, std::uint64_t time_seconds) {
      return auditor->Cosign(shown, time_seconds);
    });
  }
  HttpServerOptions options;
  options.address = config.listen.address;
  options.body_bytes_max = kAddCheckpointBytesMax;
  options.connections_max = config.listen.connections_max;
  options.threads = config.listen.threads;
  options.patience_ms = config.listen.patience_ms_max;
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server,
                           HttpServer::Start(options, [&](const HttpRequest& request) {
                             return AnswerWitnessRequest(*witness, auditor.get(), request);
                           }));
  Log(LogLevel::kInfo, "witnessing",
      {{"address", server->address()},
       {"vkey", FormatVkey(signer.verifier())},
       {"logs", std::to_string(witness->progress().size())},
       {"version", std::string(BuildVersion())},
       {"commit", std::string(BuildCommit())}});
  if (!witness->healthy()) {
    Log(LogLevel::kError, "there is evidence against a log in the data folder");
  }
  if (!config.listen.address_file.empty()) {
    CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(config.listen.address_file, server->address()));
  }
  systemd.Notify("READY=1\nSTATUS=witnessing");
  RunUntilSignal(systemd);
  systemd.Notify("STOPPING=1");
  server->Stop(config.stop.drain_ms_max);
  Log(LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace custody
