#include "lifecycle/container_machine.h"

#include <string>

namespace custody {
namespace {

using L = v1::ContainerLife;
using T = LifeTrigger;

struct Row {
  L from;
  T trigger;
  L to;
  bool fresh_only = false;
};

// Region L (life), one row for each allowed pair.
constexpr Row kRows[] = {
    {v1::CONTAINER_LIFE_FILLED, T::kFrozen, v1::CONTAINER_LIFE_FROZEN},
    {v1::CONTAINER_LIFE_FILLED, T::kPlaced, v1::CONTAINER_LIFE_STORED, true},
    {v1::CONTAINER_LIFE_FROZEN, T::kPlaced, v1::CONTAINER_LIFE_STORED},
    {v1::CONTAINER_LIFE_STORED, T::kMoved, v1::CONTAINER_LIFE_STORED},
    {v1::CONTAINER_LIFE_STORED, T::kRemoved, v1::CONTAINER_LIFE_OUT},
    {v1::CONTAINER_LIFE_OUT, T::kPacked, v1::CONTAINER_LIFE_PACKED},
    {v1::CONTAINER_LIFE_PACKED, T::kRelinquished, v1::CONTAINER_LIFE_IN_TRANSIT},
    {v1::CONTAINER_LIFE_IN_TRANSIT, T::kCustodyAccepted, v1::CONTAINER_LIFE_IN_TRANSIT},
    {v1::CONTAINER_LIFE_PACKED, T::kCustodyAccepted, v1::CONTAINER_LIFE_IN_TRANSIT},
    {v1::CONTAINER_LIFE_IN_TRANSIT, T::kRelinquished, v1::CONTAINER_LIFE_IN_TRANSIT},
    {v1::CONTAINER_LIFE_IN_TRANSIT, T::kDelivered, v1::CONTAINER_LIFE_AT_RECEIVER},
    {v1::CONTAINER_LIFE_IN_TRANSIT, T::kReturned, v1::CONTAINER_LIFE_AT_RECEIVER},
    {v1::CONTAINER_LIFE_AT_RECEIVER, T::kReturned, v1::CONTAINER_LIFE_AT_RECEIVER},
    {v1::CONTAINER_LIFE_AT_RECEIVER, T::kPlaced, v1::CONTAINER_LIFE_STORED},
    {v1::CONTAINER_LIFE_STORED, T::kThawStarted, v1::CONTAINER_LIFE_THAWING},
    {v1::CONTAINER_LIFE_OUT, T::kThawStarted, v1::CONTAINER_LIFE_THAWING},
    {v1::CONTAINER_LIFE_AT_RECEIVER, T::kThawStarted, v1::CONTAINER_LIFE_THAWING},
    {v1::CONTAINER_LIFE_THAWING, T::kThawCompleted, v1::CONTAINER_LIFE_THAWED},
    {v1::CONTAINER_LIFE_THAWING, T::kThawAborted, v1::CONTAINER_LIFE_THAWED_UNUSABLE},
    {v1::CONTAINER_LIFE_THAWED, T::kPrepared, v1::CONTAINER_LIFE_PREPARED},
    {v1::CONTAINER_LIFE_STORED, T::kPrepared, v1::CONTAINER_LIFE_PREPARED, true},
    {v1::CONTAINER_LIFE_OUT, T::kPrepared, v1::CONTAINER_LIFE_PREPARED, true},
    {v1::CONTAINER_LIFE_AT_RECEIVER, T::kPrepared, v1::CONTAINER_LIFE_PREPARED, true},
    {v1::CONTAINER_LIFE_THAWED, T::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING},
    {v1::CONTAINER_LIFE_PREPARED, T::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING},
    {v1::CONTAINER_LIFE_STORED, T::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING, true},
    {v1::CONTAINER_LIFE_OUT, T::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING, true},
    {v1::CONTAINER_LIFE_AT_RECEIVER, T::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING,
     true},
    {v1::CONTAINER_LIFE_ADMINISTERING, T::kAdministrationCompleted,
     v1::CONTAINER_LIFE_ADMINISTERED},
    {v1::CONTAINER_LIFE_ADMINISTERING, T::kAdministrationInterrupted,
     v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED},
    {v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED, T::kResidualDiscarded,
     v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL},
    {v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED, T::kDiscarded,
     v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL},
};

struct LandingRow {
  T trigger;
  L to;
};

// Where a container is after something that its state did not allow, before it is thawed.
constexpr LandingRow kLandings[] = {
    {T::kPlaced, v1::CONTAINER_LIFE_STORED},
    {T::kMoved, v1::CONTAINER_LIFE_STORED},
    {T::kRemoved, v1::CONTAINER_LIFE_OUT},
    {T::kPacked, v1::CONTAINER_LIFE_PACKED},
    {T::kRelinquished, v1::CONTAINER_LIFE_IN_TRANSIT},
    {T::kCustodyAccepted, v1::CONTAINER_LIFE_IN_TRANSIT},
    {T::kDelivered, v1::CONTAINER_LIFE_AT_RECEIVER},
    {T::kReturned, v1::CONTAINER_LIFE_AT_RECEIVER},
    {T::kThawStarted, v1::CONTAINER_LIFE_THAWING},
    {T::kThawCompleted, v1::CONTAINER_LIFE_THAWED},
};

// From the thaw on it stays where it is.
L LandingBeforeThaw(L from, T trigger) {
  if (IsThawedOrLater(from)) return from;
  for (const LandingRow& row : kLandings) {
    if (row.trigger == trigger) return row.to;
  }
  return from;
}

// Where a container is after something that its state did not allow.
L Landing(L from, T trigger) {
  switch (trigger) {
    case T::kFrozen:
      return from == v1::CONTAINER_LIFE_UNSPECIFIED ? v1::CONTAINER_LIFE_FROZEN : from;
    case T::kThawAborted:
      return IsConsumed(from) ? from : v1::CONTAINER_LIFE_THAWED_UNUSABLE;
    case T::kAdministrationStarted:
      return v1::CONTAINER_LIFE_ADMINISTERING;
    case T::kAdministrationCompleted:
      return v1::CONTAINER_LIFE_ADMINISTERED;
    case T::kAdministrationInterrupted:
      return v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED;
    case T::kResidualDiscarded:
    case T::kDiscarded:
      // What was partly given stays on record as given.
      return IsConsumed(from) ? v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL
                              : v1::CONTAINER_LIFE_DISCARDED;
    case T::kLost:
      return v1::CONTAINER_LIFE_LOST;
    case T::kDestroyed:
      return v1::CONTAINER_LIFE_DESTROYED;
    default:
      return LandingBeforeThaw(from, trigger);
  }
}

bool IsAdministration(T trigger) {
  return trigger == T::kAdministrationStarted || trigger == T::kAdministrationCompleted ||
         trigger == T::kAdministrationInterrupted;
}

LifeStep AfterFinal(L from, T trigger) {
  // An empty bag is thrown away: nothing to worry about, but on record.
  const bool disposal =
      trigger == T::kResidualDiscarded || trigger == T::kDiscarded || trigger == T::kDestroyed;
  LifeStep step{.to = from, .code = v1::REASON_CODE_E_AFTER_FINAL};
  step.severity = disposal                    ? v1::SEVERITY_MINOR
                  : IsAdministration(trigger) ? v1::SEVERITY_CRITICAL
                                              : v1::SEVERITY_MAJOR;
  if (trigger == T::kThawStarted || trigger == T::kThawCompleted || trigger == T::kFrozen) {
    step.severity = v1::SEVERITY_CRITICAL;
  }
  return step;
}

bool IsThawed(L life) {
  return life == v1::CONTAINER_LIFE_THAWING || life == v1::CONTAINER_LIFE_THAWED ||
         life == v1::CONTAINER_LIFE_THAWED_UNUSABLE || life == v1::CONTAINER_LIFE_PREPARED;
}

}  // namespace

LifeStep NextLife(v1::ContainerLife from, LifeTrigger trigger) {
  if (IsFinal(from)) return AfterFinal(from, trigger);
  for (const Row& row : kRows) {
    if (row.from == from && row.trigger == trigger) {
      return {.to = row.to, .fresh_only = row.fresh_only};
    }
  }
  // Discarding, losing and destroying are allowed from everywhere before the end.
  if (trigger == T::kDiscarded || trigger == T::kLost || trigger == T::kDestroyed) {
    return {.to = Landing(from, trigger)};
  }
  if (trigger == T::kFrozen && IsThawed(from)) {
    return {.to = v1::CONTAINER_LIFE_THAWED_UNUSABLE,
            .code = v1::REASON_CODE_E_REFREEZE,
            .severity = v1::SEVERITY_CRITICAL,
            .discard_required = true};
  }
  return {.to = Landing(from, trigger),
          .code = v1::REASON_CODE_E_STATE,
          .severity = IsAdministration(trigger) ? v1::SEVERITY_CRITICAL : v1::SEVERITY_MAJOR};
}

bool IsFinal(v1::ContainerLife life) {
  switch (life) {
    case v1::CONTAINER_LIFE_ADMINISTERED:
    case v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL:
    case v1::CONTAINER_LIFE_DISCARDED:
    case v1::CONTAINER_LIFE_LOST:
    case v1::CONTAINER_LIFE_DESTROYED:
      return true;
    default:
      return false;
  }
}

bool IsConsumed(v1::ContainerLife life) {
  switch (life) {
    case v1::CONTAINER_LIFE_ADMINISTERING:
    case v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED:
    case v1::CONTAINER_LIFE_ADMINISTERED:
    case v1::CONTAINER_LIFE_ADMINISTERED_PARTIAL:
      return true;
    default:
      return false;
  }
}

bool IsThawedOrLater(v1::ContainerLife life) {
  return IsFinal(life) || IsConsumed(life) || IsThawed(life);
}

bool IsAdverse(v1::ContainerLife life) {
  return IsFinal(life) || IsConsumed(life) || life == v1::CONTAINER_LIFE_THAWING ||
         life == v1::CONTAINER_LIFE_THAWED_UNUSABLE;
}

AllocationStep NextAllocation(v1::ContainerAllocation from, AllocationTrigger trigger) {
  const bool free =
      from == v1::CONTAINER_ALLOCATION_UNSPECIFIED || from == v1::CONTAINER_ALLOCATION_UNALLOCATED;
  const bool consumed = from == v1::CONTAINER_ALLOCATION_CONSUMED;
  const v1::ReasonCode no = consumed ? v1::REASON_CODE_E_CONSUMED : v1::REASON_CODE_E_ALLOCATION;
  switch (trigger) {
    case AllocationTrigger::kReserved:
      if (free) return {.to = v1::CONTAINER_ALLOCATION_RESERVED};
      return {.to = from, .code = no};
    case AllocationTrigger::kMatched:
      if (free || consumed) return {.to = from, .code = no};
      return {.to = v1::CONTAINER_ALLOCATION_VERIFIED};
    case AllocationTrigger::kReleased:
      if (free || consumed) return {.to = from, .code = no};
      return {.to = v1::CONTAINER_ALLOCATION_UNALLOCATED};
    case AllocationTrigger::kConsumed:
      if (from == v1::CONTAINER_ALLOCATION_VERIFIED) {
        return {.to = v1::CONTAINER_ALLOCATION_CONSUMED};
      }
      return {.to = v1::CONTAINER_ALLOCATION_CONSUMED, .code = no};
  }
  return {.to = from, .code = no};
}

}  // namespace custody
