// Events that were recorded without sufficient authority: kept with the state until REC-04 or
// REC-07 lets their favourable effect count.
//
// Threads: pure.
// Limits:  64 held events and 256 KiB of them per subject; the oldest go first. What has gone can
// no
//          longer be attested and is recorded anew; the case about it stays open.

#ifndef CUSTODY_LIFECYCLE_HELD_EVENTS_H_
#define CUSTODY_LIFECYCLE_HELD_EVENTS_H_

#include "custody/v1/state.pb.h"
#include "lifecycle/fold.h"

namespace custody {

inline constexpr int kHeldEventsMax = 64;
inline constexpr std::size_t kHeldBytesMax = 256U << 10;

// Keeps the event of the input.
void HoldEvent(const FoldInput& input, v1::SubjectState* state);

// If the event is REC-04 or REC-07: applies the favourable rest of the held events that it names,
// and forgets them. A REC-07 that leaves places empty adds its signature to the held event and
// releases nothing. Other events change nothing.
void ReleaseHeldEvents(const FoldInput& input, v1::SubjectState* state);

// nullptr if the subject holds no such event.
const v1::HeldEvent* FindHeldEvent(const v1::SubjectState& state, std::string_view event_digest);

// The held event with one more signature, in order; unchanged if the key signed it already.
// Errors: kDataLoss if the bytes cannot be read.
absl::StatusOr<v1::SignedEvent> AddSignature(const v1::SignedEvent& signed_event,
                                             const v1::SignatureAdded& added);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_HELD_EVENTS_H_
