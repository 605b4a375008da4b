#include "client/cli/gateway_log.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "daemon/http/client.h"

namespace custody {
namespace {

constexpr std::size_t kCheckpointBytesMax = 64U << 10;
constexpr std::size_t kBundleBytesMax = std::size_t{kTileWidth} * (2 + 0xFFFF);
constexpr std::int64_t kAnswerMsMax = 60'000;
// Of a gateway that was never there nobody waits for long.
constexpr int kTriesFirst = 3;
constexpr int kTriesLater = 8;
constexpr std::chrono::milliseconds kPauseFirst(250);

bool IsWorthAsking(const absl::StatusOr<HttpResponse>& answer) {
  if (!answer.ok()) {
    return absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
  }
  return answer->status == 429 || answer->status == 502 || answer->status == 503;
}

// The reason that stands in an answer, in one line.
std::string ReasonOf(const HttpResponse& answer) {
  return answer.body.substr(0, std::min<std::size_t>(answer.body.find('\n'), 200));
}

absl::StatusOr<std::string> BodyOf(const std::string& what, HttpResponse answer) {
  if (answer.status == 200) return std::move(answer.body);
  const std::string text =
      absl::StrFormat("%s: the gateway answers %d: %s", what, answer.status, ReasonOf(answer));
  if (answer.status == 401 || answer.status == 403) {
    return absl::PermissionDeniedError(
        text + "; its operator has the token that opens them: name its file with --token-file");
  }
  return absl::UnavailableError(text);
}

absl::Status UseBundle(std::string_view bundle, std::uint64_t first, std::uint64_t end,
                       std::uint64_t begin, const GatewayLog::Visitor& visit) {
  for (std::uint64_t index = first; index < end; ++index) {
    if (bundle.size() < 2 || bundle.size() - 2 < ReadBigEndian16(bundle)) {
      return absl::DataLossError(
          absl::StrFormat("entry %d: the bundle that the gateway serves ends before it", index));
    }
    const std::string_view entry = bundle.substr(2, ReadBigEndian16(bundle));
    bundle.remove_prefix(2 + entry.size());
    if (index >= begin) CUSTODY_RETURN_IF_ERROR(visit(index, entry));
  }
  if (bundle.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("entry %d: the bundle that the gateway serves goes on behind it", end - 1));
}

}  // namespace

absl::StatusOr<std::string> GatewayLog::Get(const std::string& path, std::size_t bytes_max,
                                            int tries_max) const {
  const HttpCallOptions call{.timeout_ms = kAnswerMsMax,
                             .body_bytes_max = bytes_max,
                             .bearer_token = options_.token,
                             .authorities_pem = options_.authorities_pem};
  auto pause = kPauseFirst;
  for (int tries = 1;; ++tries) {
    absl::StatusOr<HttpResponse> answer = CallHttp(url_, {"GET", "/" + path, ""}, call);
    if (tries == tries_max || !IsWorthAsking(answer)) {
      CUSTODY_RETURN_IF_ERROR(answer.status());
      return BodyOf(options_.url + "/" + path, *std::move(answer));
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

absl::StatusOr<GatewayLog> GatewayLog::Open(GatewayOptions options) {
  CUSTODY_ASSIGN_OR_RETURN(HttpUrl url, ParseWebUrl(options.url));
  GatewayLog log(std::move(options), std::move(url));
  CUSTODY_ASSIGN_OR_RETURN(log.note_, log.Get("checkpoint", kCheckpointBytesMax, kTriesFirst));
  CUSTODY_ASSIGN_OR_RETURN(const Note note, ParseNote(log.note_));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpointText(note.text));
  log.size_ = checkpoint.size;
  return log;
}

absl::StatusOr<std::string> GatewayLog::GetBundle(std::uint64_t number) const {
  const std::uint64_t first = number * kTileWidth;
  const auto width = static_cast<std::uint32_t>(std::min<std::uint64_t>(kTileWidth, size_ - first));
  return Get(EntryBundlePath({.level = 0, .index = number, .width = width}), kBundleBytesMax,
             kTriesLater);
}

absl::Status GatewayLog::Read(std::uint64_t begin, const Visitor& visit) const {
  std::uint64_t number = begin / kTileWidth;
  const auto fetch = [this](std::uint64_t which) {
    return std::async(std::launch::async, [this, which] { return GetBundle(which); });
  };
  if (begin >= size_) return absl::OkStatus();
  std::future<absl::StatusOr<std::string>> next = fetch(number);
  for (; number * kTileWidth < size_; ++number) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string bundle, next.get());
    const std::uint64_t first = number * kTileWidth;
    const std::uint64_t end = std::min(first + kTileWidth, size_);
    if (end < size_) next = fetch(number + 1);
    CUSTODY_RETURN_IF_ERROR(UseBundle(bundle, first, end, begin, visit));
  }
  return absl::OkStatus();
}

}  // namespace custody
