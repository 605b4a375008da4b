#include "lifecycle/labels/label_error.h"

#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"

namespace custody {

absl::Status LabelError(std::string_view code, std::string_view sentence) {
  absl::Status status = absl::InvalidArgumentError(absl::StrFormat("%s: %s", code, sentence));
  status.SetPayload(kReasonPayloadUrl, absl::Cord(AbslView(code)));
  return status;
}

std::string_view ReasonCodeOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayloadUrl);
  if (!payload.has_value()) return {};
  // The message begins with the code; a view of it lives as long as the status.
  return StdView(status.message()).substr(0, payload->size());
}

std::string_view SentenceOf(const absl::Status& status) {
  const std::string_view code = ReasonCodeOf(status);
  std::string_view message(status.message().data(), status.message().size());
  if (!code.empty() && message.substr(0, code.size()) == code &&
      message.substr(code.size(), 2) == ": ") {
    message.remove_prefix(code.size() + 2);
  }
  return message;
}

}  // namespace custody
