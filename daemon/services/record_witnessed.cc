#include "daemon/services/record_witnessed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/ledger/ledger_reader.h"

namespace custody {
namespace {

constexpr std::uint32_t kWaitMsDefault = 10'000;
constexpr std::uint32_t kWaitMsMax = 60'000;
constexpr char kNoWitnesses[] =
    "this ledger has no witnesses: the operator names them in witnessing.policy_file";

// The log at it: held since it was cosigned, or made again after a restart or a long time.
absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> SnapshotOf(const ServiceParts& parts,
                                                                 const Witnessed& witnessed) {
  if (witnessed.snapshot != nullptr) return witnessed.snapshot;
  return parts.ledger.SnapshotAt(witnessed.checkpoint.size);
}

absl::StatusOr<v1::Receipt> ReceiptUnder(const ServiceParts& parts, const Witnessed& witnessed,
                                         std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const auto snapshot, SnapshotOf(parts, witnessed));
  return LedgerReader(snapshot).GetReceiptHere(index);
}

void TakeReceipt(const ServiceParts& parts, const Witnessed& witnessed,
                 v1::RecordResponse* response) {
  absl::StatusOr<v1::Receipt> receipt = ReceiptUnder(parts, witnessed, response->receipt().index());
  if (!receipt.ok()) {
    response->set_not_witnessed_reason("the cosigned receipt could not be read");
    return;
  }
  receipt->set_checkpoint(witnessed.note);
  *response->mutable_receipt() = *std::move(receipt);
  response->set_witnessed(true);
}

}  // namespace

void AwaitWitnesses(const ServiceParts& parts, std::uint32_t wait_ms_max,
                    v1::RecordResponse* response, std::function<void()> finish) {
  if (parts.witnesses == nullptr) {
    response->set_not_witnessed_reason(kNoWitnesses);
    finish();
    return;
  }
  const std::uint32_t wait_ms =
      wait_ms_max == 0 ? kWaitMsDefault : std::min(wait_ms_max, kWaitMsMax);
  parts.witnesses->WaitFor(
      response->receipt().index() + 1, wait_ms,
      [&parts, wait_ms, response,
       finish = std::move(finish)](const std::shared_ptr<const Witnessed>& witnessed) {
        if (witnessed == nullptr) {
          response->set_not_witnessed_reason(absl::StrFormat(
              "durable, but not witnessed within %d ms: %s", wait_ms, parts.witnesses->Explain()));
          finish();
          return;
        }
        // Reading belongs to the pool and not to the thread that speaks to witnesses.
        const absl::Status posted = parts.pool.Post([&parts, witnessed, response, finish] {
          TakeReceipt(parts, *witnessed, response);
          finish();
        });
        if (posted.ok()) return;
        response->set_not_witnessed_reason("witnessed, but the ledger is too busy to prove it");
        finish();
      });
}

absl::StatusOr<std::shared_ptr<const Witnessed>> NewestWitnessed(const ServiceParts& parts) {
  if (parts.witnesses == nullptr) return absl::NotFoundError(kNoWitnesses);
  std::shared_ptr<const Witnessed> newest = parts.witnesses->Newest();
  if (newest != nullptr) return newest;
  return absl::NotFoundError(
      absl::StrFormat("no quorum of witnesses has cosigned yet: %s", parts.witnesses->Explain()));
}

absl::StatusOr<LogForBundle> ChooseLogForBundle(const ServiceParts& parts, bool witnessed) {
  if (!witnessed) {
    std::shared_ptr<const LedgerSnapshot> snapshot = parts.ledger.Snapshot();
    std::string note = snapshot->note;
    return LogForBundle{std::move(snapshot), std::move(note)};
  }
  const absl::StatusOr<std::shared_ptr<const Witnessed>> newest = NewestWitnessed(parts);
  if (!newest.ok()) {
    return absl::UnavailableError(std::string(StdView(newest.status().message())));
  }
  absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> snapshot = SnapshotOf(parts, **newest);
  if (absl::IsNotFound(snapshot.status())) {
    return absl::UnavailableError(absl::StrFormat(
        "no quorum of witnesses has cosigned lately (%s), and of the checkpoint of %d entries "
        "nothing can be proved any more: %s",
        parts.witnesses->Explain(), (*newest)->checkpoint.size,
        StdView(snapshot.status().message())));
  }
  CUSTODY_RETURN_IF_ERROR(snapshot.status());
  return LogForBundle{*std::move(snapshot), (*newest)->note};
}

}  // namespace custody
