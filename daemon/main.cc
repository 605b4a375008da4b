// custodyd: the daemon of a Custody ledger.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/backup.h"
#include "daemon/build_info.h"
#include "daemon/config.h"
#include "daemon/files.h"
#include "daemon/init_command.h"
#include "daemon/key_place.h"
#include "daemon/logging.h"
#include "daemon/parts.h"
#include "daemon/rebuild_command.h"
#include "daemon/repair_command.h"
#include "daemon/restore_command.h"
#include "daemon/scrub_command.h"
#include "daemon/serve_command.h"
#include "daemon/signals.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "The daemon of a Custody ledger: a chain-of-custody log for cell-therapy doses.\n"
    "\n"
    "A first ledger:\n"
    "  custody key new ...                         cards of two people: administrator, quality\n"
    "  custodyd init --set ledger.origin=custody.example.org/ledger \\\n"
    "      --administrator admin.json --quality quality.json \\\n"
    "      --principal-certificate client.pem > trust.toml\n"
    "  custodyd check-config --config /etc/custody/custodyd.toml\n"
    "  custodyd serve --config /etc/custody/custodyd.toml\n"
    "\n"
    "Settings: flag (--set key=value), CUSTODYD_* of the environment, file, default; in this "
    "order.\n"
    "Every key stands with its default in custodyd.toml.\n"
    "\n"
    "Exit codes: 0 ok, 1 rebuild found a difference, 2 usage or configuration, 3 cannot be done "
    "or\n"
    "verified, 4 not permitted, 5 exists already, 6 scrub found damage or repair left some, 70 a "
    "bug.";

struct Arguments {
  std::string config_file;
  std::vector<std::string> sets;
  InitArguments init;
  RepairArguments repair;
  RestoreArguments restore;
  std::string backup_folder;
  std::string trust_output;
  bool replace = false;
  bool print = false;
  bool json = false;
  std::string key_place;
  bool p256 = false;
};

absl::StatusOr<Config> LoadWith(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const auto flags, SplitSettings(arguments.sets));
  CUSTODY_ASSIGN_OR_RETURN(Config config,
                           LoadConfig(arguments.config_file, ProcessEnvironment, flags));
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  CUSTODY_RETURN_IF_ERROR(SetUpLogging(config.log));
  return config;
}

absl::Status RunInit(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const InitResult result, InitLedger(config, arguments.init));
  const bool to_file = !arguments.trust_output.empty();
  // Standard output is either the summary or a trust.toml, so that both can be sent on.
  absl::FPrintF(to_file ? stdout : stderr,
                "The ledger %s has begun.\n"
                "  entry 0   %s\n"
                "  log key   %s\n"
                "Keep %s and %s safe: they are the ledger's voice.\n",
                config.ledger.origin, result.entry0_leaf_hash, result.log_vkey, LogKeyFile(config),
                ServiceKeyFile(config));
  if (to_file) return ReplaceSmallFile(arguments.trust_output, result.trust_toml);
  absl::PrintF("%s", result.trust_toml);
  return absl::OkStatus();
}

absl::Status RunServe(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  return Serve(config);
}

absl::Status RunCheckConfig(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(Config config, LoadWith(arguments));
  if (arguments.print) {
    for (const ConfigKey& key : KeysOf(&config)) {
      absl::PrintF("%s = %s\n", key.name, FormatValue(key));
    }
  }
  CUSTODY_RETURN_IF_ERROR(CheckEverything(config));
  absl::FPrintF(stderr, "the configuration is good\n");
  return absl::OkStatus();
}

absl::Status RunNewKey(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, ReadPassphrase(config));
  CUSTODY_ASSIGN_OR_RETURN(
      const SigningKey key,
      MakeSigningKey(arguments.key_place,
                     arguments.p256 ? KeyAlgorithm::kEcdsaP256 : KeyAlgorithm::kEd25519,
                     passphrase));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, DescribeSigningKey(config, key));
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

absl::Status RunShowKey(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, ReadPassphrase(config));
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key,
                           LoadSigningKey("key", arguments.key_place, passphrase));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, DescribeSigningKey(config, key));
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

