// custody log export: the log as files, once, or followed as it grows.

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/log_export.h"
#include "client/cli/stop_signals.h"

namespace custody {
namespace {

constexpr std::uint32_t kEverySecondsMax = 86'400;

struct LogExportOptions {
  std::string folder;
  bool follow = false;
  std::uint32_t every_s = 1;
};

std::string AdvanceText(const LogExportOptions& options, const LogAdvance& advance) {
  return absl::StrFormat("%s: %d entries, root %s", options.folder, advance.size, advance.root);
}

absl::StatusOr<int> ExportOnce(Session& session, const LogExportOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(LogExport log, LogExport::Open(session, options.folder));
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<LogAdvance> advance, log.Advance(std::stop_token()));
  session.terminal().Note(AdvanceText(options, *advance));
  session.terminal().Fields({{"folder", options.folder},
                             {"size", absl::StrFormat("%d", advance->size)},
                             {"root", advance->root},
                             {"new_entries", absl::StrFormat("%d", advance->new_entries)}});
  return kExitOk;
}

// Errors that pass: the ledger restarts, the network is down. A disk that fails does not pass.
bool Passes(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

// Says what happens, without repeating itself: an outage is told once, and its end.
class FollowReport {
 public:
  FollowReport(const Terminal& terminal, const LogExportOptions& options)
      : terminal_(terminal), options_(options) {}

  void Away(const absl::Status& status) {
    if (away_) return;
    away_ = true;
    terminal_.Note(absl::StrFormat("trying again until the ledger answers: %s",
                                   std::string(status.message())));
  }

  void Here(const std::optional<LogAdvance>& advance) {
    if (away_) terminal_.Note("the ledger answers again");
    away_ = false;
    if (!advance.has_value()) return;
    // Every advance as a line for programs, the first one for people.
    if (!following_) terminal_.Note("following " + AdvanceText(options_, *advance));
    following_ = true;
    if (!terminal_.json()) return;
    terminal_.JsonText(
        nlohmann::ordered_json{{"folder", options_.folder},
                               {"size", absl::StrFormat("%d", advance->size)},
                               {"root", advance->root},
                               {"new_entries", absl::StrFormat("%d", advance->new_entries)}}
            .dump());
  }

 private:
  const Terminal& terminal_;
  const LogExportOptions& options_;
  bool away_ = false;
  bool following_ = false;
};

absl::StatusOr<int> Follow(Session& session, const LogExportOptions& options) {
  StopSignals signals;  // Before the client, which has threads.
  CUSTODY_RETURN_IF_ERROR(session.client().status());
  CUSTODY_ASSIGN_OR_RETURN(LogExport log, LogExport::Open(session, options.folder));
  FollowReport report(session.terminal(), options);
  do {
    const absl::StatusOr<std::optional<LogAdvance>> advance = log.Advance(signals.token());
    if (advance.ok()) {
      report.Here(*advance);
    } else if (signals.token().stop_requested() && absl::IsCancelled(advance.status())) {
      break;
    } else if (Passes(advance.status()) && !log.disk_failed()) {
      report.Away(advance.status());
    } else {
      return advance.status();
    }
  } while (signals.Wait(std::chrono::seconds(options.every_s)));
  session.terminal().Note("stopped; the next export goes on from here");
  return kExitOk;
}

absl::StatusOr<int> ExportLog(Session& session, const LogExportOptions& options) {
  return options.follow ? Follow(session, options) : ExportOnce(session, options);
}

}  // namespace

void AddLogExportCommand(Commands* commands, CLI::App* log) {
  CLI::App* const added = commands->Add<LogExportOptions>(
      log, "export",
      "Write the whole log as a folder of files (C2SP tlog-tiles); goes on with an earlier one",
      [](CLI::App* command, LogExportOptions* options) {
        command->add_option("folder", options->folder, "Folder to make or to go on with")
            ->required();
        CLI::Option* const follow =
            command->add_flag("--follow", options->follow,
                              "Stay, and append as the log grows; waits for a ledger that is away");
        command
            ->add_option(
                "--every", options->every_s,
                "With --follow: seconds between two looks, so at most this much is missing")
            ->check(CLI::Range(std::uint32_t{1}, kEverySecondsMax))
            ->needs(follow)
            ->capture_default_str();
      },
      ExportLog);
  added->footer(
      "The file 'checkpoint' is replaced last, whole and synced, so the folder is a true log at "
      "every\n"
      "moment, also after kill -9 or a power cut; the next export goes on from there. --follow "
      "ends\n"
      "with exit 0 on SIGINT or SIGTERM, and with --json writes one line for each advance. Keep "
      "the\n"
      "folder on another machine than the ledger: 'custodyd restore --mirror FOLDER' needs it.");
}

}  // namespace custody
