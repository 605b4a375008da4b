#include "custody/connection.h"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace custody {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Only what cannot leave the machine whatever a resolver says; "localhost" is looked up by the
// loopback rule of RFC 6761.
bool IsLoopback(std::string_view endpoint) {
  for (std::string_view scheme : {"dns:///", "ipv4:", "ipv6:"}) {
    if (StartsWith(endpoint, scheme)) {
      endpoint.remove_prefix(scheme.size());
      break;
    }
  }
  if (endpoint.find(',') != std::string_view::npos) {
    return false;
  }
  constexpr std::array<std::string_view, 4> kPrefixes = {
      "unix:", "127.0.0.1:", "[::1]:", "localhost:"};
  for (const std::string_view prefix : kPrefixes) {
    if (StartsWith(endpoint, prefix)) {
      return true;
    }
  }
  return false;
}

absl::Status CheckPositive(std::chrono::milliseconds value, std::string_view name) {
  if (value.count() <= 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is %d ms, want at least 1 ms", name, value.count()));
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const ClientOptions& options) {
  for (const auto& [value, name] :
       {std::pair{options.deadline, "deadline"},
        std::pair{options.keepalive_time, "keepalive_time"},
        std::pair{options.keepalive_timeout, "keepalive_timeout"},
        std::pair{options.retry.backoff_first, "retry.backoff_first"},
        std::pair{options.retry.backoff_max, "retry.backoff_max"},
        std::pair{options.retry.attempt_deadline, "retry.attempt_deadline"},
        std::pair{options.retry.stream_deadline, "retry.stream_deadline"}}) {
    if (absl::Status status = CheckPositive(value, name); !status.ok()) {
      return status;
    }
  }
  if (options.retry.backoff_max < options.retry.backoff_first) {
    return absl::InvalidArgumentError(
        absl::StrFormat("retry.backoff_max (%d ms) is below retry.backoff_first (%d ms)",
                        options.retry.backoff_max.count(), options.retry.backoff_first.count()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const ClientOptions& options) {
  if (options.endpoint.empty()) {
    return absl::InvalidArgumentError("endpoint is empty");
  }
  if (options.insecure_loopback_only && !IsLoopback(options.endpoint)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("insecure_loopback_only is set, but endpoint %s is not 127.0.0.1, [::1], "
                        "localhost or unix:",
                        options.endpoint));
  }
  if (!options.log_keys.empty() && options.ledger.empty()) {
    return absl::InvalidArgumentError("log_keys are given without the ledger that they belong to");
  }
  if (options.message_bytes_max < (1U << 20)) {
    return absl::InvalidArgumentError(absl::StrFormat("message_bytes_max is %u, want at least %u",
                                                      options.message_bytes_max, 1U << 20));
  }
  return CheckTimes(options);
}

}  // namespace custody
