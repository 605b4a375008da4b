// custody-witness: watches logs for other institutions and cosigns what never contradicts itself.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/build_info.h"
#include "daemon/exit_code.h"
#include "daemon/logging.h"
#include "daemon/signals.h"
#include "daemon/witness/witness_commands.h"
#include "daemon/witness/witness_config.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "A witness of Custody ledgers, or of any log with C2SP checkpoints: cosigns a checkpoint only "
    "if it\n"
    "continues everything that was cosigned before, so that a log cannot show two histories.\n"
    "\n"
    "A first witness:\n"
    "  custody-witness init --set witness.name=witness.hospital.example.org\n"
    "  custody-witness check-config --config /etc/custody/custody-witness.toml\n"
    "  custody-witness serve --config /etc/custody/custody-witness.toml\n"
    "\n"
    "Settings: flag (--set key=value), CUSTODY_WITNESS_* of the environment, file, default; in "
    "this order.\n"
    "Every key stands with its default in custody-witness.toml.\n"
    "\n"
    "Exit codes: 0 ok, 2 usage or configuration, 3 cannot be done or verified, 4 not permitted,\n"
    "5 exists already, 70 a bug.";

struct Arguments {
  std::string config_file;
  std::vector<std::string> sets;
  bool print = false;
};

absl::StatusOr<WitnessConfig> LoadWith(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const auto flags, SplitSettings(arguments.sets));
  CUSTODY_ASSIGN_OR_RETURN(WitnessConfig config,
                           LoadWitnessConfig(arguments.config_file, ProcessEnvironment, flags));
  CUSTODY_RETURN_IF_ERROR(ValidateWitnessConfig(config));
  CUSTODY_RETURN_IF_ERROR(SetUpLogging(config.log));
  return config;
}

absl::Status RunInit(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const WitnessConfig config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const std::string vkey, InitWitness(config));
  absl::PrintF("%s\n", vkey);
  return absl::OkStatus();
}

absl::Status RunCheckConfig(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(WitnessConfig config, LoadWith(arguments));
  if (!arguments.print) {
    absl::PrintF("the configuration is good\n");
    return absl::OkStatus();
  }
  for (const ConfigKey& key : KeysOf(&config)) {
    absl::PrintF("%s = %s\n", key.name, FormatValue(key));
  }
  return absl::OkStatus();
}

absl::Status RunServe(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const WitnessConfig config, LoadWith(arguments));
  return ServeWitness(config);
}

void AddSettings(CLI::App* command, Arguments* arguments) {
  command->add_option("--config", arguments->config_file, "configuration file (TOML)");
  command->add_option("--set", arguments->sets, "one setting, for example listen.address=[::]:7445")
      ->allow_extra_args(false);
}

int Run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kAbout, "custody-witness");
  app.set_version_flag("--version",
                       absl::StrFormat("custody-witness %s (%s)", BuildVersion(), BuildCommit()));
  app.require_subcommand(1);
  CLI::App* init = app.add_subcommand("init", "make the key, unless it is there; print the vkey");
  AddSettings(init, &arguments);
  CLI::App* serve = app.add_subcommand("serve", "witness until a signal");
  AddSettings(serve, &arguments);
  CLI::App* check = app.add_subcommand("check-config", "check the configuration, open nothing");
  AddSettings(check, &arguments);
  check->add_flag("--print", arguments.print, "print every key with its value in force");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are errors of CLI11 too, with exit code 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = *init    ? RunInit(arguments)
                              : *check ? RunCheckConfig(arguments)
                                       : RunServe(arguments);
  if (!status.ok()) {
    absl::FPrintF(stderr, "custody-witness: %s\n", StdView(status.message()));
  }
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) {
  custody::BlockSignals();
  return custody::Run(argc, argv);
}
