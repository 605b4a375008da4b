#include "daemon/services/status_translation.h"

#include <string>

#include "base/bytes.h"
#include "custody/v1/rpc_status.pb.h"
#include "daemon/ledger/ledger_refusals.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// Trailers go through HPACK as one header block, and a message can quote long values.
constexpr std::size_t kMessageBytesMax = 1'024;

std::string ShortMessage(const absl::Status& status) {
  std::string message(StdView(status.message()));
  if (message.size() <= kMessageBytesMax) return message;
  std::size_t end = kMessageBytesMax;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
  message.resize(end);
  return message;
}

// A refusal with so many reasons that it does not fit is cut, never left out.
std::string FittingRefusal(v1::Refusal refusal) {
  std::string bytes = refusal.SerializeAsString();
  while (bytes.size() > kErrorDetailsBytesMax - kMessageBytesMax && refusal.reasons_size() > 1) {
    refusal.mutable_reasons()->RemoveLast();
    bytes = refusal.SerializeAsString();
  }
  return bytes;
}

struct PlainReason {
  absl::StatusCode code;
  v1::ReasonCode reason;
  std::string_view remedy;
};

// For questions that fail before any rule speaks: what was asked for is malformed, absent or too
// much.
constexpr PlainReason kPlainReasons[] = {
    {absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD,
     "correct the request as the message says"},
    {absl::StatusCode::kNotFound, v1::REASON_CODE_E_UNKNOWN_SUBJECT,
     "check the identifier; what was not recorded here cannot be found"},
    {absl::StatusCode::kDataLoss, v1::REASON_CODE_E_DAMAGED, kDamagedRemedy},
    {absl::StatusCode::kOutOfRange, v1::REASON_CODE_E_MISSING,
     "ask for an entry below the size of the log, or wait until it has grown"},
};

// The refusal that a status carries, or one that says the same with a reason and a remedy.
std::optional<v1::Refusal> RefusalToSend(const absl::Status& status) {
  std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (refusal.has_value()) return refusal;
  for (const PlainReason& plain : kPlainReasons) {
    if (plain.code != status.code()) continue;
    refusal.emplace();
    v1::RefusalReason& reason = *refusal->add_reasons();
    reason.set_code(plain.reason);
    reason.set_message(ShortMessage(status));
    reason.set_remedy(std::string(plain.remedy));
  }
  return refusal;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // The numbers of absl::StatusCode are those of google.rpc.Code.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::optional<v1::Refusal> refusal = RefusalToSend(status);
  if (!refusal.has_value()) return {code, ShortMessage(status)};
  v1::RpcStatus details;
  details.set_code(static_cast<std::int32_t>(status.code()));
  details.set_message(ShortMessage(status));
  google::protobuf::Any& any = *details.add_details();
  any.set_type_url(kRefusalTypeUrl);
  any.set_value(FittingRefusal(*refusal));
  return {code, ShortMessage(status), details.SerializeAsString()};
}

namespace {

template <typename Answer>
void FillError(const absl::Status& status, Answer* answer) {
  answer->set_status_code(static_cast<std::int32_t>(status.code()));
  answer->set_status_message(ShortMessage(status));
  if (const std::optional<v1::Refusal> refusal = RefusalToSend(status); refusal.has_value()) {
    answer->set_refusal(refusal->SerializeAsString());
  }
}

}  // namespace

void FillStreamError(const absl::Status& status, v1::RecordStreamResponse* response) {
  FillError(status, response);
}

void FillStreamError(const absl::Status& status, v1::RecordOutcome* outcome) {
  FillError(status, outcome);
}

}  // namespace custody
