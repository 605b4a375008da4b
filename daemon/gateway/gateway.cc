#include "daemon/gateway/gateway.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBearer = "Bearer ";
constexpr char kImmutable[] = "public, max-age=31536000, immutable";
// For one client only: what came with a token must not stay in a cache that others share.
constexpr char kPrivate[] = "private, max-age=31536000, immutable";
constexpr char kJson[] = "application/json";
constexpr char kBytes[] = "application/octet-stream";

// Without an early end: how long it takes says nothing about where two digests differ. (They are
// digests of tokens, so it would say little anyway.)
bool SameDigest(const Digest& a, const Digest& b) {
  unsigned char difference = 0;
  for (std::size_t i = 0; i < Digest::kSizeBytes; ++i) {
    difference |= static_cast<unsigned char>(a.view()[i] ^ b.view()[i]);
  }
  return difference == 0;
}

Json HashList(std::span<const Digest> hashes) {
  Json list = Json::array();
  for (const Digest& hash : hashes) list.push_back(ToBase64(hash.view()));
  return list;
}

HttpResponse JsonAnswer(const Json& json) {
  HttpResponse answer;
  answer.content_type = kJson;
  answer.cache_control = "public, max-age=3600";
  answer.body = json.dump() + "\n";
  return answer;
}

absl::StatusOr<HttpResponse> InclusionAnswer(const Target& target, const TileNodeReader& nodes) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> proof,
                           InclusionProof(target.first, target.second, nodes));
  CUSTODY_ASSIGN_OR_RETURN(const Digest leaf, nodes.Node(0, target.first));
  CUSTODY_ASSIGN_OR_RETURN(const Digest root, TreeRoot(target.second, nodes));
  CUSTODY_RETURN_IF_ERROR(VerifyInclusion(target.first, target.second, leaf, proof, root));
  return JsonAnswer({{"index", target.first},
                     {"size", target.second},
                     {"leaf_hash", ToBase64(leaf.view())},
                     {"root", ToBase64(root.view())},
                     {"hashes", HashList(proof)}});
}

absl::StatusOr<HttpResponse> ConsistencyAnswer(const Target& target, const TileNodeReader& nodes) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> proof,
                           ConsistencyProof(target.first, target.second, nodes));
  CUSTODY_ASSIGN_OR_RETURN(const Digest first, TreeRoot(target.first, nodes));
  CUSTODY_ASSIGN_OR_RETURN(const Digest second, TreeRoot(target.second, nodes));
  CUSTODY_RETURN_IF_ERROR(VerifyConsistency(target.first, target.second, proof, first, second));
  return JsonAnswer({{"from", target.first},
                     {"to", target.second},
                     {"from_root", ToBase64(first.view())},
                     {"to_root", ToBase64(second.view())},
                     {"hashes", HashList(proof)}});
}

HttpResponse BytesAnswer(std::string bytes, bool for_all) {
  HttpResponse answer;
  answer.content_type = kBytes;
  answer.cache_control = for_all ? kImmutable : kPrivate;
  answer.body = std::move(bytes);
  return answer;
}

// The client's part (4xx) or ours and the daemon's (5xx).
int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return 404;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return 503;
    default:
      return 502;
  }
}

// What a stranger may know of a failure behind the gateway.
std::string PublicMessage(const absl::Status& status, int http_status) {
  if (http_status == 503) return "the ledger cannot be asked at the moment; try again";
  if (http_status == 502 && absl::IsDataLoss(status)) {
    return "the ledger sent something that is not part of the log; it is not handed on";
  }
  if (http_status == 502) return "the ledger refuses the gateway; its operator must look";
  return std::string(StdView(status.message()));
}

}  // namespace

HttpResponse Gateway::ErrorAnswer(const absl::Status& status, bool json) const {
  HttpResponse answer;
  answer.status = HttpStatusOf(status);
  const std::string message = PublicMessage(status, answer.status);
  if (json) {
    answer.content_type = kJson;
    answer.body = Json{{"status", answer.status}, {"reason", message}}.dump() + "\n";
  } else {
    answer.body = message + "\n";
  }
  if (answer.status == 503) {
    answer.headers.emplace_back("Retry-After", std::to_string(rules_.retry_after_s));
  }
  return answer;
}

HttpResponse Gateway::CheckpointAnswer(const BelievedCheckpoint& believed) const {
  HttpResponse answer;
  answer.cache_control = absl::StrFormat("public, max-age=%u", rules_.checkpoint_max_age_s);
  answer.body = believed.note;
  return answer;
}

