// REC-08: what the record keeps of a decision that was refused at the bedside.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_DENIED_ATTEMPT_H_
#define CUSTODY_LIFECYCLE_DENIED_ATTEMPT_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/state_view.h"

namespace custody {

// The body of AttemptDenied; the ledger adds the rest and decides on the rate. It names the refused
// event, its signers, those of its subjects that the ledger knows (identifiers left out), the
// reasons by code and subject, and, when the wristband that was scanned is another patient's, that
// patient's newest open order. No targets: nobody would find it, do not record it.
//
//   refusal   a status with a Refusal (refusal.h); without one there are no reasons
//
// Errors: those of the view.
absl::StatusOr<v1::Event> BuildAttemptDenied(const StateView& view, const ParsedEvent& event,
                                             const absl::Status& refusal);

// Attempts at such an event use up the match that was verified; a refused match (CLN-04) is no
// attempt to use one.
bool UsesMatch(std::string_view event_code);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_DENIED_ATTEMPT_H_
