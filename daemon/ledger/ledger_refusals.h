// Refusals of the write path itself: what the ledger, not a rule, turns away.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_REFUSALS_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_REFUSALS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "crypto/digest.h"
#include "daemon/ledger/damage.h"
#include "lifecycle/subject.h"

namespace custody {

absl::Status OverloadedRefusal(std::size_t waiting);
absl::Status StoppingRefusal();
absl::Status DiskFullRefusal();
// The store failed, now or before; the cause is for the log and the metric, not for the caller.
absl::Status StoreRefusal();
absl::Status RollbackRefusal(std::string_view why);
// Something that the answer rests on is damaged. `code`: kDataLoss for a question,
// kFailedPrecondition for an event: it is known not to be recorded, and may be sent again after the
// repair. `subject` may be null.
absl::Status DamagedRefusal(absl::StatusCode code, const SubjectKey* subject, const Damage& damage);
// What a person does about it.
inline constexpr char kDamagedRemedy[] =
    "hold what it is about; the operator repairs the ledger (custodyd repair), then ask again";
// The state of an anchor that fails, as a line for logs and health.
std::string AnchorText(const absl::Status& failure, std::int64_t since_ms);
// A refusal as a line for logs and health: code, what happened, what to do. `cause` is what the
// store failed with; OK if it did not.
std::string TextForOperator(const absl::Status& refusal, const absl::Status& cause);
absl::Status UnknownKeyRefusal(std::string_view signer);
absl::Status BadSignatureRefusal(std::string_view signer);
absl::Status DuplicateConflictRefusal(std::string_view event_id, const Digest& known);
absl::Status AlreadySignedRefusal();
absl::Status TooLargeRefusal(std::size_t bytes);
absl::Status LapsedRefusal();

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_REFUSALS_H_
