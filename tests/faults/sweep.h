// One fault after the other: a process that records while the disk fails, then one that looks.
//
// Threads: one, and no other in the process: it forks.

#ifndef CUSTODY_TESTS_FAULTS_SWEEP_H_
#define CUSTODY_TESTS_FAULTS_SWEEP_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "custody/v1/event.pb.h"
#include "tests/faults/script.h"

namespace custody {

// A kind of call: operation and kind of file.
struct FaultSite {
  FaultFileSystem::Operation operation = FaultFileSystem::Operation::kAppend;
  std::string file_kind;

  friend auto operator<=>(const FaultSite&, const FaultSite&) = default;
};

// How the process ended in which the fault was.
enum class FaultEnd {
  kWentOn,   // Every event was recorded.
  kStopped,  // Writing ended with a refusal.
  kRefused,  // The ledger did not open.
  kAborted,  // The library ended the process.
};

struct FaultResult {
  FaultEnd end = FaultEnd::kWentOn;
  std::string why;
  std::size_t receipts = 0;
  std::vector<std::string> problems;
};

class FaultSweep {
 public:
  FaultSweep(std::string folder, int events);

  // How many calls of each kind one run without a fault makes.
  std::map<FaultSite, std::uint64_t> CountSites();

  FaultResult Run(FaultRun run);

 private:
  FaultResult Record(const FaultRun& run, Journal* journal, bool* began);
  void Check(const std::string& folder, bool began, Journal& journal, FaultResult* result);

  const std::string folder_;
  const std::vector<v1::SignedEvent> events_;
  std::uint64_t runs_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_SWEEP_H_
