// The settings of custodyd: one struct, one table of keys, four sources.
//
//   flag > CUSTODYD_* of the environment > file > default
//
// deploy/custodyd.toml holds every key with its meaning and default; a test compares the two.
//
// Threads: values and pure functions.

#ifndef CUSTODY_DAEMON_CONFIG_H_
#define CUSTODY_DAEMON_CONFIG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

struct LedgerSection {
  std::string origin;
  std::string data_directory = "/var/lib/custody";
  // These four: empty means a file of the data directory ("anchor", "log.key", "service.key"; no
  // passphrase).
  std::string anchor_file;
  std::string log_key_file;
  std::string service_key_file;
  std::string key_passphrase_file;
  // Log keys that sign every checkpoint too, while a rotation lasts.
  std::vector<std::string> further_log_key_files;
};

struct ListenSection {
  std::string address = "127.0.0.1:7443";
  // Where the bound address is written once the daemon serves; empty: nowhere.
  std::string address_file;
  std::string certificate_file;
  std::string private_key_file;
  std::string client_ca_file;
  bool insecure_loopback = false;
  bool reflection = false;
};

struct LimitsSection {
  std::uint32_t batch_events_max = 256;
  std::uint64_t batch_bytes_max = 4U << 20;
  std::uint32_t batch_touches_max = 4'096;
  std::uint32_t queue_events_max = 8'192;
  std::uint64_t queue_bytes_max = 64U << 20;
  std::uint32_t queue_bulk_events_max = 4'096;
  std::uint32_t pending_max = 10'000;
  std::uint32_t verify_threads = 0;
  std::uint32_t message_bytes_max = 1U << 20;
  std::uint32_t metadata_bytes_max = 16U << 10;
  std::uint32_t streams_per_connection_max = 256;
  std::uint32_t stream_in_flight_max = 256;
  std::uint32_t stream_bytes_max = 1U << 20;
  std::uint64_t call_bytes_max = 256U << 20;
  std::uint32_t page_entries_max = 500;
  std::uint32_t trace_nodes_max = 100'000;
  std::uint32_t read_threads = 4;
  std::uint32_t read_queue_max = 1'024;
  std::uint32_t keepalive_ms = 30'000;
  std::uint32_t keepalive_timeout_ms = 10'000;
  std::uint32_t client_ping_interval_ms_min = 5'000;
};

struct StorageSection {
  std::uint64_t block_cache_bytes_max = 32U << 20;
  std::uint64_t write_buffer_bytes_max = 32U << 20;
  std::uint32_t open_files_max = 256;
  std::uint64_t reserve_bytes_min = 256U << 20;
  std::uint32_t state_cache_subjects_max = 65'536;
};

struct ScrubSection {
  // 0: no scrub in the background.
  std::uint32_t entries_per_second_max = 500;
  std::uint32_t pass_interval_ms_min = 3'600'000;
};

struct BackupSection {
  // Where AdminService.Backup makes its folders; empty: it is refused.
  std::string directory;
};

struct WitnessingSection {
  // A C2SP tlog-policy: witnesses with their URLs, and the quorum; empty: no witnesses are asked.
  std::string policy_file;
  std::uint32_t timeout_ms_max = 5'000;
  std::uint32_t grace_ms = 200;
  std::uint32_t interval_ms_min = 1'000;
};

struct MetricsSection {
  // Loopback only; empty: no listener.
  std::string address = "127.0.0.1:7444";
};

struct LogSection {
  std::string level = "info";   // error, warning, info, debug
  std::string format = "text";  // text, json
  std::string file;             // Empty: stderr.
};

struct SealSection {
  std::uint32_t interval_ms_max = 60'000;
};

struct StopSection {
  std::uint32_t drain_ms_max = 20'000;
};

struct Config {
  LedgerSection ledger;
  ListenSection listen;
  LimitsSection limits;
  StorageSection storage;
  ScrubSection scrub;
  BackupSection backup;
  WitnessingSection witnessing;
  MetricsSection metrics;
  LogSection log;
  SealSection seal;
  StopSection stop;
};

// One key of the configuration, bound to its place in a Config.
struct ConfigKey {
  std::string_view name;  // "listen.address"
  std::variant<std::string*, bool*, std::uint32_t*, std::uint64_t*, std::vector<std::string>*>
      place;
};
// Every key, in the order of deploy/custodyd.toml.
std::vector<ConfigKey> KeysOf(Config* config);

// "CUSTODYD_LISTEN_ADDRESS" for "listen.address".
std::string EnvironmentName(std::string_view key, std::string_view prefix = "CUSTODYD_");
// The value of a key as TOML writes it.
std::string FormatValue(const ConfigKey& key);
// The known name nearest to a misspelt one; empty if none is near.
std::string NearestName(std::string_view wrong, const std::vector<std::string>& names);

// Sets one key from text (flag or environment).
// Errors: kInvalidArgument naming `origin` ("--set", "CUSTODYD_..."), the key and the value.
absl::Status SetFromText(std::string_view key, std::string_view value, std::string_view origin,
                         Config* config);

// Sets what a TOML text holds. `file` names it in errors.
// Errors: kInvalidArgument "file:line:column: what is wrong": syntax, unknown key (with the nearest
// known one), wrong type, a number out of range.
absl::Status SetFromToml(std::string_view text, std::string_view file, Config* config);

// The same for the keys of any program, bound to its own settings.
absl::Status SetFromText(std::string_view key, std::string_view value, std::string_view origin,
                         const std::vector<ConfigKey>& keys);
absl::Status SetFromToml(std::string_view text, std::string_view file,
                         const std::vector<ConfigKey>& keys);

// "key=value" texts, as flags give them. Errors: kInvalidArgument naming one without "=".
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> SplitSettings(
    const std::vector<std::string>& settings);

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

// All sources in their order. An empty path reads no file.
// Errors: kNotFound if the file cannot be read; those of the two above.
absl::StatusOr<Config> LoadConfig(const std::string& path, const Environment& environment,
                                  const std::vector<std::pair<std::string, std::string>>& flags);

// The same for the keys of any program; `environment_prefix` is "CUSTODYD_" for custodyd.
absl::Status LoadSettings(const std::string& path, std::string_view environment_prefix,
                          const Environment& environment,
                          const std::vector<std::pair<std::string, std::string>>& flags,
                          const std::vector<ConfigKey>& keys);

// Errors: kInvalidArgument naming the key, the value and what it may be.
absl::Status CheckLogSection(const LogSection& log);

// What must hold before anything is opened, whatever the command.
// Errors: kInvalidArgument naming the key and both values.
absl::Status ValidateConfig(const Config& config);

// Files with their defaults.
std::string StoreFolder(const Config& config);
std::string AnchorFile(const Config& config);
std::string LogKeyFile(const Config& config);
std::string ServiceKeyFile(const Config& config);
// Where the scrub in the background is, and what it found.
std::string ScrubStateFile(const Config& config);
std::string StoppedLogFile(const Config& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_CONFIG_H_
