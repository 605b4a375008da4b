// A fault at every call in turn: which calls there are, one child for each of them and each way to
// fail, and what is left afterwards.
//
// Threads: one, and the process must have no others, since it forks.

#ifndef CUSTODY_TESTS_FAULTS_SWEEP_H_
#define CUSTODY_TESTS_FAULTS_SWEEP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/fault_switch.h"

namespace custody {

struct SweepOptions {
  std::string folder;  // Empty; kept by the caller.
  std::uint64_t seed = 1;
  // So many calls of each site, spread by the seed; 0: all of them.
  std::uint64_t calls_per_site = 0;
  // Each call fails either alone or with everything after it, by chance, instead of both.
  bool one_way = false;
  // Of the runs only one in `parts`, chosen by its name; `part` is 1 to `parts`.
  std::uint64_t part = 1;
  std::uint64_t parts = 1;
  // No further run is begun after this time; 0: no limit.
  std::uint32_t seconds_max = 0;
  // Only these runs: parts of "Append log torn write, call 3 once".
  std::string only;
  // A bug of the disk that must be reported: this operation on the write-ahead log is answered and
  // not made.
  bool plant = false;
  DiskOperation planted = DiskOperation::kSync;
  bool verbose = false;
};

struct SiteReport {
  std::uint64_t calls = 0;  // In the run without a fault.
  std::uint64_t runs = 0;
  std::uint64_t unmet = 0;       // The call did not come: the threads went another way.
  std::uint64_t absorbed = 0;    // Everything was recorded all the same.
  std::uint64_t fail_stops = 0;  // Writing stopped with an error.
  std::uint64_t aborts = 0;
  std::uint64_t refused = 0;  // The store did not open while the disk failed.
  std::uint64_t problems = 0;
};

struct SweepReport {
  std::map<std::pair<DiskOperation, FileKind>, SiteReport> sites;
  std::uint64_t planned = 0;
  std::uint64_t runs = 0;
  std::uint64_t receipts = 0;
  std::uint64_t starts_checked = 0;
  std::int64_t elapsed_ms = 0;
  std::vector<std::string> problems;
};

// Errors: those of running at all.
absl::StatusOr<SweepReport> RunSweep(const SweepOptions& options);

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_SWEEP_H_
