// Why the ledger said no: reason codes for programs, sentences and remedies for people.
//
// Every error of the client is an absl::Status whose code says what to do:
//
//   kInvalidArgument     wrong whatever the ledger's state is: correct the program
//   kUnauthenticated     no valid signature by an enrolled key: correct the keys
//   kPermissionDenied    the principal or the signer may not do this
//   kFailedPrecondition  the rules refuse it; do not repeat as is, read the refusal
//   kAlreadyExists       the same event_id with other bytes: investigate
//   kAborted             an expected head has moved: read again, build again
//   kResourceExhausted   too much is waiting: later (the client has already retried)
//   kUnavailable         cannot be reached or cannot write for now: the same event, later
//   kDeadlineExceeded    outcome unknown: the same event again; never a new one
//   kNotFound, kOutOfRange
//   kUnimplemented       the rules of this decision do not exist yet
//   kDataLoss            the server's answer is not true: wrong receipt, or a log that forked.
//   Stop, and
//                        show the evidence file that the message names to the auditor
//   kInternal            a fault of a library or of ours: report it
//
// Threads: pure functions.

#ifndef CUSTODY_CLIENT_REFUSAL_H_
#define CUSTODY_CLIENT_REFUSAL_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "custody/v1/reason.pb.h"

namespace custody {

// The refusal that a status carries; nullopt if it carries none.
std::optional<v1::Refusal> RefusalOf(const absl::Status& status);

// "E_HOLD" for REASON_CODE_E_HOLD.
std::string_view ReasonName(v1::ReasonCode code);

}  // namespace custody

#endif  // CUSTODY_CLIENT_REFUSAL_H_
