// The settings of custody-witness: one struct, one table of keys, four sources.
//
//   flag > CUSTODY_WITNESS_* of the environment > file > default
//
// deploy/custody-witness.toml holds every key with its meaning and default; a test compares the
// two.
//
// Threads: values and pure functions.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_CONFIG_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_CONFIG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/config.h"

namespace custody {

struct WitnessSection {
  std::string name;
  std::string data_directory = "/var/lib/custody-witness";
  // Empty: witness.key in the data directory; no passphrase.
  std::string key_file;
  std::string key_passphrase_file;
  std::vector<std::string> logs;
};

struct WitnessListenSection {
  std::string address = "127.0.0.1:7445";
  std::string address_file;
  std::uint32_t threads = 4;
  std::uint32_t connections_max = 256;
  std::uint32_t patience_ms_max = 10'000;
};

// An empty endpoint: no audit.
struct WitnessAuditSection {
  std::string endpoint;
  std::string ledger;
  std::string name;
  // Empty: audit.key in the data directory; with the passphrase of the other key.
  std::string key_file;
  std::string ca_certificate_file;
  std::string certificate_file;
  std::string private_key_file;
  std::string server_name;
  // 64 hexadecimal digits, as in trust.toml; empty: the log is taken as it is seen first.
  std::string entry0_leaf_hash;
  std::uint32_t wait_ms_max = 1'000;
};

struct WitnessConfig {
  WitnessSection witness;
  WitnessListenSection listen;
  WitnessAuditSection audit;
  LogSection log;
  StopSection stop{.drain_ms_max = 5'000};
};

// Every key, in the order of deploy/custody-witness.toml.
std::vector<ConfigKey> KeysOf(WitnessConfig* config);

// All sources in their order. An empty path reads no file.
// Errors: kNotFound if the file cannot be read; kInvalidArgument naming place, key and value.
absl::StatusOr<WitnessConfig> LoadWitnessConfig(
    const std::string& path, const Environment& environment,
    const std::vector<std::pair<std::string, std::string>>& flags);

// Errors: kInvalidArgument naming the key and both values.
absl::Status ValidateWitnessConfig(const WitnessConfig& config);

std::string AuditKeyFile(const WitnessConfig& config);
std::string WitnessKeyFile(const WitnessConfig& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_CONFIG_H_
