#include "client/status_translation.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "base/bytes.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/rpc_status.pb.h"
#include "lifecycle/refusal.h"

// The public header declares what lifecycle/ defines; both in one place keep them in agreement.
#include "custody/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kRefusalName = "custody.v1.Refusal";

bool IsRefusal(std::string_view type_url) {
  const std::size_t slash = type_url.rfind('/');
  return slash != std::string_view::npos && type_url.substr(slash + 1) == kRefusalName;
}

// Puts the refusal into the status if the bytes are one.
void AttachRefusal(std::string_view bytes, absl::Status* status) {
  v1::Refusal refusal;
  if (!bytes.empty() && refusal.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    status->SetPayload(kRefusalTypeUrl, absl::Cord(AbslView(bytes)));
  }
}

absl::StatusCode CodeOf(std::int32_t code) {
  constexpr std::int32_t kCodeMax = 16;
  return code > 0 && code <= kCodeMax ? static_cast<absl::StatusCode>(code)
                                      : absl::StatusCode::kUnknown;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  absl::Status result(CodeOf(static_cast<std::int32_t>(status.error_code())),
                      AbslView(status.error_message()));
  v1::RpcStatus details;
  const std::string bytes = status.error_details();
  if (!bytes.empty() && details.ParseFromString(bytes)) {
    for (const google::protobuf::Any& detail : details.details()) {
      if (IsRefusal(detail.type_url())) {
        AttachRefusal(detail.value(), &result);
        break;
      }
    }
  }
  return result;
}

absl::Status FromStreamAnswer(std::int32_t code, std::string_view message,
                              std::string_view refusal) {
  if (code == 0) {
    return absl::InternalError("the server answered an event with neither a receipt nor an error");
  }
  absl::Status result(CodeOf(code), AbslView(message));
  AttachRefusal(refusal, &result);
  return result;
}

bool MayTryAgain(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kResourceExhausted:
      // Without a time it is a limit that repeating does not lift, for example a message too large.
      return RetryAfter(status).count() > 0;
    default:
      return false;
  }
}

std::chrono::milliseconds RetryAfter(const absl::Status& status) {
  constexpr std::uint64_t kWaitMaxMs = 3'600'000;
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (!refusal.has_value()) {
    return std::chrono::milliseconds(0);
  }
  return std::chrono::milliseconds(std::min(refusal->retry_after_ms(), kWaitMaxMs));
}

}  // namespace custody
