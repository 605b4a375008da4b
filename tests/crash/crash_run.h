// Rounds of killing and checking.
//
//   serving -> clients post -> SIGKILL after a random time -> start again (sometimes killed while
//   it starts, and started once more) -> the whole log is read and checked -> events without a
//   receipt are posted again -> next round
//
// The last round ends with a clean stop, one more check in which every event ever sent must have
// its one entry, and `custodyd rebuild`, which must find the store to be exactly what the log says.
//
// Threads: one; the clients have their own.

#ifndef CUSTODY_TESTS_CRASH_CRASH_RUN_H_
#define CUSTODY_TESTS_CRASH_CRASH_RUN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

// Something that must be reported, or the check is worth nothing.
enum class Plant {
  kNothing,
  // While the daemon is down, its data and its anchor are replaced by copies of a round before:
  // what was recorded since is lost, and the daemon cannot know.
  kLoss,
};

struct CrashOptions {
  std::string program;  // custodyd
  std::string folder;   // Empty; kept by the caller.
  std::uint64_t seed = 1;
  std::uint32_t rounds = 50;
  // No further round is begun after this time; 0: no limit.
  std::uint32_t seconds_max = 0;
  int clients = 4;
  // The kill comes this long after the clients go on, at most; evenly drawn.
  std::uint32_t kill_after_ms_max = 800;
  // A start that takes longer is a failure.
  std::uint32_t start_ms_max = 30'000;
  // Rounds end at the named steps of the write path (daemon/ledger/crash_point.h), in turn, instead
  // of at random moments. custodyd must have been built with them.
  bool points = false;
  // In each round the daemon is started anew with the next of these in the variable CUSTODY_INJECT,
  // for a `program` that makes its system calls fail (tests/faults/strace); then it is killed and
  // started without.
  std::vector<std::string> injections = {};
  Plant plant = Plant::kNothing;
  // A line for each round, on standard error.
  bool verbose = false;
};

struct CrashReport {
  std::uint32_t rounds = 0;
  std::uint32_t kills = 0;
  std::uint32_t kills_while_starting = 0;
  std::uint32_t kills_at_points = 0;
  // With injections: how often the daemon ended by itself instead.
  std::uint32_t ended_by_fault = 0;
  std::size_t events_sent = 0;
  std::size_t receipts = 0;
  // Events whose first answer was lost, of which the log had an entry, or had not.
  std::size_t retried_recorded = 0;
  std::size_t retried_new = 0;
  std::size_t checkpoints = 0;
  std::size_t consistency_proofs = 0;
  std::uint64_t entries = 0;
  std::uint64_t ledger_events = 0;
  std::uint64_t seals = 0;
  std::vector<std::int64_t> start_ms;  // One for each start that was waited for.
  std::int64_t elapsed_ms = 0;
  std::vector<std::string> problems;  // Empty: nothing was lost.
};

// Errors: those of running at all (no program, no folder). A daemon that does not start again is a
// problem in the report.
absl::StatusOr<CrashReport> RunCrashTest(const CrashOptions& options);

}  // namespace custody

#endif  // CUSTODY_TESTS_CRASH_CRASH_RUN_H_
