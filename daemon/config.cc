#include "daemon/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replace}));
    }
  }
  return row.back();
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end;
}

// What a value of the type looks like, for messages.
std::string_view WantedOf(const ConfigKey& key) {
  if (std::holds_alternative<bool*>(key.place)) return "true or false";
  if (std::holds_alternative<std::uint32_t*>(key.place)) return "a number from 0 to 4294967295";
  if (std::holds_alternative<std::uint64_t*>(key.place)) return "a number from 0 to 2^63-1";
  if (std::holds_alternative<std::vector<std::string>*>(key.place)) return "texts, space between";
  return "a text";
}

// Words; no text of a list holds white space.
std::vector<std::string> SplitList(std::string_view value) {
  std::vector<std::string> texts;
  std::istringstream words{std::string(value)};
  for (std::string word; words >> word;) texts.push_back(std::move(word));
  return texts;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

bool SetPlace(const ConfigKey& key, std::string_view value) {
  if (auto* const* text = std::get_if<std::string*>(&key.place)) {
    **text = std::string(value);
    return true;
  }
  if (auto* const* flag = std::get_if<bool*>(&key.place)) {
    **flag = value == "true";
    return value == "true" || value == "false";
  }
  if (auto* const* number = std::get_if<std::uint32_t*>(&key.place)) {
    return ParseNumber(value, *number);
  }
  if (auto* const* list = std::get_if<std::vector<std::string>*>(&key.place)) {
    **list = SplitList(value);
    return true;
  }
  std::uint64_t* number = std::get<std::uint64_t*>(key.place);
  return ParseNumber(value, number) && *number <= std::numeric_limits<std::int64_t>::max();
}

absl::Status OneOf(std::string_view key, const std::string& value,
                   const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return absl::OkStatus();
  std::string list;
  for (const std::string& each : allowed) list += (list.empty() ? "" : ", ") + each;
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is \"%s\", want one of: %s", key, value, list));
}

absl::Status AtLeast(std::string_view key, std::uint64_t value, std::uint64_t least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is %u, want at least %u", key, value, least));
}

std::string InDataDirectory(const Config& config, const std::string& chosen,
                            std::string_view name) {
  if (!chosen.empty()) return chosen;
  return config.ledger.data_directory + "/" + std::string(name);
}

}  // namespace

