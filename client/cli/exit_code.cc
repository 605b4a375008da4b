#include "client/cli/exit_code.h"

#include "custody/refusal.h"

namespace custody {

ExitCode ExitCodeOf(const absl::Status& status) {
  // What the ledger does not know is unknown, neither yes nor no; a file or a name that is not here
  // is a mistake in the command.
  const bool of_ledger = RefusalOf(status).has_value();
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return of_ledger ? kExitCannotVerify : kExitUsage;
    case absl::StatusCode::kUnimplemented:
      return kExitRefused;
    case absl::StatusCode::kFailedPrecondition:
      // The rules refuse with their reasons; without, it is trust that lacks: a checkpoint of a log
      // key that was retired before, no log keys, a quorum that is not met.
      return of_ledger ? kExitRefused : kExitCannotVerify;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitNotPermitted;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return kExitConflict;
    case absl::StatusCode::kDataLoss:
      // A ledger that says what of it is damaged shows no false proof.
      return of_ledger ? kExitCannotVerify : kExitProofFalse;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return kExitCannotVerify;
    default:
      return kExitBug;
  }
}

}  // namespace custody
