// The metrics of the gateway in the text form of Prometheus. No label comes from a stranger: routes
// are those of RouteName(), and "none".
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_GATEWAY_GATEWAY_METRICS_H_
#define CUSTODY_DAEMON_GATEWAY_GATEWAY_METRICS_H_

#include <string>
#include <string_view>

#include "daemon/gateway/believed_log.h"
#include "daemon/gateway/gateway.h"
#include "daemon/gateway/http_server.h"
#include "daemon/gateway/tile_cache.h"

namespace custody {

std::string GatewayMetricsText(const Gateway& gateway, const BelievedLog& log,
                               const TileCache& cache, const HttpCounters& http,
                               std::string_view version, std::string_view commit);

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_GATEWAY_METRICS_H_
