// The lot machine: in which phase of a batch which event is in place, and where it leads.
//
//   PLANNED -> IN_PROCESS -> HARVESTED -> FILLED -> QC_PENDING -> UNDER_REVIEW
//   UNDER_REVIEW -> RELEASED | CONDITIONAL | REJECTED        CONDITIONAL -> RELEASED | REJECTED
//   RELEASED, CONDITIONAL -> SUSPENDED -> RELEASED | REJECTED        any but ABORTED -> RECALLED
//   any before RELEASED -> ABORTED | REJECTED
//
// A bank or another intermediate goes from HARVESTED to UNDER_REVIEW.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_BATCH_PHASE_H_
#define CUSTODY_LIFECYCLE_BATCH_PHASE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "custody/v1/event.pb.h"
#include "custody/v1/state.pb.h"

namespace custody {

// A set of phases: bit n stands for the phase with number n.
using BatchPhaseSet = std::uint32_t;

// One row of the table.
struct BatchPhaseRule {
  v1::Event::BodyCase event;
  // The event is in place in these; in any other it breaks a rule (E_STATE).
  BatchPhaseSet from;
  // Recorded although out of place: what happened is then followed all the same.
  BatchPhaseSet tolerated;
  // Phase afterwards; UNSPECIFIED: as before.
  v1::BatchPhase to;
};

// Every row. An event has several when it leads to different phases; their sets are disjoint.
std::span<const BatchPhaseRule> BatchPhaseRules();

// Whether the event is in place, in a phase.
bool InPlace(v1::BatchPhase phase, v1::Event::BodyCase event);

// The phase after the event; nullopt if it changes nothing there because it is out of place.
std::optional<v1::BatchPhase> NextBatchPhase(v1::BatchPhase phase, v1::Event::BodyCase event);

// REJECTED, RECALLED, ABORTED: nothing leads back.
bool IsFinal(v1::BatchPhase phase);

// UNDER_REVIEW and everything after it: what is added to the lot now, nobody has reviewed.
bool IsReviewed(v1::BatchPhase phase);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_BATCH_PHASE_H_
