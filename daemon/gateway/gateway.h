// The routes of the gateway: from a target to an answer.
//
// Threads: safe from any thread.
// Owns:    nothing; log and cache must outlive it.

#ifndef CUSTODY_DAEMON_GATEWAY_GATEWAY_H_
#define CUSTODY_DAEMON_GATEWAY_GATEWAY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "daemon/gateway/believed_log.h"
#include "daemon/gateway/http_server.h"
#include "daemon/gateway/target.h"
#include "daemon/gateway/tile_cache.h"
#include "daemon/gateway/verified_tiles.h"

namespace custody {

// Who may read bundles of entries.
enum class EntryAccess { kOff, kToken, kPublic };

struct GatewayRules {
  EntryAccess entries = EntryAccess::kOff;
  // SHA-256 of the bearer token for kToken.
  Digest token_sha256;
  std::uint32_t checkpoint_max_age_s = 2;
  std::uint32_t retry_after_s = 2;
};

class Gateway final : public HttpHandler {
 public:
  // `metrics` makes the page of /metrics.
  Gateway(GatewayRules rules, const BelievedLog& log, TileCache& cache,
          std::function<std::string()> metrics)
      : rules_(rules), log_(log), cache_(cache), metrics_(std::move(metrics)) {}

  std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) override;
  HttpResponse Answer(const HttpRequest& request) override;

  // Answers by route ("none" for a target that is none) and HTTP status.
  std::map<std::pair<std::string, int>, std::uint64_t> counts() const;

 private:
  HttpResponse CheckpointAnswer(const BelievedCheckpoint& believed) const;
  HttpResponse HealthAnswer() const;
  // Errors: kAborted if the daemon must be asked and may not; those of reading.
  absl::StatusOr<HttpResponse> LogAnswer(const Target& target, const HttpRequest& request,
                                         bool may_ask) const;
  // nullopt if this request may read entries.
  std::optional<HttpResponse> EntriesRefusal(const HttpRequest& request) const;
  std::optional<HttpResponse> Serve(const HttpRequest& request, bool may_ask);
  HttpResponse ErrorAnswer(const absl::Status& status, bool json) const;
  void Count(std::string_view route, int status);

  const GatewayRules rules_;
  const BelievedLog& log_;
  TileCache& cache_;
  const std::function<std::string()> metrics_;
  mutable Mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_GATEWAY_H_
