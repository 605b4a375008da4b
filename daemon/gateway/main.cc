// custody-gateway: the log of a Custody ledger over HTTP, for the tools of others.

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/build_info.h"
#include "daemon/exit_code.h"
#include "daemon/gateway/gateway_config.h"
#include "daemon/gateway/serve_gateway.h"
#include "daemon/logging.h"
#include "daemon/signals.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "The log of a Custody ledger over HTTP (C2SP tlog-tiles), read only, for the tools of others.\n"
    "\n"
    "  custody-gateway check-config --config /etc/custody/custody-gateway.toml\n"
    "  custody-gateway serve --config /etc/custody/custody-gateway.toml\n"
    "  curl http://127.0.0.1:7480/checkpoint\n"
    "  curl http://127.0.0.1:7480/tile/0/000 | xxd | head\n"
    "  curl 'http://127.0.0.1:7480/v1/inclusion?index=0&size=2'\n"
    "\n"
    "It connects to custodyd as a principal of its own and hands on only what belongs to a log "
    "that\n"
    "is signed by a key of trust.toml and continues what it has seen. Hashes are for everyone;\n"
    "entries are off unless entries.access says otherwise.\n"
    "\n"
    "Settings: flag (--set key=value), file, default; in this order. Every key stands with its\n"
    "default in custody-gateway.toml.\n"
    "\n"
    "Exit codes: 0 ok, 2 usage or configuration, 3 cannot be done or verified, 4 not permitted,\n"
    "6 the kept checkpoint is not signed by a key of trust.toml, 70 a bug.";

struct Arguments {
  std::string config_file;
  std::vector<std::string> sets;
  bool print = false;
};

absl::StatusOr<GatewayConfig> LoadWith(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const auto flags, SplitSettings(arguments.sets));
  CUSTODY_ASSIGN_OR_RETURN(GatewayConfig config, LoadGatewayConfig(arguments.config_file, flags));
  CUSTODY_RETURN_IF_ERROR(SetUpLogging(config.log));
  return config;
}

absl::Status RunCheckConfig(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(GatewayConfig config, LoadWith(arguments));
  if (arguments.print) {
    for (const ConfigKey& key : KeysOf(&config)) {
      absl::PrintF("%s = %s\n", key.name, FormatValue(key));
    }
  }
  CUSTODY_RETURN_IF_ERROR(CheckGatewayConfig(config));
  absl::FPrintF(stderr, "the configuration is good\n");
  return absl::OkStatus();
}

absl::Status RunServe(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const GatewayConfig config, LoadWith(arguments));
  return ServeGateway(config);
}

int Report(const absl::Status& status) {
  if (!status.ok()) {
    absl::FPrintF(stderr, "custody-gateway: %s\n", StdView(status.message()));
  }
  // A kept checkpoint that is false is more than something that cannot be done.
  return absl::IsDataLoss(status) ? 6 : ExitCodeOf(status);
}

void AddSettings(CLI::App* command, Arguments* arguments) {
  command->add_option("--config", arguments->config_file, "configuration file (TOML)");
  command
      ->add_option("--set", arguments->sets, "one setting, for example listen.address=[::1]:7480")
      ->allow_extra_args(false);
}

int Run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kAbout, "custody-gateway");
  app.set_version_flag("--version",
                       absl::StrFormat("custody-gateway %s (%s)", BuildVersion(), BuildCommit()));
  app.require_subcommand(1);
  CLI::App* serve = app.add_subcommand("serve", "answer over HTTP until a signal");
  AddSettings(serve, &arguments);
  CLI::App* check = app.add_subcommand("check-config", "check the configuration, ask nobody");
  AddSettings(check, &arguments);
  check->add_flag("--print", arguments.print, "print every key with its value in force");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are errors of CLI11 too, with exit code 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Report(*check ? RunCheckConfig(arguments) : RunServe(arguments));
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) {
  custody::BlockSignals();
  return custody::Run(argc, argv);
}
