// custody-simulate: many runs of the write path under a seeded scheduler.

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/simulation/simulation.h"

namespace custody {
namespace {

constexpr char kAbout[] =
    "Runs the daemon's own sequencer, committer and recovery step by step, in an order that a "
    "seed\n"
    "decides, over a disk, a clock and callers that misbehave, and holds what was promised "
    "against\n"
    "the log after each restart. One seed is one run, always the same.\n"
    "\n"
    "Exit codes: 0 nothing was found, 1 a run broke a promise, 2 usage. With --plant a bug is put\n"
    "in, and finding it is what is expected: 0 found, 1 not found.";

const std::map<std::string, Plant> kPlants = {{"none", Plant::kNone},
                                              {"skip-sync", Plant::kSkipSync},
                                              {"answer-early", Plant::kAnswerEarly},
                                              {"lose-index", Plant::kLoseIndex},
                                              {"reuse-index", Plant::kReuseIndex},
                                              {"trust-cache", Plant::kTrustCache}};

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1'000;
  std::string plant = "none";
  bool trace = false;
};

void PrintProblems(const Options& options, std::uint64_t seed, const SimulationResult& result) {
  if (options.trace) {
    for (const std::string& step : result.steps) absl::PrintF("  %s\n", step);
  }
  absl::PrintF("seed %d: %d problems after %d steps and %d restarts\n", seed,
               result.problems.size(), result.steps.size(), result.restarts);
  for (const std::string& problem : result.problems) absl::PrintF("  %s\n", problem);
  absl::PrintF("again: custody-simulate --first %d --seeds 1 --plant %s --trace\n", seed,
               options.plant);
}

int RunSeeds(const Options& options) {
  const SimulationEvents events = MakeSimulationEvents();
  const Plant plant = kPlants.at(options.plant);
  const auto begin = std::chrono::steady_clock::now();
  std::size_t receipts = 0;
  std::size_t restarts = 0;
  std::size_t faults = 0;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    const SimulationResult result = Simulate(options.first + i, plant, events);
    receipts += result.receipts;
    restarts += result.restarts;
    faults += result.failed_writes;
    if (!result.problems.empty()) {
      PrintProblems(options, options.first + i, result);
      return plant == Plant::kNone ? 1 : 0;
    }
    if (options.trace) {
      for (const std::string& step : result.steps) absl::PrintF("  %s\n", step);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  absl::PrintF("%d runs, %d receipts, %d restarts, %d faults of a write, %.0f s: no problem\n",
               options.seeds, receipts, restarts, faults, took.count());
  return plant == Plant::kNone ? 0 : 1;
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app(kAbout, "custody-simulate");
  app.add_option("--seeds", options.seeds, "how many runs")->capture_default_str();
  app.add_option("--first", options.first, "the first seed")->capture_default_str();
  app.add_option("--plant", options.plant, "a bug to put in")
      ->capture_default_str()
      ->check(CLI::IsMember(kPlants));
  app.add_flag("--trace", options.trace, "print every step");
  CLI11_PARSE(app, argc, argv);
  return RunSeeds(options);
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Run(argc, argv); }
