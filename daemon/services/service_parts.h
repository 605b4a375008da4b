// What every handler works with.

#ifndef CUSTODY_DAEMON_SERVICES_SERVICE_PARTS_H_
#define CUSTODY_DAEMON_SERVICES_SERVICE_PARTS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/ledger/ledger.h"
#include "daemon/services/authorizer.h"
#include "daemon/services/call_observer.h"
#include "daemon/services/read_pool.h"
#include "daemon/services/watch_hub.h"
#include "daemon/witnessing/witness_keeper.h"
#include "storage/store.h"

namespace custody {

struct ServiceLimits {
  // Events of one RecordStream that have no answer yet (sent to the client); beyond it nothing more
  // is read from the stream.
  std::uint32_t stream_in_flight_max = 256;
  // Bytes of these events, or of their answers once there are any; beyond it, too, nothing more is
  // read.
  std::uint32_t stream_bytes_max = 1U << 20;
  // Entries on one page of a list.
  std::uint32_t page_entries_max = 500;
  // Nodes of one trace.
  std::uint32_t trace_nodes_max = 100'000;
};

struct BackupMade {
  std::uint64_t bytes = 0;
  // The signed note of exactly the log that the backup holds.
  std::string note;
};
// Makes a backup of this name. Errors: kInvalidArgument (the name); kFailedPrecondition if none are
// made here; kAlreadyExists; those of the disk.
using BackupMaker = std::function<absl::StatusOr<BackupMade>(const std::string& name)>;

// References outlive the services.
struct ServiceParts {
  Ledger& ledger;
  const Store& store;  // Sizes only.
  Authorizer& authorizer;
  ReadPool& pool;
  WatchHub& watch_hub;
  CallObserver& observer;
  ServiceLimits limits;
  std::string version;
  std::string commit;
  // Null: no witnesses are configured.
  WitnessKeeper* witnesses = nullptr;
  // Null: no backups are made here.
  BackupMaker backup = nullptr;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_SERVICE_PARTS_H_
