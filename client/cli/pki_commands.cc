#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"

namespace custody {
namespace {

struct InitOptions {
  std::string folder;
  std::int32_t days = 365;
};

struct IssueOptions {
  std::string folder;
  std::string name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool server = false;
  std::int32_t days = 90;
};

constexpr char kWarning[] =
    "WARNING: a development authority. Its key stands unencrypted in the folder; never use it for "
    "real patients.";

void PrintFile(Session& session, const char* what, const std::string& path) {
  session.terminal().Fields({{what, path}});
  if (!session.terminal().json()) session.terminal().Line(path);
}

absl::StatusOr<int> InitPki(Session& session, const InitOptions& options) {
  if (ReadFile(options.folder + "/ca.key").ok()) {
    return absl::AlreadyExistsError(absl::StrFormat(
        "%s holds an authority already; its certificates would stop working", options.folder));
  }
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  CUSTODY_ASSIGN_OR_RETURN(
      const std::string certificate,
      IssueSelfSignedCa("Custody DEVELOPMENT authority, not for real use", key, options.days));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, key.ToUnencryptedPem());
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(options.folder + "/ca.key", pem, /*secret=*/true));
  CUSTODY_RETURN_IF_ERROR(
      WriteFileAtomically(options.folder + "/ca.crt", certificate, /*secret=*/false));
  session.terminal().Note(kWarning);
  PrintFile(session, "certificate", options.folder + "/ca.crt");
  return kExitOk;
}

absl::StatusOr<int> IssuePki(Session& session, const IssueOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string ca_pem, ReadFile(options.folder + "/ca.crt"));
  CUSTODY_ASSIGN_OR_RETURN(const std::string ca_key_pem, ReadFile(options.folder + "/ca.key"));
  CUSTODY_ASSIGN_OR_RETURN(const Certificate ca, ParseCertificatePem(ca_pem));
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey ca_key, SigningKey::FromPem(ca_key_pem, ""));
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  CertificateRequest request;
  request.common_name = options.name;
  request.dns_names = options.dns_names;
  request.ip_addresses = options.ip_addresses;
  request.server_usage = options.server;
  request.client_usage = !options.server;
  request.days = options.days;
  CUSTODY_ASSIGN_OR_RETURN(const std::string certificate,
                           IssueCertificate(ca, ca_key, key.verify_key(), request));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, key.ToUnencryptedPem());
  const std::string base = options.folder + "/" + options.name;
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(base + ".key", pem, /*secret=*/true));
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(base + ".crt", certificate, /*secret=*/false));
  PrintFile(session, "certificate", base + ".crt");
  return kExitOk;
}

}  // namespace

void AddPkiCommands(Commands* commands) {
  CLI::App* pki =
      commands->app.add_subcommand("pki", "A small certificate authority, for development only");
  pki->require_subcommand(1);
  commands->Add<InitOptions>(
      pki, "init", "Make a development authority in a folder",
      [](CLI::App* command, InitOptions* options) {
        command->add_option("folder", options->folder, "Folder")->required();
        command->add_option("--days", options->days, "Validity")->capture_default_str();
      },
      InitPki);
  commands->Add<IssueOptions>(
      pki, "issue", "Issue a certificate for custodyd (--server) or a client",
      [](CLI::App* command, IssueOptions* options) {
        command->add_option("folder", options->folder, "Folder of the authority")->required();
        command->add_option("name", options->name, "Common name, and name of the files")
            ->required();
        command->add_option("--dns", options->dns_names, "DNS name (server)");
        command->add_option("--ip", options->ip_addresses, "IP address (server)");
        command->add_flag("--server", options->server, "For a server instead of a client");
        command->add_option("--days", options->days, "Validity")->capture_default_str();
      },
      IssuePki);
}

}  // namespace custody