std::vector<ConfigKey> KeysOf(Config* c) {
  return {
      {"ledger.origin", &c->ledger.origin},
      {"ledger.data_directory", &c->ledger.data_directory},
      {"ledger.anchor_file", &c->ledger.anchor_file},
      {"ledger.log_key_file", &c->ledger.log_key_file},
      {"ledger.further_log_key_files", &c->ledger.further_log_key_files},
      {"ledger.service_key_file", &c->ledger.service_key_file},
      {"ledger.key_passphrase_file", &c->ledger.key_passphrase_file},
      {"listen.address", &c->listen.address},
      {"listen.address_file", &c->listen.address_file},
      {"listen.certificate_file", &c->listen.certificate_file},
      {"listen.private_key_file", &c->listen.private_key_file},
      {"listen.client_ca_file", &c->listen.client_ca_file},
      {"listen.insecure_loopback", &c->listen.insecure_loopback},
      {"listen.reflection", &c->listen.reflection},
      {"limits.batch_events_max", &c->limits.batch_events_max},
      {"limits.batch_bytes_max", &c->limits.batch_bytes_max},
      {"limits.batch_touches_max", &c->limits.batch_touches_max},
      {"limits.queue_events_max", &c->limits.queue_events_max},
      {"limits.queue_bytes_max", &c->limits.queue_bytes_max},
      {"limits.queue_bulk_events_max", &c->limits.queue_bulk_events_max},
      {"limits.pending_max", &c->limits.pending_max},
      {"limits.verify_threads", &c->limits.verify_threads},
      {"limits.message_bytes_max", &c->limits.message_bytes_max},
      {"limits.metadata_bytes_max", &c->limits.metadata_bytes_max},
      {"limits.streams_per_connection_max", &c->limits.streams_per_connection_max},
      {"limits.stream_in_flight_max", &c->limits.stream_in_flight_max},
      {"limits.stream_bytes_max", &c->limits.stream_bytes_max},
      {"limits.call_bytes_max", &c->limits.call_bytes_max},
      {"limits.page_entries_max", &c->limits.page_entries_max},
      {"limits.trace_nodes_max", &c->limits.trace_nodes_max},
      {"limits.read_threads", &c->limits.read_threads},
      {"limits.read_queue_max", &c->limits.read_queue_max},
      {"limits.keepalive_ms", &c->limits.keepalive_ms},
      {"limits.keepalive_timeout_ms", &c->limits.keepalive_timeout_ms},
      {"limits.client_ping_interval_ms_min", &c->limits.client_ping_interval_ms_min},
      {"storage.block_cache_bytes_max", &c->storage.block_cache_bytes_max},
      {"storage.write_buffer_bytes_max", &c->storage.write_buffer_bytes_max},
      {"storage.open_files_max", &c->storage.open_files_max},
      {"storage.reserve_bytes_min", &c->storage.reserve_bytes_min},
      {"storage.state_cache_subjects_max", &c->storage.state_cache_subjects_max},
      {"scrub.entries_per_second_max", &c->scrub.entries_per_second_max},
      {"scrub.pass_interval_ms_min", &c->scrub.pass_interval_ms_min},
      {"backup.directory", &c->backup.directory},
      {"witnessing.policy_file", &c->witnessing.policy_file},
      {"witnessing.timeout_ms_max", &c->witnessing.timeout_ms_max},
      {"witnessing.grace_ms", &c->witnessing.grace_ms},
      {"witnessing.interval_ms_min", &c->witnessing.interval_ms_min},
      {"metrics.address", &c->metrics.address},
      {"log.level", &c->log.level},
      {"log.format", &c->log.format},
      {"log.file", &c->log.file},
      {"seal.interval_ms_max", &c->seal.interval_ms_max},
      {"stop.drain_ms_max", &c->stop.drain_ms_max},
  };
}

