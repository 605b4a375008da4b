#include "daemon/gateway/gateway_config.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/verify/trust.h"
#include "crypto/note.h"
#include "daemon/files.h"

namespace custody {
namespace {

// A token that can be guessed is none.
constexpr std::size_t kTokenBytesMin = 24;
constexpr std::size_t kTokenBytesMax = 256;

struct Range {
  std::string_view key;
  std::uint64_t value;
  std::uint64_t least;
  std::uint64_t most;
};

absl::Status CheckRanges(const GatewayConfig& c) {
  constexpr std::uint64_t kHourMs = 3'600'000;
  const GatewayLimitsSection& limits = c.limits;
  for (const Range& range : {
           Range{"ledger.refresh_ms", c.ledger.refresh_ms, 100, kHourMs},
           Range{"ledger.answer_ms_max", c.ledger.answer_ms_max, 100, kHourMs},
           Range{"cache.checkpoint_s_max", c.cache.checkpoint_s_max, 0, 60},
           Range{"limits.connections_max", limits.connections_max, 1, 100'000},
           Range{"limits.header_bytes_max", limits.header_bytes_max, 1'024, 65'536},
           Range{"limits.header_count_max", limits.header_count_max, 4, 1'000},
           Range{"limits.header_ms_max", limits.header_ms_max, 100, kHourMs},
           Range{"limits.idle_ms_max", limits.idle_ms_max, 100, kHourMs},
           Range{"limits.answer_ms_max", limits.answer_ms_max, 100, kHourMs},
           Range{"limits.waiting_max", limits.waiting_max, 1, 100'000},
           Range{"limits.answer_threads", limits.answer_threads, 1, 256},
       }) {
    if (range.value < range.least || range.value > range.most) {
      return absl::InvalidArgumentError(absl::StrFormat("%s is %u, want %u to %u", range.key,
                                                        range.value, range.least, range.most));
    }
  }
  return absl::OkStatus();
}

bool IsLoopbackAddress(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]:");
}

absl::Status CheckListen(const GatewayListenSection& listen) {
  const bool tls = !listen.certificate_file.empty();
  if (tls == listen.private_key_file.empty()) {
    return absl::InvalidArgumentError(
        "listen.certificate_file and listen.private_key_file are given together or not at all");
  }
  if (tls || listen.plain || IsLoopbackAddress(listen.address)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "listen.address is \"%s\", which others can reach, and there is no TLS; name "
      "listen.certificate_file and listen.private_key_file, listen on loopback behind a proxy, or "
      "set listen.plain = true",
      listen.address));
}

absl::Status CheckEntries(const GatewayConfig& c) {
  const std::string& access = c.entries.access;
  if (access != "off" && access != "token" && access != "public") {
    return absl::InvalidArgumentError(
        absl::StrFormat("entries.access is \"%s\", want one of: off, token, public", access));
  }
  if ((access == "token") == c.entries.token_file.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "entries.access is \"%s\" and entries.token_file is \"%s\"; a token file belongs to "
        "\"token\" and to nothing else",
        access, c.entries.token_file));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<ConfigKey> KeysOf(GatewayConfig* c) {
  return {
      {"ledger.endpoint", &c->ledger.endpoint},
      {"ledger.ca_certificate_file", &c->ledger.ca_certificate_file},
      {"ledger.certificate_file", &c->ledger.certificate_file},
      {"ledger.private_key_file", &c->ledger.private_key_file},
      {"ledger.server_name", &c->ledger.server_name},
      {"ledger.insecure_loopback", &c->ledger.insecure_loopback},
      {"ledger.trust_file", &c->ledger.trust_file},
      {"ledger.checkpoint_file", &c->ledger.checkpoint_file},
      {"ledger.refresh_ms", &c->ledger.refresh_ms},
      {"ledger.answer_ms_max", &c->ledger.answer_ms_max},
      {"listen.address", &c->listen.address},
      {"listen.address_file", &c->listen.address_file},
      {"listen.certificate_file", &c->listen.certificate_file},
      {"listen.private_key_file", &c->listen.private_key_file},
      {"listen.plain", &c->listen.plain},
      {"entries.access", &c->entries.access},
      {"entries.token_file", &c->entries.token_file},
      {"cache.bytes_max", &c->cache.bytes_max},
      {"cache.checkpoint_s_max", &c->cache.checkpoint_s_max},
      {"limits.connections_max", &c->limits.connections_max},
      {"limits.connections_per_address_max", &c->limits.connections_per_address_max},
      {"limits.header_bytes_max", &c->limits.header_bytes_max},
      {"limits.header_count_max", &c->limits.header_count_max},
      {"limits.header_ms_max", &c->limits.header_ms_max},
      {"limits.idle_ms_max", &c->limits.idle_ms_max},
      {"limits.answer_ms_max", &c->limits.answer_ms_max},
      {"limits.waiting_max", &c->limits.waiting_max},
      {"limits.answer_threads", &c->limits.answer_threads},
      {"log.level", &c->log.level},
      {"log.format", &c->log.format},
      {"log.file", &c->log.file},
      {"stop.drain_ms_max", &c->stop.drain_ms_max},
  };
}

absl::StatusOr<GatewayConfig> LoadGatewayConfig(
    const std::string& path, const std::vector<std::pair<std::string, std::string>>& flags) {
  GatewayConfig config;
  config.stop.drain_ms_max = 5'000;
  const std::vector<ConfigKey> keys = KeysOf(&config);
  if (!path.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile("the configuration", path));
    CUSTODY_RETURN_IF_ERROR(SetFromToml(text, path, keys));
  }
  for (const auto& [key, value] : flags) {
    CUSTODY_RETURN_IF_ERROR(SetFromText(key, value, "--set", keys));
  }
  return config;
}

absl::Status ValidateGatewayConfig(const GatewayConfig& config) {
  if (config.ledger.trust_file.empty()) {
    return absl::InvalidArgumentError(
        "ledger.trust_file is empty: name the trust.toml of the ledger, which holds the key whose "
        "checkpoints are believed (custodyd init prints it)");
  }
  if (config.ledger.checkpoint_file.empty()) {
    return absl::InvalidArgumentError(
        "ledger.checkpoint_file is empty: without it a log that went back while the gateway was "
        "down would be believed");
  }
  CUSTODY_RETURN_IF_ERROR(CheckListen(config.listen));
  CUSTODY_RETURN_IF_ERROR(CheckEntries(config));
  return CheckRanges(config);
}

absl::StatusOr<ClientOptions> LedgerOptionsOf(const GatewayConfig& config) {
  const GatewayLedgerSection& ledger = config.ledger;
  ClientOptions options;
  options.endpoint = ledger.endpoint;
  options.insecure_loopback_only = ledger.insecure_loopback;
  options.server_name_override = ledger.server_name;
  options.checkpoint_file = ledger.checkpoint_file;
  options.deadline = std::chrono::milliseconds(ledger.answer_ms_max);
  options.retry.attempt_deadline = options.deadline;
  // A request of a stranger is worth one try; the next refresh comes by itself.
  // Between two tries the client asks the channel to connect again; one alone would only hear of
  // the connection that was lost.
  options.retry.attempts_max = 3;
  options.retry.backoff_max = std::chrono::milliseconds(1'000);
  if (!ledger.insecure_loopback) {
    CUSTODY_ASSIGN_OR_RETURN(options.ca_certificate_pem, ReadSmallFile("ledger.ca_certificate_file",
                                                                       ledger.ca_certificate_file));
    CUSTODY_ASSIGN_OR_RETURN(options.certificate_pem,
                             ReadSmallFile("ledger.certificate_file", ledger.certificate_file));
    CUSTODY_ASSIGN_OR_RETURN(options.private_key_pem,
                             ReadSmallFile("ledger.private_key_file", ledger.private_key_file));
  }
  CUSTODY_ASSIGN_OR_RETURN(const Trust trust, ReadTrustFile(ledger.trust_file));
  options.ledger = trust.ledger;
  for (const NoteVerifier& key : trust.log_keys) options.log_keys.push_back(FormatVkey(key));
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  return options;
}

absl::StatusOr<HttpServerOptions> ServerOptionsOf(const GatewayConfig& config) {
  const GatewayLimitsSection& limits = config.limits;
  HttpServerOptions options;
  options.address = config.listen.address;
  if (!config.listen.certificate_file.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(
        options.certificate_pem,
        ReadSmallFile("listen.certificate_file", config.listen.certificate_file));
    CUSTODY_ASSIGN_OR_RETURN(
        options.private_key_pem,
        ReadSmallFile("listen.private_key_file", config.listen.private_key_file));
  }
  options.connections_max = limits.connections_max;
  options.connections_per_address_max = limits.connections_per_address_max;
  options.header_bytes_max = limits.header_bytes_max;
  options.header_count_max = limits.header_count_max;
  options.target_bytes_max = kTargetBytesMax;
  options.header_ms_max = limits.header_ms_max;
  options.idle_ms_max = limits.idle_ms_max;
  options.answer_ms_max = limits.answer_ms_max;
  options.waiting_max = limits.waiting_max;
  options.answer_threads = limits.answer_threads;
  return options;
}

absl::StatusOr<GatewayRules> RulesOf(const GatewayConfig& config) {
  GatewayRules rules;
  rules.checkpoint_max_age_s = config.cache.checkpoint_s_max;
  rules.retry_after_s = std::max<std::uint32_t>(1, config.ledger.refresh_ms / 1'000);
  if (config.entries.access == "public") rules.entries = EntryAccess::kPublic;
  if (config.entries.access != "token") return rules;
  CUSTODY_ASSIGN_OR_RETURN(std::string token,
                           ReadSmallFile("entries.token_file", config.entries.token_file));
  if (token.ends_with('\n')) token.pop_back();
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax || !printable) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "entries.token_file %s wants one line of %u to %u printable characters; make one with: "
        "openssl rand -hex 32",
        config.entries.token_file, kTokenBytesMin, kTokenBytesMax));
  }
  rules.entries = EntryAccess::kToken;
  rules.token_sha256 = Sha256(token);
  return rules;
}

}  // namespace custody
