// custody-bench: what recording and asking cost, over the real daemon.

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/bench/bench_report.h"
#include "tests/bench/bench_run.h"
#include "tests/support/paths.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "Starts a daemon in a folder of its own, fills it with lots that the rules accept, posts more "
    "of\n"
    "them with a fixed number in flight and checks every answer. Prints a table and one line of "
    "JSON.\n"
    "\n"
    "Exit codes: 0 measured, 1 an answer was wrong, 2 usage, 3 it could not run.";

int RunIn(BenchOptions options, const std::string& parent, bool keep, bool json) {
  std::string folder = parent + "/custody-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    absl::FPrintF(stderr, "custody-bench: no folder can be made in %s\n", parent);
    return 3;
  }
  options.folder = folder;
  const absl::StatusOr<BenchReport> report = RunBench(options);
  if (!keep && report.ok()) std::filesystem::remove_all(folder);
  if (!report.ok()) {
    absl::FPrintF(stderr, "custody-bench: %s\nkept: %s\n", report.status().ToString(), folder);
    return 3;
  }
  if (keep) absl::FPrintF(stderr, "kept: %s\n", folder);
  if (!json) PrintTable(options, *report);
  PrintJson(options, *report);
  return report->load.failures == 0 ? 0 : 1;
}

int Run(int argc, char** argv) {
  BenchOptions options;
  options.programs = BinaryPath("");
  options.source = SourcePath("");
  std::string parent = std::filesystem::temp_directory_path().string();
  bool json = false;
  bool keep = false;
  CLI::App app(kAbout, "custody-bench");
  app.add_option("--mode", options.mode, "what to measure")
      ->capture_default_str()
      ->check(CLI::IsMember({"unary", "stream", "batch", "verdict", "start", "growth", "store"}));
  app.add_option("--in-flight", options.in_flight, "events without an answer at any time")
      ->capture_default_str()
      ->check(CLI::Range(1U, 8'192U));
  app.add_option("--clients", options.clients, "connections")
      ->capture_default_str()
      ->check(CLI::Range(1U, 256U));
  app.add_option("--batch", options.batch, "mode batch: events a statement")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1'024U));
  app.add_option("--seconds", options.seconds, "measured, after the warm-up")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86'400.0));
  app.add_option("--warmup", options.warmup, "seconds before")->capture_default_str();
  app.add_option("--events-max", options.events_max,
                 "made before the load begins; it ends when they run out")
      ->capture_default_str();
  app.add_option("--log-events", options.log_events,
                 "events in the log before the load; mode growth: at its end")
      ->capture_default_str();
  app.add_option("--key", options.key, "algorithm of the signers")
      ->capture_default_str()
      ->check(CLI::IsMember({"p256", "ed25519"}));
  app.add_option("--folder", parent, "where the daemon's folder is made; its disk is measured")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  app.add_option("--ledger", options.kept,
                 "a folder that --keep has left: its ledger is loaded again, and no other is made")
      ->check(CLI::ExistingDirectory);
  app.add_option("--port", options.port, "of the daemon while its ledger is made")
      ->capture_default_str();
  app.add_option("--set", options.settings, "a further setting of custodyd, key=value");
  app.add_flag(
      "--count-memory", options.count_memory,
      "count allocations and copies of the daemon by thread; its speed is then no measure");
  app.add_flag("--keep", keep, "leave the folder");
  app.add_flag("--json", json, "only the line of JSON");
  CLI11_PARSE(app, argc, argv);
  return RunIn(std::move(options), parent, keep, json);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Run(argc, argv); }