std::string EnvironmentName(std::string_view key, std::string_view prefix) {
  std::string name(prefix);
  for (const char c : key) {
    name += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string FormatValue(const ConfigKey& key) {
  if (auto* const* text = std::get_if<std::string*>(&key.place)) {
    return Quoted(**text);
  }
  if (auto* const* list = std::get_if<std::vector<std::string>*>(&key.place)) {
    std::string text;
    for (const std::string& each : **list) text += (text.empty() ? "" : ", ") + Quoted(each);
    return "[" + text + "]";
  }
  if (auto* const* flag = std::get_if<bool*>(&key.place)) return **flag ? "true" : "false";
  if (auto* const* number = std::get_if<std::uint32_t*>(&key.place)) {
    return std::to_string(**number);
  }
  return std::to_string(*std::get<std::uint64_t*>(key.place));
}

std::string NearestName(std::string_view wrong, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t best = wrong.size() / 3 + 2;  // Farther than this is another word.
  for (const std::string& name : names) {
    const std::size_t distance = EditDistance(wrong, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

absl::Status SetFromText(std::string_view key, std::string_view value, std::string_view origin,
                         Config* config) {
  return SetFromText(key, value, origin, KeysOf(config));
}

absl::Status SetFromText(std::string_view key, std::string_view value, std::string_view origin,
                         const std::vector<ConfigKey>& keys) {
  std::vector<std::string> names;
  for (const ConfigKey& each : keys) {
    names.emplace_back(each.name);
    if (each.name != key) continue;
    if (SetPlace(each, value)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %s is \"%s\", want %s", origin, key, value, WantedOf(each)));
  }
  const std::string nearest = NearestName(key, names);
  return absl::InvalidArgumentError(
      nearest.empty()
          ? absl::StrFormat("%s: unknown key \"%s\"", origin, key)
          : absl::StrFormat("%s: unknown key \"%s\"; did you mean \"%s\"?", origin, key, nearest));
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // Before any thread exists.
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

absl::StatusOr<Config> LoadConfig(const std::string& path, const Environment& environment,
                                  const std::vector<std::pair<std::string, std::string>>& flags) {
  Config config;
  CUSTODY_RETURN_IF_ERROR(LoadSettings(path, "CUSTODYD_", environment, flags, KeysOf(&config)));
  return config;
}

absl::Status LoadSettings(const std::string& path, std::string_view environment_prefix,
                          const Environment& environment,
                          const std::vector<std::pair<std::string, std::string>>& flags,
                          const std::vector<ConfigKey>& keys) {
  if (!path.empty()) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) {
      return absl::NotFoundError(absl::StrFormat("cannot read the configuration %s", path));
    }
    CUSTODY_RETURN_IF_ERROR(SetFromToml(text.str(), path, keys));
  }
  for (const ConfigKey& key : keys) {
    const std::string name = EnvironmentName(key.name, environment_prefix);
    if (const std::optional<std::string> value = environment(name); value.has_value()) {
      CUSTODY_RETURN_IF_ERROR(SetFromText(key.name, *value, name, keys));
    }
  }
  for (const auto& [key, value] : flags) {
    CUSTODY_RETURN_IF_ERROR(SetFromText(key, value, "flag", keys));
  }
  return absl::OkStatus();
}

absl::Status CheckLogSection(const LogSection& log) {
  CUSTODY_RETURN_IF_ERROR(OneOf("log.level", log.level, {"error", "warning", "info", "debug"}));
  return OneOf("log.format", log.format, {"text", "json"});
}

absl::Status ValidateConfig(const Config& config) {
  if (config.ledger.origin.empty()) {
    return absl::InvalidArgumentError(
        "ledger.origin is empty, want the name of the log, for example "
        "\"custody.example.org/ledger\"; it never changes");
  }
  if (config.ledger.data_directory.empty()) {
    return absl::InvalidArgumentError("ledger.data_directory is empty");
  }
  CUSTODY_RETURN_IF_ERROR(CheckLogSection(config.log));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("limits.message_bytes_max", config.limits.message_bytes_max, 64U << 10));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("limits.metadata_bytes_max", config.limits.metadata_bytes_max, 8U << 10));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("limits.streams_per_connection_max", config.limits.streams_per_connection_max, 1));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("limits.stream_in_flight_max", config.limits.stream_in_flight_max, 1));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.stream_bytes_max", config.limits.stream_bytes_max, 1));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("limits.call_bytes_max", config.limits.call_bytes_max, 16U << 20));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.page_entries_max", config.limits.page_entries_max, 1));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.trace_nodes_max", config.limits.trace_nodes_max, 1));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.read_threads", config.limits.read_threads, 1));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.read_queue_max", config.limits.read_queue_max, 1));
  CUSTODY_RETURN_IF_ERROR(AtLeast("limits.keepalive_ms", config.limits.keepalive_ms, 1'000));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("witnessing.timeout_ms_max", config.witnessing.timeout_ms_max, 100));
  CUSTODY_RETURN_IF_ERROR(
      AtLeast("witnessing.interval_ms_min", config.witnessing.interval_ms_min, 10));
  constexpr std::uint32_t kMessageBytesTop = 256U << 20;
  if (config.limits.message_bytes_max > kMessageBytesTop) {
    return absl::InvalidArgumentError(
        absl::StrFormat("limits.message_bytes_max is %u, want at most %u",
                        config.limits.message_bytes_max, kMessageBytesTop));
  }
  return absl::OkStatus();
}

std::string StoreFolder(const Config& config) { return config.ledger.data_directory + "/store"; }
std::string AnchorFile(const Config& config) {
  return InDataDirectory(config, config.ledger.anchor_file, "anchor");
}
std::string LogKeyFile(const Config& config) {
  return InDataDirectory(config, config.ledger.log_key_file, "log.key");
}
std::string ServiceKeyFile(const Config& config) {
  return InDataDirectory(config, config.ledger.service_key_file, "service.key");
}

std::string ScrubStateFile(const Config& config) {
  return config.ledger.data_directory + "/scrub.json";
}

std::string StoppedLogFile(const Config& config) {
  return config.ledger.data_directory + "/stopped-log";
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> SplitSettings(
    const std::vector<std::string>& settings) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrFormat("--set %s: want key=value", setting));
    }
    pairs.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return pairs;
}

}  // namespace custody
