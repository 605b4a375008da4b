// custody-faults: lets every call that the store makes of the file system fail, one after another.

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/faults/sweep.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "Records into a real ledger over RocksDB while one call of the file system fails, each call "
    "in\n"
    "turn, and proves that nothing was lost: as the process left the disk, and as a power cut\n"
    "would have left it.\n"
    "\n"
    "Exit codes: 0 nothing was lost (with --plant: the loss was reported), 1 something was,\n"
    "2 usage, 3 it could not run.";
constexpr std::size_t kProblemsShown = 20;

void PrintTable(const SweepReport& report) {
  absl::PrintF("%-20s %-9s %6s %6s %6s %9s %10s %7s %8s %5s\n", "call", "file", "calls", "runs",
               "unmet", "absorbed", "fail-stops", "aborts", "refused", "lost");
  for (const auto& [site, counted] : report.sites) {
    absl::PrintF("%-20s %-9s %6d %6d %6d %9d %10d %7d %8d %5d\n", NameOf(site.first),
                 NameOf(site.second), counted.calls, counted.runs, counted.unmet, counted.absorbed,
                 counted.fail_stops, counted.aborts, counted.refused, counted.problems);
  }
}

void Print(const SweepOptions& options, const SweepReport& report) {
  PrintTable(report);
  SiteReport sum;
  for (const auto& [site, counted] : report.sites) {
    sum.calls += counted.calls;
    sum.unmet += counted.unmet;
    sum.absorbed += counted.absorbed;
    sum.fail_stops += counted.fail_stops;
    sum.aborts += counted.aborts;
    sum.refused += counted.refused;
  }
  for (std::size_t i = 0; i < std::min(report.problems.size(), kProblemsShown); ++i) {
    absl::PrintF("PROBLEM: %s\n", report.problems[i]);
  }
  absl::PrintF(
      "%d sites, %d calls; %d of %d runs, %d not met; %d absorbed, %d fail-stops, %d aborts, %d "
      "refused starts; %d receipts, %d starts checked; %d s; seed %d; %d problems\n",
      report.sites.size(), sum.calls, report.runs, report.planned, sum.unmet, sum.absorbed,
      sum.fail_stops, sum.aborts, sum.refused, report.receipts, report.starts_checked,
      report.elapsed_ms / 1'000, options.seed, report.problems.size());
}

// Other problems do not count as having noticed.
bool LossReported(const SweepReport& report) {
  return std::any_of(report.problems.begin(), report.problems.end(), [](const std::string& text) {
    return text.find(": lost") != std::string::npos;
  });
}

int RunIn(SweepOptions options, const std::string& parent, bool keep) {
  std::string folder = parent + "/custody-faults-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    absl::FPrintF(stderr, "custody-faults: no folder can be made in %s\n", parent);
    return 3;
  }
  options.folder = folder;
  const absl::StatusOr<SweepReport> report = RunSweep(options);
  if (!report.ok()) {
    absl::FPrintF(stderr, "custody-faults: %s\nkept: %s\n", report.status().ToString(), folder);
    return 3;
  }
  Print(options, *report);
  const bool as_wanted = options.plant ? LossReported(*report) : report->problems.empty();
  if (options.plant) {
    absl::PrintF("the planted loss was %s\n", as_wanted ? "reported" : "NOT reported");
  }
  if (keep) {
    absl::FPrintF(stderr, "kept: %s\n", folder);
  } else {
    std::filesystem::remove_all(folder);
  }
  return as_wanted ? 0 : 1;
}

int Run(int argc, char** argv) {
  SweepOptions options;
  options.seed = std::random_device{}();
  std::string parent = std::filesystem::temp_directory_path().string();
  std::string plant;
  bool keep = false;
  CLI::App app(kAbout, "custody-faults");
  app.add_option("--calls", options.calls_per_site,
                 "so many calls of each operation on each kind of file (0: every one)")
      ->capture_default_str();
  app.add_flag("--one-way", options.one_way,
               "each call fails either alone or with everything after it, not both in turn");
  app.add_option("--part", options.part, "of --parts: which")->check(CLI::PositiveNumber);
  app.add_option("--parts", options.parts,
                 "share the runs of one seed among so many processes, each with its --part")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds_max,
                 "begin no further run after this time (0: no limit)")
      ->capture_default_str();
  app.add_option("--only", options.only,
                 "only runs whose name has this in it, \"Sync log\" for example; --verbose shows "
                 "names");
  app.add_option("--seed", options.seed, "of every choice here (default: another each time)")
      ->take_last();
  app.add_option("--plant", plant,
                 "a bug to put in, and to be reported: 'sync', the log's syncs are answered and "
                 "not made; 'write', its writes are")
      ->check(CLI::IsMember({"sync", "write"}));
  app.add_option("--folder", parent, "where the temporary folder is made")
      ->capture_default_str()
      ->take_last();
  app.add_flag("--keep", keep, "keep the folder with the last run");
  app.add_flag("--verbose", options.verbose, "a line for each run");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.plant = !plant.empty();
  options.planted = plant == "write" ? DiskOperation::kAppend : DiskOperation::kSync;
  return RunIn(options, parent, keep);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Run(argc, argv); }
