#include "lifecycle/refusal.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"

namespace custody {
namespace {

constexpr std::string_view kPrefix = "REASON_CODE_";

std::string MessageOf(const v1::Refusal& refusal) {
  if (refusal.reasons().empty()) return "refused";
  const v1::RefusalReason& first = refusal.reasons(0);
  std::string message = absl::StrFormat("%s: %s", ReasonName(first.code()), first.message());
  const int more = refusal.reasons_size() - 1;
  if (more > 0) message += absl::StrFormat(" (and %d more)", more);
  return message;
}

}  // namespace

absl::Status RefusalStatus(absl::StatusCode code, v1::ReasonCode reason, std::string_view message,
                           std::string_view remedy) {
  v1::Refusal refusal;
  v1::RefusalReason* added = refusal.add_reasons();
  added->set_code(reason);
  added->set_message(std::string(message));
  added->set_remedy(std::string(remedy.empty() ? DefaultRemedy(reason) : remedy));
  return RefusalStatus(code, refusal);
}

absl::Status RefusalStatus(absl::StatusCode code, const v1::Refusal& refusal) {
  absl::Status status(code, AbslView(MessageOf(refusal)));
  status.SetPayload(kRefusalTypeUrl, absl::Cord(refusal.SerializeAsString()));
  return status;
}

std::optional<v1::Refusal> RefusalOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRefusalTypeUrl);
  if (!payload.has_value()) return std::nullopt;
  v1::Refusal refusal;
  if (!refusal.ParseFromString(std::string(*payload))) return std::nullopt;
  return refusal;
}

std::string_view ReasonName(v1::ReasonCode code) {
  const std::string_view name = v1::ReasonCode_Name(code);
  return name.substr(0, kPrefix.size()) == kPrefix ? name.substr(kPrefix.size())
                                                   : std::string_view("UNSPECIFIED");
}

v1::ReasonCode ReasonFromName(std::string_view name) {
  v1::ReasonCode code = v1::REASON_CODE_UNSPECIFIED;
  const std::string full = std::string(kPrefix) + std::string(name);
  return v1::ReasonCode_Parse(full, &code) ? code : v1::REASON_CODE_UNSPECIFIED;
}

}  // namespace custody
