// From the configuration to the parts of the daemon: options, keys, store.

#ifndef CUSTODY_DAEMON_PARTS_H_
#define CUSTODY_DAEMON_PARTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/exit_code.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/services/server.h"
#include "daemon/witnessing/witness_keeper.h"
#include "storage/rocksdb_store.h"

namespace custody {

LedgerOptions LedgerOptionsOf(const Config& config);
RocksdbOptions StoreOptionsOf(const Config& config);

// With the texts of the TLS files.
// Errors: kNotFound naming the key whose file cannot be read.
absl::StatusOr<ServerOptions> ServerOptionsOf(const Config& config);

// All keys from their files.
// Errors: kNotFound; kInvalidArgument if a file is no key, or a log key is not Ed25519 or named
// twice;
// kUnauthenticated if the passphrase does not open one.
absl::StatusOr<LedgerKeys> LoadKeys(const Config& config);
// The witnesses of witnessing.policy_file; null if none is named. `clock` must outlive it.
// Errors: kNotFound; kInvalidArgument naming what is wrong with the policy.
absl::StatusOr<std::unique_ptr<WitnessKeeper>> MakeWitnessKeeper(const Config& config,
                                                                 const LedgerKeys& keys,
                                                                 const Clock& clock);
// Every check that needs no running daemon: values, options, keys and TLS files where they are
// named. Errors: those of the parts, naming the key.
absl::Status CheckEverything(const Config& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_PARTS_H_
