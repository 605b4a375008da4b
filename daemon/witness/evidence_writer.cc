#include "daemon/witness/evidence_writer.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/files.h"
#include "daemon/logging.h"

namespace custody {
namespace {

// It may answer another time.
bool IsOutOfReach(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

}  // namespace

EvidenceWriter::EvidenceWriter(std::string folder, AuditFinding finding, AuditStepHook hook)
    : folder_(std::move(folder)), finding_(std::move(finding)), hook_(std::move(hook)) {}

absl::Status EvidenceWriter::WriteEntryAndText() const {
  CUSTODY_RETURN_IF_ERROR(KeepEntry(folder_, finding_.entry, finding_.entry_bytes));
  if (hook_) hook_(AuditStep::kEntryKept);
  CUSTODY_RETURN_IF_ERROR(KeepFinding(folder_, finding_));
  if (hook_) hook_(AuditStep::kEvidenceKept);
  return absl::OkStatus();
}

absl::Status EvidenceWriter::WriteFinding() {
  if (has_finding_) return absl::OkStatus();
  absl::Status kept = WriteEntryAndText();
  has_finding_ = kept.ok();
  return kept;
}

void EvidenceWriter::AskForReceipt(Client& client, const std::stop_token& stop) {
  v1::GetReceiptRequest request;
  request.set_index(finding_.entry);
  CallOptions call;
  call.stop = stop;
  const absl::StatusOr<v1::Receipt> receipt = client.GetReceipt(request, call);
  ++requests_;
  if (receipt.ok()) {
    receipt_ = receipt->SerializeAsString();
    return;
  }
  if (stop.stop_requested()) return;
  receipt_ended_ = !IsOutOfReach(receipt.status()) || requests_ >= kReceiptRequestsMax;
  if (!receipt_ended_) return;
  Log(LogLevel::kWarning, "there is no receipt of the false entry",
      {{"entry", absl::StrFormat("%d", finding_.entry)},
       {"cause", std::string(StdView(receipt.status().message()))}});
}

void EvidenceWriter::WriteReceipt(Client& client, const std::stop_token& stop) {
  if (receipt_ended_) return;
  if (!receipt_.has_value()) AskForReceipt(client, stop);
  if (!receipt_.has_value()) return;
  receipt_ended_ =
      ReplaceSmallFile(EvidenceBase(folder_, finding_.entry) + ".receipt", *receipt_).ok();
}

}  // namespace custody
