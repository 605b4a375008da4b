// The life (region L) and the allocation (region A) of a container as tables.
//
// The machine is total: every state and every trigger have an answer. A pair that the table does
// not list is a violation, with a code, and still says where the container then is, because what
// happened to it physically happened: a bag that was infused without a thaw on record is empty
// all the same.
//
//   FILLED -> FROZEN -> STORED <-> OUT -> PACKED -> IN_TRANSIT -> AT_RECEIVER -> STORED
//   STORED, OUT, AT_RECEIVER -> THAWING -> THAWED -> PREPARED -> ADMINISTERING -> ADMINISTERED
//   ADMINISTERING -> PARTIALLY_ADMINISTERED -> ADMINISTERED_PARTIAL
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_CONTAINER_MACHINE_H_
#define CUSTODY_LIFECYCLE_CONTAINER_MACHINE_H_

#include <cstdint>
#include <string_view>

#include "custody/v1/reason.pb.h"
#include "custody/v1/state.pb.h"
#include "custody/v1/vocabulary.pb.h"

namespace custody {

// What happens to a container. Filling (MFG-13) and packaging of tissue (PRC-03) create it.
enum class LifeTrigger : std::uint8_t {
  kFrozen,                     // CRY-01
  kPlaced,                     // CRY-02
  kMoved,                      // CRY-03
  kRemoved,                    // CRY-08
  kPacked,                     // SHP-01
  kRelinquished,               // SHP-02
  kCustodyAccepted,            // SHP-03
  kDelivered,                  // SHP-05
  kReturned,                   // SHP-08
  kLost,                       // SHP-08
  kDestroyed,                  // SHP-08
  kThawStarted,                // CLN-07
  kThawCompleted,              // CLN-08
  kThawAborted,                // CLN-14
  kPrepared,                   // CLN-10
  kAdministrationStarted,      // CLN-11
  kAdministrationCompleted,    // CLN-12
  kAdministrationInterrupted,  // CLN-12, interrupted or stopped
  kResidualDiscarded,          // CLN-13 of the rest
  kDiscarded,                  // CLN-13 of the container
};
inline constexpr int kLifeTriggerCount = 20;

struct LifeStep {
  // Where the container is afterwards; equal to `from` when nothing changes.
  v1::ContainerLife to = v1::CONTAINER_LIFE_UNSPECIFIED;
  // REASON_CODE_UNSPECIFIED: allowed. Otherwise E_STATE, E_AFTER_FINAL or E_REFREEZE.
  v1::ReasonCode code = v1::REASON_CODE_UNSPECIFIED;
  v1::Severity severity = v1::SEVERITY_UNSPECIFIED;
  // Allowed only for a product that is presented fresh; the guard asks the product.
  bool fresh_only = false;
  bool discard_required = false;
};

// Never fails.
LifeStep NextLife(v1::ContainerLife from, LifeTrigger trigger);

// Nothing follows: given, discarded, lost, destroyed.
bool IsFinal(v1::ContainerLife life);
// Given to a patient, wholly or in part, or being given.
bool IsConsumed(v1::ContainerLife life);
// Thawing began: the container can only be given or discarded.
bool IsThawedOrLater(v1::ContainerLife life);
// A state that makes the container less usable: it is entered whatever the signer's authority.
bool IsAdverse(v1::ContainerLife life);

// What happens to the allocation.
enum class AllocationTrigger : std::uint8_t {
  kReserved,  // CLN-03
  kMatched,   // CLN-04
  kReleased,  // CLN-05
  kConsumed,  // CLN-11
};
inline constexpr int kAllocationTriggerCount = 4;

struct AllocationStep {
  v1::ContainerAllocation to = v1::CONTAINER_ALLOCATION_UNSPECIFIED;
  // REASON_CODE_UNSPECIFIED, E_ALLOCATION or E_CONSUMED.
  v1::ReasonCode code = v1::REASON_CODE_UNSPECIFIED;
};

// `from` UNSPECIFIED counts as UNALLOCATED. Whether the order is the same is the guard's question.
AllocationStep NextAllocation(v1::ContainerAllocation from, AllocationTrigger trigger);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CONTAINER_MACHINE_H_
