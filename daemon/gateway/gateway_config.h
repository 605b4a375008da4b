// The settings of custody-gateway: flag (--set key=value), file, default, in this order.
//
// deploy/custody-gateway.toml holds every key with its meaning and default; a test compares the
// two.
//
// Threads: values and pure functions, apart from reading files.

#ifndef CUSTODY_DAEMON_GATEWAY_GATEWAY_CONFIG_H_
#define CUSTODY_DAEMON_GATEWAY_GATEWAY_CONFIG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/connection.h"
#include "daemon/config.h"
#include "daemon/gateway/gateway.h"
#include "daemon/gateway/http_server.h"

namespace custody {

struct GatewayLedgerSection {
  std::string endpoint = "127.0.0.1:7443";
  std::string ca_certificate_file;
  std::string certificate_file;
  std::string private_key_file;
  std::string server_name;
  bool insecure_loopback = false;
  std::string trust_file;
  std::string checkpoint_file = "/var/lib/custody-gateway/checkpoint";
  std::uint32_t refresh_ms = 1'000;
  std::uint32_t answer_ms_max = 5'000;
};

struct GatewayListenSection {
  std::string address = "127.0.0.1:7480";
  std::string address_file;
  std::string certificate_file;
  std::string private_key_file;
  bool plain = false;
};

struct GatewayEntriesSection {
  std::string access = "off";
  std::string token_file;
};

struct GatewayCacheSection {
  std::uint64_t bytes_max = 64U << 20;
  std::uint32_t checkpoint_s_max = 2;
};

struct GatewayLimitsSection {
  std::uint32_t connections_max = 512;
  std::uint32_t connections_per_address_max = 64;
  std::uint32_t header_bytes_max = 8U << 10;
  std::uint32_t header_count_max = 64;
  std::uint32_t header_ms_max = 10'000;
  std::uint32_t idle_ms_max = 30'000;
  std::uint32_t answer_ms_max = 30'000;
  std::uint32_t waiting_max = 256;
  std::uint32_t answer_threads = 4;
};

struct GatewayConfig {
  GatewayLedgerSection ledger;
  GatewayListenSection listen;
  GatewayEntriesSection entries;
  GatewayCacheSection cache;
  GatewayLimitsSection limits;
  LogSection log;
  StopSection stop;
};

// Every key, in the order of deploy/custody-gateway.toml.
std::vector<ConfigKey> KeysOf(GatewayConfig* config);

// Errors: kNotFound if the file cannot be read; kInvalidArgument with place and suggestion.
absl::StatusOr<GatewayConfig> LoadGatewayConfig(
    const std::string& path, const std::vector<std::pair<std::string, std::string>>& flags);

// What must hold whatever the files hold. Errors: kInvalidArgument naming the key and its value.
absl::Status ValidateGatewayConfig(const GatewayConfig& config);

// From the settings, with the contents of the files that they name.
// Errors: kNotFound and kInvalidArgument, naming the key.
absl::StatusOr<ClientOptions> LedgerOptionsOf(const GatewayConfig& config);
absl::StatusOr<HttpServerOptions> ServerOptionsOf(const GatewayConfig& config);
absl::StatusOr<GatewayRules> RulesOf(const GatewayConfig& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_GATEWAY_CONFIG_H_
