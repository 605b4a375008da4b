// One run: a seed decides who posts what when, which step of the write path comes next, what the
// disk and the clock do, and when the process ends. The same seed gives the same run.
//
//   for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
//     const SimulationResult result = Simulate(seed, Plant::kNone, events);
//     for (const std::string& problem : result.problems) ...
//   }
//
// What is held against the log after each restart and at the end is LogCheck's (tests/crash), the
// root of the subject index in every seal, computed anew from the entries, and that everybody who
// asks often enough gets an answer.
//
// Threads: pure.

#ifndef CUSTODY_TESTS_SIMULATION_SIMULATION_H_
#define CUSTODY_TESTS_SIMULATION_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "custody/v1/record.pb.h"
#include "tests/simulation/simulated_disk.h"

namespace custody {

// Signed once, used by all runs.
struct SimulationEvents {
  std::vector<v1::SignedEvent> events;
  // Two events under one id: at most one of them may ever be recorded.
  std::vector<std::pair<v1::SignedEvent, v1::SignedEvent>> rivals;
};
SimulationEvents MakeSimulationEvents();

struct SimulationResult {
  std::vector<std::string> problems;
  // What was done, in order; for people.
  std::vector<std::string> steps;
  std::size_t receipts = 0;
  std::size_t restarts = 0;
  std::size_t failed_writes = 0;
  std::uint64_t entries = 0;
};

SimulationResult Simulate(std::uint64_t seed, Plant plant, const SimulationEvents& events);

}  // namespace custody

#endif  // CUSTODY_TESTS_SIMULATION_SIMULATION_H_
