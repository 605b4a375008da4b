// What a process does to a ledger while its disk fails, and what another one finds there later.
// Both run in child processes: the library that they use may end them.
//
// Threads: one.

#ifndef CUSTODY_TESTS_FAULTS_SCRIPT_H_
#define CUSTODY_TESTS_FAULTS_SCRIPT_H_

#include <optional>
#include <string>
#include <vector>

#include "custody/v1/event.pb.h"
#include "tests/crash/journal.h"
#include "tests/faults/report_pipe.h"
#include "tests/support/fault_file_system.h"

namespace custody {

// Events that a ledger accepts one after the other, the same in each child.
std::vector<v1::SignedEvent> MakeFaultEvents(int count);

struct FaultRun {
  std::string folder;
  std::optional<FaultFileSystem::Fault> fault;
  // What is not synced when the process ends is gone.
  bool power_loss = false;
  // A planted bug of the disk: syncs that do nothing.
  bool lying_disk = false;
};

// Makes or opens the ledger, records the events in groups and reports every receipt. Leaves by a
// kill when the power is lost. `sites`: told of each call of the disk.
void RecordOnFaultyDisk(const FaultRun& run, const std::vector<v1::SignedEvent>& events,
                        const FaultFileSystem::Watcher& sites, ReportPipe& report);

// Opens what is left on a healthy disk, sends every event again and holds the log against the
// journal; reports problems and nothing else. `began`: the ledger had been made, so it must be
// there.
void CheckWhatIsLeft(const std::string& folder, const std::vector<v1::SignedEvent>& events,
                     Journal& journal, bool began, ReportPipe& report);

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_SCRIPT_H_
