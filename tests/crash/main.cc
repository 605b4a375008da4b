// custody-crash: kills custodyd at random moments and proves that nothing was lost.

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tests/crash/crash_run.h"
#include "tests/support/paths.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "Kills custodyd at random moments while clients post, and proves after every restart that\n"
    "nothing was lost. Makes a ledger of its own in a temporary folder, which is kept on failure.\n"
    "\n"
    "Exit codes: 0 nothing was lost (with --plant: the loss was reported), 1 something was,\n"
    "2 usage, 3 it could not run.";
constexpr std::size_t kProblemsShown = 20;

std::int64_t Median(std::vector<std::int64_t> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::int64_t Largest(const std::vector<std::int64_t>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

void PrintJson(const CrashOptions& options, const CrashReport& report) {
  const nlohmann::json json = {
      {"seed", options.seed},
      {"rounds", report.rounds},
      {"kills", report.kills},
      {"kills_while_starting", report.kills_while_starting},
      {"kills_at_points", report.kills_at_points},
      {"ended_by_fault", report.ended_by_fault},
      {"clients", options.clients},
      {"events_sent", report.events_sent},
      {"receipts", report.receipts},
      {"retried_recorded", report.retried_recorded},
      {"retried_new", report.retried_new},
      {"checkpoints", report.checkpoints},
      {"consistency_proofs", report.consistency_proofs},
      {"entries", report.entries},
      {"ledger_events", report.ledger_events},
      {"seals", report.seals},
      {"start_ms_median", Median(report.start_ms)},
      {"start_ms_max", Largest(report.start_ms)},
      {"elapsed_ms", report.elapsed_ms},
      {"problems", report.problems},
  };
  absl::PrintF("%s\n", json.dump());
}

void PrintText(const CrashOptions& options, const CrashReport& report) {
  for (std::size_t i = 0; i < std::min(report.problems.size(), kProblemsShown); ++i) {
    absl::PrintF("PROBLEM: %s\n", report.problems[i]);
  }
  absl::PrintF(
      "%d rounds, %d kills and %d while starting; %d events sent, %d receipts, %d retried (%d had "
      "been recorded); %d checkpoints seen, %d consistency proofs; %d entries, %d of the ledger, "
      "%d seals; start %d ms median, %d ms longest; %d s; seed %d; %d problems\n",
      report.rounds, report.kills, report.kills_while_starting, report.events_sent, report.receipts,
      report.retried_recorded + report.retried_new, report.retried_recorded, report.checkpoints,
      report.consistency_proofs, report.entries, report.ledger_events, report.seals,
      Median(report.start_ms), Largest(report.start_ms), report.elapsed_ms / 1'000, options.seed,
      report.problems.size());
}

// Other problems do not count as having noticed.
bool LossReported(const CrashReport& report) {
  return std::any_of(report.problems.begin(), report.problems.end(), [](const std::string& text) {
    return text.find(": lost") != std::string::npos;
  });
}

int RunIn(CrashOptions options, const std::string& parent, bool keep, bool json) {
  std::string folder = parent + "/custody-crash-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    absl::FPrintF(stderr, "custody-crash: no folder can be made in %s\n", parent);
    return 3;
  }
  options.folder = folder;
  absl::FPrintF(stderr, "seed %d, folder %s\n", options.seed, folder);
  const absl::StatusOr<CrashReport> report = RunCrashTest(options);
  if (!report.ok()) {
    absl::FPrintF(stderr, "custody-crash: %s\nkept: %s\n", report.status().ToString(), folder);
    return 3;
  }
  json ? PrintJson(options, *report) : PrintText(options, *report);
  if (!options.injections.empty()) {
    absl::FPrintF(stderr, "%d injections; the daemon ended by itself in %d rounds\n",
                  options.injections.size(), report->ended_by_fault);
  }
  const bool planted = options.plant != Plant::kNothing;
  const bool as_wanted = planted ? LossReported(*report) : report->problems.empty();
  if (planted) absl::PrintF("the planted loss was %s\n", as_wanted ? "reported" : "NOT reported");
  if (keep || !as_wanted) {
    absl::FPrintF(stderr, "kept: %s\n", folder);
  } else {
    std::filesystem::remove_all(folder);
  }
  return as_wanted ? 0 : 1;
}

int Run(int argc, char** argv) {
  CrashOptions options;
  options.program = BinaryPath("daemon/custodyd");
  options.seed = std::random_device{}();
  std::string parent = std::filesystem::temp_directory_path().string();
  std::string plant;
  bool json = false;
  bool keep = false;
  CLI::App app(kAbout, "custody-crash");
  app.add_option("--rounds", options.rounds, "kills, each with a restart and a check")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1'000'000U));
  app.add_option("--seconds", options.seconds_max,
                 "begin no further round after this time (0: no limit)")
      ->capture_default_str();
  app.add_option("--clients", options.clients,
                 "threads that post: patient, hasty, streaming, forgetful, in turn")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--kill-after", options.kill_after_ms_max,
                 "ms; a kill comes at a random time up to this")
      ->capture_default_str();
  app.add_flag("--points", options.points,
               "die at the named steps of the write path, in turn, instead of at random moments");
  app.add_option("--inject", options.injections,
                 "in each round start --program with the next of these in CUSTODY_INJECT, and kill "
                 "it after --kill-after (tests/faults/strace)");
  app.add_option("--seed", options.seed,
                 "of every random choice here (default: another each time)");
  app.add_option("--start-ms-max", options.start_ms_max, "a start that takes longer is a failure")
      ->capture_default_str();
  app.add_option("--plant", plant, "loss: lose recorded events, and expect that it is reported")
      ->check(CLI::IsMember({"loss"}));
  app.add_option("--program", options.program, "custodyd")->capture_default_str();
  app.add_option("--folder", parent, "where the temporary folder is made")->capture_default_str();
  app.add_flag("--keep", keep, "keep the folder in any case");
  app.add_flag("--json", json, "print the result as one line of JSON");
  app.add_flag("--verbose", options.verbose, "a line for each round");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (plant == "loss") options.plant = Plant::kLoss;
  return RunIn(options, parent, keep, json);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Run(argc, argv); }