HttpResponse Gateway::HealthAnswer() const {
  const BelievedLog::State state = log_.state();
  const auto believed = log_.current();
  HttpResponse answer;
  answer.status = state.health == LogHealth::kGood ? 200 : 503;
  answer.body = absl::StrFormat("%s size=%u%s%s\n", HealthName(state.health),
                                believed == nullptr ? 0 : believed->checkpoint.size,
                                state.reason.empty() ? "" : " ", state.reason);
  return answer;
}

std::optional<HttpResponse> Gateway::EntriesRefusal(const HttpRequest& request) const {
  if (rules_.entries == EntryAccess::kPublic) return std::nullopt;
  HttpResponse refusal;
  if (rules_.entries == EntryAccess::kOff) {
    refusal.status = 403;
    refusal.body =
        "entries are not served here, only hashes; whoever may read them is enrolled at the "
        "ledger\n";
    return refusal;
  }
  std::string_view token = request.authorization;
  const bool bearer = token.starts_with(kBearer);
  if (bearer) token.remove_prefix(kBearer.size());
  const bool same = SameDigest(Sha256(AsBytes(token)), rules_.token_sha256);
  if (bearer && same) return std::nullopt;
  refusal.status = 401;
  refusal.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"entries\"");
  refusal.body = bearer ? "this token does not open entries\n"
                        : "entries want the header Authorization: Bearer TOKEN\n";
  return refusal;
}

absl::StatusOr<HttpResponse> Gateway::LogAnswer(const Target& target, const HttpRequest& request,
                                                bool may_ask) const {
  if (target.route == Route::kEntries) {
    if (std::optional<HttpResponse> refusal = EntriesRefusal(request)) return *std::move(refusal);
  }
  const auto believed = log_.current();
  if (believed == nullptr) return absl::UnavailableError("no checkpoint yet");
  if (target.route == Route::kCheckpoint) return CheckpointAnswer(*believed);
  if (believed->edge == nullptr) return absl::UnavailableError("no tiles yet");
  TileFetcher fetch;
  if (may_ask) {
    fetch = [this](const std::vector<std::string>& paths, std::uint64_t size) {
      return log_.FetchTiles(paths, size);
    };
  }
  const VerifiedTiles tiles(believed->edge, cache_, std::move(fetch));
  if (target.route == Route::kTile) {
    CUSTODY_ASSIGN_OR_RETURN(std::string bytes, tiles.ReadTile(target.tile));
    return BytesAnswer(std::move(bytes), /*for_all=*/true);
  }
  if (target.route == Route::kEntries) {
    CUSTODY_ASSIGN_OR_RETURN(std::string bytes, tiles.ReadBundle(target.tile));
    return BytesAnswer(std::move(bytes), rules_.entries == EntryAccess::kPublic);
  }
  if (target.second > believed->checkpoint.size) {
    return absl::NotFoundError(absl::StrFormat("size %u is beyond the log, which has %u entries",
                                               target.second, believed->checkpoint.size));
  }
  const TileNodeReader nodes(tiles, believed->edge);
  return target.route == Route::kInclusion ? InclusionAnswer(target, nodes)
                                           : ConsistencyAnswer(target, nodes);
}

std::optional<HttpResponse> Gateway::Serve(const HttpRequest& request, bool may_ask) {
  const bool json = request.target.starts_with("/v1/");
  const absl::StatusOr<Target> target = ParseTarget(request.target);
  if (!target.ok()) {
    HttpResponse answer = ErrorAnswer(target.status(), json);
    if (absl::IsOutOfRange(target.status())) answer.status = 414;
    Count("none", answer.status);
    return answer;
  }
  HttpResponse answer;
  if (target->route == Route::kHealth) {
    answer = HealthAnswer();
  } else if (target->route == Route::kMetrics) {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics_();
  } else {
    absl::StatusOr<HttpResponse> read = LogAnswer(*target, request, may_ask);
    if (absl::IsAborted(read.status()) && !may_ask) return std::nullopt;
    answer = read.ok() ? *std::move(read) : ErrorAnswer(read.status(), json);
  }
  Count(RouteName(target->route), answer.status);
  return answer;
}

std::optional<HttpResponse> Gateway::AnswerAtOnce(const HttpRequest& request) {
  return Serve(request, /*may_ask=*/false);
}

HttpResponse Gateway::Answer(const HttpRequest& request) {
  return *Serve(request, /*may_ask=*/true);
}

void Gateway::Count(std::string_view route, int status) {
  const MutexLock lock(mutex_);
  ++counts_[{std::string(route), status}];
}

std::map<std::pair<std::string, int>, std::uint64_t> Gateway::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

}  // namespace custody
