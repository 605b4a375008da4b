// `custody-gateway serve`: from the settings to a running gateway, until a signal.
//
// Threads: the main thread.

#ifndef CUSTODY_DAEMON_GATEWAY_SERVE_GATEWAY_H_
#define CUSTODY_DAEMON_GATEWAY_SERVE_GATEWAY_H_

#include "absl/status/status.h"
#include "daemon/gateway/gateway_config.h"

namespace custody {

// Every check that asks nobody: values, files, keys.
// Errors: those of the parts, naming the key.
absl::Status CheckGatewayConfig(const GatewayConfig& config);

// Serves until SIGTERM or SIGINT. The daemon may be away at the start and come later.
// Errors: those of the parts; kDataLoss if the checkpoint file is not signed by a key of
// trust.toml.
absl::Status ServeGateway(const GatewayConfig& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_SERVE_GATEWAY_H_
