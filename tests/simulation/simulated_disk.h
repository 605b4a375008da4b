// A disk that outlives the processes that write to it, and loses what disks lose: writes that were
// not synced when the power went, and, when a bug is planted, what it promised to keep.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SIMULATION_SIMULATED_DISK_H_
#define CUSTODY_TESTS_SIMULATION_SIMULATED_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/memory_store.h"
#include "storage/store.h"

namespace custody {

// Mistakes that the simulation must find.
enum class Plant {
  kNone,
  kSkipSync,     // A synced write is not synced.
  kAnswerEarly,  // A write is confirmed before it is made.
  kLoseIndex,    // Leaves of the subject index are not written.
  kReuseIndex,   // A new process does not see the last batch, and gives its indices again.
  kTrustCache,   // A new process answers before it has written and synced anything.
};

// What happens to the next write.
enum class WriteFault {
  kNone,
  kFailBefore,  // An error, and nothing was written.
  kFailAfter,   // An error, and all of it was.
  kFailSync,    // An error, and all of it is in the cache: readable until the power goes.
  kDieBefore,   // The process ends in it.
  kDieAfter,
};

class SimulatedDisk {
 public:
  explicit SimulatedDisk(Plant plant) : plant_(plant) {}

  // What a new process sees and writes to. One at a time; this object must outlive it.
  std::unique_ptr<Store> Mount();

  void FailNext(WriteFault fault) { fault_ = fault; }
  // The process has died; what it goes on to do did not happen.
  bool process_died() const { return died_; }
  // Attempts after an error, which no process may make.
  int writes_after_failure() const { return writes_after_failure_; }
  // Time passes: what was put off is done.
  void Settle();
  // The process is gone; the cache stays. With a power cut so is all that was not synced, but for
  // the first `batches_kept` writes of it.
  void End(bool power_cut, std::size_t batches_kept);

 private:
  friend class SimulatedStore;
  absl::Status Write(const WriteBatch& batch, Durability durability, MemoryStore& live);
  void Keep(WriteBatch batch, Durability durability);

  const Plant plant_;
  WriteFault fault_ = WriteFault::kNone;
  bool died_ = false;
  bool failed_ = false;
  int writes_after_failure_ = 0;
  std::map<std::string, std::string> durable_;
  std::map<std::string, std::string> before_last_;  // With kReuseIndex.
  std::vector<WriteBatch> cached_;                  // Not synced.
  std::vector<WriteBatch> put_off_;                 // With kAnswerEarly.
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SIMULATION_SIMULATED_DISK_H_
