// The commands of custody-witness.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_COMMANDS_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/note.h"
#include "daemon/witness/witness_config.h"

namespace custody {

// Makes the key, unless it is there, and returns the vkey; with an audit, that of its key on a
// second line.
// Errors: kInvalidArgument; kUnavailable; those of LoadWitnessKey().
absl::StatusOr<std::string> InitWitness(const WitnessConfig& config);

// Errors: kNotFound; kInvalidArgument if the file is no Ed25519 key; kUnauthenticated.
absl::StatusOr<NoteSigner> LoadWitnessKey(const WitnessConfig& config);
absl::StatusOr<NoteSigner> LoadAuditKey(const WitnessConfig& config);

// Witnesses until SIGTERM or SIGINT. Signals must be blocked (daemon/signals.h).
// Errors: those of the parts, naming the setting.
absl::Status ServeWitness(const WitnessConfig& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_COMMANDS_H_
