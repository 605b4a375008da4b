#include "daemon/call_log.h"

#include <optional>
#include <string>

#include "base/bytes.h"
#include "daemon/logging.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

std::string ReasonsOf(const absl::Status& status) {
  std::string names;
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (!refusal.has_value()) return names;
  for (const v1::RefusalReason& reason : refusal->reasons()) {
    if (!names.empty()) names += ' ';
    names += std::string(ReasonName(reason.code()));
  }
  return names;
}

LogLevel LevelOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return LogLevel::kDebug;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return LogLevel::kError;
    default:
      return LogLevel::kInfo;
  }
}

}  // namespace

void CallLog::OnAnswer(std::string_view method, const Principal* principal,
                       const absl::Status& status) {
  counters_.Count(method, status.code());
  const LogLevel level = LevelOf(status);
  if (!LogEnabled(level)) return;
  LogFields fields = {{"method", std::string(method)},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"client", principal == nullptr ? "" : principal->label}};
  if (principal != nullptr && !principal->id.empty()) {
    fields.emplace_back("principal", ToHex(principal->id));
  }
  if (!status.ok()) {
    fields.emplace_back("reasons", ReasonsOf(status));
    fields.emplace_back("cause", std::string(StdView(status.message())));
  }
  Log(level, status.ok() ? "answered" : "refused", fields);
}

}  // namespace custody