// 1 if the store was not what the log says.
absl::StatusOr<int> RunRebuild(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const RebuildResult result, RebuildStore(config, arguments.replace));
  if (result.difference.count == 0) {
    absl::PrintF("%d entries replayed: the store is exactly what the log says\n", result.tree_size);
    return 0;
  }
  absl::PrintF("%d entries replayed: %d keys differ from what the log says\n", result.tree_size,
               result.difference.count);
  for (const std::string& key : result.difference.keys) absl::PrintF("  %s\n", key);
  if (!result.replaced.empty()) {
    absl::PrintF("the rebuilt store is in place; the old one is %s\n", result.replaced);
  } else {
    absl::PrintF(
        "nothing was changed; run again with --replace to put the rebuilt store in place\n");
  }
  return 1;
}

bool SayProgress(std::uint64_t done, std::uint64_t total) {
  absl::FPrintF(stderr, "%d of %d entries read\n", done, total);
  return true;
}

// 6 if anything is damaged.
absl::StatusOr<int> RunScrub(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const ScrubReport report, ScrubStore(config, SayProgress));
  if (arguments.json) {
    absl::PrintF("%s\n", ScrubReportJson(report));
  } else {
    absl::PrintF("%d entries read: %d places are damaged\n", report.entries, report.damage_count);
    for (const Damage& damage : report.damage) {
      absl::PrintF("  %s: %s\n", damage.where, damage.what);
    }
  }
  return report.damage_count == 0 ? 0 : 6;
}

// 6 if damage stays.
absl::StatusOr<int> RunRepair(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const RepairReport report,
                           RepairStore(config, arguments.repair, SayProgress));
  const int code = report.lost.empty() ? 0 : 6;
  if (arguments.json) {
    absl::PrintF("%s\n", RepairReportJson(report));
    return code;
  }
  const bool dry = arguments.repair.dry_run;
  absl::PrintF("%d entries read: %d %s from the other copy, %d stay damaged\n", report.entries,
               report.restored.size(), dry ? "would be restored" : "were restored",
               report.lost.size());
  for (const std::uint64_t index : report.restored) {
    absl::PrintF("  entry %d: from the other copy\n", index);
  }
  for (const Damage& damage : report.lost) {
    absl::PrintF("  %s: %s\n", damage.where, damage.what);
  }
  if (dry) {
    absl::PrintF("nothing was changed\n");
  } else if (!report.replaced.empty()) {
    absl::PrintF("a store made anew from the entries is in place; the old one is %s\n",
                 report.replaced);
  } else if (report.rebuilt) {
    absl::PrintF("the store is exactly what its entries say\n");
  } else {
    absl::PrintF(
        "the store was not made anew, since entries are missing; what rests on them stays "
        "held back\n");
  }
  return code;
}

absl::Status RunBackup(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const BackupMade made, BackUpStopped(config, arguments.backup_folder));
  absl::FPrintF(stderr, "%d bytes copied to %s; it holds no keys: keep those elsewhere\n",
                made.bytes, arguments.backup_folder);
  absl::PrintF("%s", made.note);
  return absl::OkStatus();
}

absl::Status RunRestore(const Arguments& arguments) {
  CUSTODY_ASSIGN_OR_RETURN(const Config config, LoadWith(arguments));
  CUSTODY_ASSIGN_OR_RETURN(const RestoreResult result,
                           RestoreStore(config, arguments.restore, SayProgress));
  absl::FPrintF(stderr, "%d entries from the backup, %d from the mirror; the ledger may go on\n",
                result.backup_size, result.tree_size - result.backup_size);
  absl::PrintF("%s", result.note);
  return absl::OkStatus();
}

void AddSettings(CLI::App* command, Arguments* arguments) {
  command->add_option("--config", arguments->config_file, "configuration file (TOML)");
  command
      ->add_option("--set", arguments->sets, "one setting, for example listen.address=[::1]:7443")
      ->allow_extra_args(false);
}

int Report(const absl::Status& status) {
  if (!status.ok()) {
    absl::FPrintF(stderr, "custodyd: %s\n", StdView(status.message()));
  }
  return ExitCodeOf(status);
}

int Report(const absl::StatusOr<int>& code) { return code.ok() ? *code : Report(code.status()); }

// The commands, each with what it does.
class Commands {
 public:
  Commands(CLI::App* app, Arguments* arguments) : app_(*app), arguments_(*arguments) {}

