// From the configuration to the parts of the daemon: options, keys, store.

#ifndef CUSTODY_DAEMON_PARTS_H_
#define CUSTODY_DAEMON_PARTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/services/server.h"
#include "storage/rocksdb_store.h"

namespace custody {

LedgerOptions LedgerOptionsOf(const Config& config);
RocksdbOptions StoreOptionsOf(const Config& config);

// With the texts of the TLS files.
// Errors: kNotFound naming the key whose file cannot be read.
absl::StatusOr<ServerOptions> ServerOptionsOf(const Config& config);

// Both keys from their files.
// Errors: kNotFound; kInvalidArgument if a file is no key, or the log key is not Ed25519;
// kUnauthenticated if the passphrase does not open one.
absl::StatusOr<LedgerKeys> LoadKeys(const Config& config);
// The passphrase of the keys; empty if none is configured.
absl::StatusOr<std::string> ReadPassphrase(const Config& config);

// Every check that needs no running daemon: values, options, keys and TLS files where they are
// named. Errors: those of the parts, naming the key.
absl::Status CheckEverything(const Config& config);

// The exit code of the programs (0 ok, 2 usage or configuration, 3 cannot be done or verified, 4
// not permitted, 5 exists already, 70 a bug).
int ExitCodeOf(const absl::Status& status);

}  // namespace custody

#endif  // CUSTODY_DAEMON_PARTS_H_
