#include "daemon/ledger/ledger_refusals.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::uint64_t kOverloadRetryMs = 200;
constexpr std::uint64_t kDiskRetryMs = 30'000;

absl::Status WithRetry(absl::StatusCode code, v1::ReasonCode reason, const std::string& message,
                       const std::string& remedy, std::uint64_t retry_after_ms) {
  v1::Refusal refusal;
  v1::RefusalReason* first = refusal.add_reasons();
  first->set_code(reason);
  first->set_message(message);
  first->set_remedy(remedy);
  refusal.set_retry_after_ms(retry_after_ms);
  return RefusalStatus(code, refusal);
}

}  // namespace

absl::Status OverloadedRefusal(std::size_t waiting) {
  return WithRetry(absl::StatusCode::kResourceExhausted, v1::REASON_CODE_E_OVERLOADED,
                   absl::StrFormat("%d events are waiting already", waiting),
                   "send the same event again a little later", kOverloadRetryMs);
}

absl::Status StoppingRefusal() {
  return RefusalStatus(absl::StatusCode::kUnavailable, v1::REASON_CODE_E_STOPPING,
                       "the ledger is stopping", "send the same event again when it is back");
}

absl::Status DiskFullRefusal() {
  return WithRetry(absl::StatusCode::kResourceExhausted, v1::REASON_CODE_E_DISK_FULL,
                   "the disk of the ledger is nearly full",
                   "free space on the ledger's disk; recording goes on by itself", kDiskRetryMs);
}

absl::Status StoreRefusal() {
  return RefusalStatus(absl::StatusCode::kUnavailable, v1::REASON_CODE_E_STORE,
                       "the ledger cannot write; whether the event is recorded is not known",
                       "send the same event again when the ledger was restarted");
}

absl::Status RollbackRefusal(std::string_view why) {
  return RefusalStatus(absl::StatusCode::kUnavailable, v1::REASON_CODE_E_ROLLBACK,
                       absl::StrFormat("the ledger does not write: %s", why),
                       "the operator has to put the newest copy of the ledger's data, or its "
                       "anchor file, back in place and start it again");
}

absl::Status DamagedRefusal(absl::StatusCode code, const SubjectKey* subject,
                            const Damage& damage) {
  v1::Refusal refusal;
  v1::RefusalReason& reason = *refusal.add_reasons();
  reason.set_code(v1::REASON_CODE_E_DAMAGED);
  reason.set_message(
      subject == nullptr
          ? absl::StrFormat("%s is damaged in the ledger's store: %s", damage.where, damage.what)
          : absl::StrFormat("%s, which %s rests on, is damaged in the ledger's store: "
                            "%s",
                            damage.where, Describe(*subject), damage.what));
  reason.set_remedy(code == absl::StatusCode::kFailedPrecondition
                        ? "keep the event; the operator repairs the ledger (custodyd repair), then "
                          "send the same event again"
                        : kDamagedRemedy);
  if (damage.entry.has_value()) reason.add_evidence(*damage.entry);
  if (subject != nullptr) *reason.mutable_subject() = RefOf(*subject);
  return RefusalStatus(code, refusal);
}

std::string AnchorText(const absl::Status& failure, std::int64_t since_ms) {
  return absl::StrFormat(
      "the anchor cannot be written since %s: %s; it is tried again every second",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(since_ms), absl::UTCTimeZone()),
      StdView(failure.message()));
}

std::string TextForOperator(const absl::Status& refusal, const absl::Status& cause) {
  const std::optional<v1::Refusal> details = RefusalOf(refusal);
  if (!details.has_value() || details->reasons().empty()) return std::string(refusal.message());
  const v1::RefusalReason& reason = details->reasons(0);
  if (cause.ok()) {
    return absl::StrFormat("%s: %s; %s", ReasonName(reason.code()), reason.message(),
                           reason.remedy());
  }
  return absl::StrFormat("%s: %s; restart the daemon, which reads the store again first",
                         ReasonName(reason.code()), StdView(cause.message()));
}

absl::Status UnknownKeyRefusal(std::string_view signer) {
  return RefusalStatus(absl::StatusCode::kUnauthenticated, v1::REASON_CODE_E_UNKNOWN_KEY,
                       absl::StrFormat("no such key of %s is enrolled", signer),
                       "enrol the key (GOV-01a, GOV-01c) before signing with it");
}

absl::Status BadSignatureRefusal(std::string_view signer) {
  return RefusalStatus(absl::StatusCode::kUnauthenticated, v1::REASON_CODE_E_BAD_SIGNATURE,
                       absl::StrFormat("the signature of %s does not match", signer),
                       "sign the event again and send it unchanged");
}

absl::Status DuplicateConflictRefusal(std::string_view event_id, const Digest& known) {
  return RefusalStatus(absl::StatusCode::kAlreadyExists, v1::REASON_CODE_E_DUP_CONFLICT,
                       absl::StrFormat("event id %s belongs to another event, digest %s",
                                       ToHex(event_id), known.ToHex()),
                       "use a new event id for a new event; look the other one up by its digest");
}

absl::Status AlreadySignedRefusal() {
  return RefusalStatus(absl::StatusCode::kFailedPrecondition, v1::REASON_CODE_E_ALREADY_SIGNED,
                       "the record holds a signature of this key already", "nothing needs doing");
}

absl::Status TooLargeRefusal(std::size_t bytes) {
  return RefusalStatus(
      absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_TOO_LARGE,
      absl::StrFormat("the entry has %d bytes, at most %d are possible", bytes, kEntryBytesMax),
      "split the act into parts of one group");
}

absl::Status LapsedRefusal() {
  return RefusalStatus(absl::StatusCode::kNotFound, v1::REASON_CODE_E_MISSING,
                       "no pending or recorded event has this digest",
                       "propose the decision again; a pending one lapses at its deadline");
}

}  // namespace custody