  // A command that takes settings.
  template <typename Result>
  CLI::App* Add(const char* name, const char* about, Result (*run)(const Arguments&)) {
    CLI::App* command = app_.add_subcommand(name, about);
    AddSettings(command, &arguments_);
    actions_.emplace_back(command,
                          [run, &arguments = arguments_] { return Report(run(arguments)); });
    return command;
  }

  // Of the command that was given.
  int RunIt() const {
    for (const auto& [command, action] : actions_) {
      if (*command) return action();
    }
    return 2;
  }

 private:
  CLI::App& app_;
  Arguments& arguments_;
  std::vector<std::pair<CLI::App*, std::function<int()>>> actions_;
};

void AddServing(Commands* commands, Arguments* arguments) {
  CLI::App* init = commands->Add("init", "begin a new ledger: keys, entry 0, first seal", RunInit);
  init->add_option("--administrator", arguments->init.administrator_file,
                   "card of the first administrator (custody key new)")
      ->required();
  init->add_option("--quality", arguments->init.quality_file,
                   "card of the first person of quality assurance, somebody else")
      ->required();
  init->add_option("--principal-certificate", arguments->init.principal_certificate_files,
                   "client certificate (PEM) that may do everything; may be repeated");
  init->add_option("--predecessor", arguments->init.predecessor_files,
                   "signed checkpoint that an older log ended with; entry 0 names it");
  init->add_option("--trust-output", arguments->trust_output,
                   "file for trust.toml (default: standard output)");
  commands->Add("serve", "open the ledger and answer until a signal", RunServe);
  commands->Add("check-config", "check the configuration, open nothing", RunCheckConfig)
      ->add_flag("--print", arguments->print, "print every key with its value in force");
}

void AddKeeping(Commands* commands, Arguments* arguments) {
  commands
      ->Add("rebuild", "replay the log into a fresh store and compare (the daemon must not run)",
            RunRebuild)
      ->add_flag("--replace", arguments->replace, "put the rebuilt store in place if they differ");
  commands->Add("scrub", "look for bit rot, change nothing (the daemon must not run)", RunScrub)
      ->add_flag("--json", arguments->json, "the report as one JSON object");
  CLI::App* repair = commands->Add(
      "repair", "put damaged entries back and make the store anew (the daemon must not run)",
      RunRepair);
  repair->add_option("--from", arguments->repair.from,
                     "another copy of the log: an export, a backup or a data directory");
  repair->add_flag("--dry-run", arguments->repair.dry_run, "say what would be done");
  repair->add_flag("--json", arguments->json, "the report as one JSON object");
  commands
      ->Add("backup",
            "copy the store with its signed checkpoint (a running daemon: custody log backup)",
            RunBackup)
      ->add_option("folder", arguments->backup_folder, "folder to make")
      ->required();
  CLI::App* restore =
      commands->Add("restore", "make the store from a backup, if nobody has seen more", RunRestore);
  restore->add_option("--from", arguments->restore.from, "the backup")->required();
  restore->add_option("--mirror", arguments->restore.mirror,
                      "a log that goes beyond the backup: an export, a backup or a data directory");
  restore->add_flag("--anchor-is-lost", arguments->restore.anchor_is_lost,
                    "go on without an anchor; see the guide first");
}

void AddKeys(Commands* commands, Arguments* arguments) {
  CLI::App* new_key = commands->Add(
      "new-key", "make a log key or service key, for a rotation (docs/keys.md)", RunNewKey);
  new_key->add_flag("--p256", arguments->p256, "ECDSA P-256 (service key only); default Ed25519");
  CLI::App* show_key = commands->Add("show-key", "print the public half of a key", RunShowKey);
  for (CLI::App* command : {new_key, show_key}) {
    command->add_option("place", arguments->key_place, "file, or pkcs11: URI of a token")
        ->required();
  }
}

int Run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kAbout, "custodyd");
  app.set_version_flag("--version",
                       absl::StrFormat("custodyd %s (%s)", BuildVersion(), BuildCommit()));
  app.require_subcommand(1);
  Commands commands(&app, &arguments);
  AddServing(&commands, &arguments);
  AddKeeping(&commands, &arguments);
  AddKeys(&commands, &arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are errors of CLI11 too, with exit code 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return commands.RunIt();
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) {
  custody::BlockSignals();
  return custody::Run(argc, argv);
}
