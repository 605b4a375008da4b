// custody-faults: every call with which the store touches the disk fails once.

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/faults/sweep.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using Error = FaultFileSystem::Error;
using Operation = FaultFileSystem::Operation;

constexpr char kAbout[] =
    "Counts every call with which RocksDB touches the disk while a ledger is made, records, "
    "flushes\n"
    "and compacts. Then it runs that again in a process of its own for each of these calls, which\n"
    "fails: with EIO, with ENOSPC, torn in the middle, or as a sync that loses what it should "
    "keep;\n"
    "once, or from then on; with the power lost at the end or not. After each, another process "
    "opens\n"
    "what is left: every receipt must be in it, nothing twice, nothing that nobody sent, and it "
    "must\n"
    "go on.\n"
    "\n"
    "Exit codes: 0 nothing was lost, 1 a promise was broken, 2 usage.";

struct Options {
  int events = 640;
  std::uint64_t per_site = 1;
  std::uint64_t seed = 1;
  bool lying_disk = false;
  bool verbose = false;
};

struct Variant {
  Error error;
  bool every_later_call;
  bool power_loss;
  const char* name;
};

std::vector<Variant> VariantsOf(Operation operation) {
  std::vector<Variant> variants = {{Error::kIo, false, false, "EIO once"},
                                   {Error::kIo, true, true, "EIO from then on, power lost"}};
  if (operation == Operation::kAppend) {
    variants.push_back({Error::kNoSpace, true, false, "ENOSPC from then on"});
    variants.push_back({Error::kTorn, false, false, "torn"});
    variants.push_back({Error::kTorn, false, true, "torn, power lost"});
  }
  if (operation == Operation::kSync) {
    variants.push_back({Error::kLost, false, true, "unsynced bytes lost, power lost"});
  }
  return variants;
}

// `count` of the calls 1..calls, spread, the first and the last among them when there is room.
std::vector<std::uint64_t> Spread(std::uint64_t calls, std::uint64_t count,
                                  std::mt19937_64* random) {
  std::vector<std::uint64_t> chosen;
  if (count >= calls) {
    for (std::uint64_t call = 1; call <= calls; ++call) chosen.push_back(call);
    return chosen;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t begin = 1 + calls * i / count;
    const std::uint64_t end = 1 + calls * (i + 1) / count;
    chosen.push_back(begin + (*random)() % (end - begin));
  }
  return chosen;
}

struct Row {
  std::uint64_t calls = 0;
  std::map<FaultEnd, std::uint64_t> ends;
  std::uint64_t runs = 0;
  std::uint64_t broken = 0;
};

void PrintTable(const std::map<FaultSite, Row>& rows) {
  absl::PrintF("%-14s %-9s %6s %6s %8s %8s %8s %8s %7s\n", "CALL", "FILE", "CALLS", "RUNS",
               "WENT ON", "STOPPED", "REFUSED", "ABORTED", "BROKEN");
  for (const auto& [site, row] : rows) {
    const auto ended = [&row = row](FaultEnd end) {
      const auto found = row.ends.find(end);
      return found == row.ends.end() ? std::uint64_t{0} : found->second;
    };
    absl::PrintF("%-14s %-9s %6d %6d %8d %8d %8d %8d %7d\n",
                 FaultFileSystem::NameOf(site.operation), site.file_kind, row.calls, row.runs,
                 ended(FaultEnd::kWentOn), ended(FaultEnd::kStopped), ended(FaultEnd::kRefused),
                 ended(FaultEnd::kAborted), row.broken);
  }
}

void RunOne(const Options& options, const FaultSite& site, std::uint64_t call,
            const Variant& variant, FaultSweep* sweep, Row* row) {
  FaultRun run;
  run.fault = {.operation = site.operation,
               .call = call,
               .file_kind = site.file_kind,
               .error = variant.error,
               .every_later_call = variant.every_later_call};
  run.power_loss = variant.power_loss;
  const FaultResult result = sweep->Run(run);
  ++row->runs;
  ++row->ends[result.end];
  if (!result.problems.empty()) ++row->broken;
  if (result.problems.empty() && !options.verbose) return;
  absl::PrintF("%s %s, call %d, %s: %d receipts, %s\n", FaultFileSystem::NameOf(site.operation),
               site.file_kind, call, variant.name, result.receipts, result.why);
  for (const std::string& problem : result.problems) absl::PrintF("  BROKEN: %s\n", problem);
}

int Sweep(const Options& options) {
  const TempFolder folder;
  FaultSweep sweep(folder.path(), options.events);
  std::mt19937_64 random(options.seed);
  std::map<FaultSite, Row> rows;
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t runs = 0;
  std::uint64_t broken = 0;
  for (const auto& [site, calls] : sweep.CountSites()) {
    Row& row = rows[site];
    row.calls = calls;
    for (const std::uint64_t call : Spread(calls, options.per_site, &random)) {
      for (const Variant& variant : VariantsOf(site.operation)) {
        RunOne(options, site, call, variant, &sweep, &row);
      }
    }
    runs += row.runs;
    broken += row.broken;
  }
  PrintTable(rows);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  absl::PrintF("%d faults at %d kinds of calls, seed %d, %.0f s: %d broke a promise\n", runs,
               rows.size(), options.seed, took.count(), broken);
  return broken == 0 ? 0 : 1;
}

// A disk whose syncs do nothing: nobody can keep a promise on it, and the check must say so.
int OnLyingDisk(const Options& options) {
  const TempFolder folder;
  FaultSweep sweep(folder.path(), options.events);
  FaultRun run;
  run.lying_disk = true;
  run.power_loss = true;
  const FaultResult result = sweep.Run(run);
  for (const std::string& problem : result.problems) absl::PrintF("BROKEN: %s\n", problem);
  absl::PrintF("%d receipts on a disk that lies, %d problems\n", result.receipts,
               result.problems.size());
  return result.problems.empty() ? 0 : 1;
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app(kAbout, "custody-faults");
  app.add_option("--events", options.events, "recorded in each run, 3 KB each")
      ->capture_default_str()
      ->check(CLI::Range(8, 100'000));
  app.add_option("--per-site", options.per_site, "of how many calls of a kind; large: of all")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "chooses the calls")->capture_default_str();
  app.add_flag("--lying-disk", options.lying_disk,
               "a planted bug instead: syncs that do nothing; finding it is exit 1");
  app.add_flag("--verbose", options.verbose, "each run");
  CLI11_PARSE(app, argc, argv);
  return options.lying_disk ? OnLyingDisk(options) : Sweep(options);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Run(argc, argv); }
