// A backup: a copy of the store at one moment with the signed checkpoint of exactly that moment.
//
//   FOLDER/store        the database, files of its own
//   FOLDER/checkpoint   the signed note; written last, so a folder without it is no backup
//
// It holds no keys and no anchor: they are kept elsewhere, or whoever steals a backup has the
// ledger's voice.
//
// Threads: any; two backups of one name are told apart by their folder.

#ifndef CUSTODY_DAEMON_BACKUP_H_
#define CUSTODY_DAEMON_BACKUP_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/ledger/ledger.h"
#include "daemon/services/service_parts.h"
#include "storage/rocksdb_store.h"

namespace custody {

// Of the daemon that runs: a folder of this name in backup.directory. Recording goes on.
// Errors: kFailedPrecondition if backup.directory is empty; kInvalidArgument (the name);
//         kAlreadyExists; kDataLoss if the copy does not hold what was copied; kUnavailable.
absl::StatusOr<BackupMade> BackUpRunning(const Config& config, const std::string& name,
                                         const RocksdbStore& store, const Ledger& ledger);

// While no daemon runs. The checkpoint is signed with the log's key.
// Errors: as above; kNotFound without a store; kUnavailable if the daemon runs.
absl::StatusOr<BackupMade> BackUpStopped(const Config& config, const std::string& folder);

// Files of a backup.
std::string BackupStore(const std::string& folder);
std::string BackupCheckpoint(const std::string& folder);

}  // namespace custody

#endif  // CUSTODY_DAEMON_BACKUP_H_
