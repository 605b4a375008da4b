// The life of a container as a machine: whatever happens in whatever order and by whomever, the
// answer is defined, and nothing that was thawed, given or gone comes back.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "lifecycle/catalogue.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/container_rules.h"

namespace custody {
namespace {

v1::ContainerLife AnyLife() {
  return static_cast<v1::ContainerLife>(
      *rc::gen::inRange<int>(v1::ContainerLife_MIN, v1::ContainerLife_MAX + 1));
}

LifeTrigger AnyTrigger() {
  return static_cast<LifeTrigger>(*rc::gen::inRange(0, kLifeTriggerCount));
}

// Folds one event of the trigger into the container, as an entry would.
void Fold(LifeTrigger trigger, Standing standing, v1::ContainerState* container) {
  static const ParsedEvent event;
  const std::vector<v1::Finding> findings;
  FoldLife({.event = event,
            .index = 1,
            .recorded_at_ms = 1,
            .findings = findings,
            .standing = standing,
            .subject = {v1::SUBJECT_KIND_CONTAINER, std::string(16, 'c')},
            .role = v1::SUBJECT_ROLE_PRIMARY},
           trigger, container);
}

RC_GTEST_PROP(ContainerLife, NothingComesBack, ()) {
  v1::ContainerState container;
  container.set_life(AnyLife());
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    const v1::ContainerLife before = container.life();
    const bool discard_required = container.discard_required();
    const auto standing =
        *rc::gen::element(Standing::kFull, Standing::kAdverseOnly, Standing::kFavourableOnly);
    Fold(AnyTrigger(), standing, &container);
    const v1::ContainerLife after = container.life();
    RC_ASSERT(v1::ContainerLife_IsValid(after));
    if (IsFinal(before)) RC_ASSERT(after == before);
    if (IsConsumed(before)) RC_ASSERT(IsConsumed(after) || IsFinal(after));
    if (IsThawedOrLater(before)) RC_ASSERT(IsThawedOrLater(after));
    if (before == v1::CONTAINER_LIFE_THAWED_UNUSABLE) {
      RC_ASSERT(after != v1::CONTAINER_LIFE_THAWED && after != v1::CONTAINER_LIFE_PREPARED);
    }
    if (discard_required) RC_ASSERT(container.discard_required());
  }
}

// Without authority a container only becomes less usable.
RC_GTEST_PROP(ContainerLife, WithoutAuthorityOnlyAdverseStatesAreEntered, ()) {
  v1::ContainerState container;
  container.set_life(AnyLife());
  const v1::ContainerLife before = container.life();
  Fold(AnyTrigger(), Standing::kAdverseOnly, &container);
  RC_ASSERT(container.life() == before || IsAdverse(container.life()));
}

// What waited and is attested ends where it would have ended at once, if it was in order.
RC_GTEST_PROP(ContainerLife, AttestedLaterIsTheSame, ()) {
  v1::ContainerState at_once;
  at_once.set_life(AnyLife());
  v1::ContainerState later = at_once;
  const LifeTrigger trigger = AnyTrigger();
  RC_PRE(NextLife(at_once.life(), trigger).code == v1::REASON_CODE_UNSPECIFIED);
  Fold(trigger, Standing::kFull, &at_once);
  Fold(trigger, Standing::kAdverseOnly, &later);
  Fold(trigger, Standing::kFavourableOnly, &later);
  RC_ASSERT(at_once.SerializeAsString() == later.SerializeAsString());
}

// What was recorded in between is newer than what waited.
RC_GTEST_PROP(ContainerLife, AttestedTooLateChangesNothing, ()) {
  v1::ContainerState container;
  container.set_life(AnyLife());
  const LifeTrigger trigger = AnyTrigger();
  RC_PRE(NextLife(container.life(), trigger).code != v1::REASON_CODE_UNSPECIFIED);
  const std::string before = container.SerializeAsString();
  Fold(trigger, Standing::kFavourableOnly, &container);
  RC_ASSERT(container.SerializeAsString() == before);
}

RC_GTEST_PROP(ContainerLife, AViolationHasACodeAndASeverity, ()) {
  const LifeStep step = NextLife(AnyLife(), AnyTrigger());
  RC_ASSERT((step.code == v1::REASON_CODE_UNSPECIFIED) ==
            (step.severity == v1::SEVERITY_UNSPECIFIED));
  RC_ASSERT(step.code == v1::REASON_CODE_UNSPECIFIED || step.code == v1::REASON_CODE_E_STATE ||
            step.code == v1::REASON_CODE_E_AFTER_FINAL || step.code == v1::REASON_CODE_E_REFREEZE);
}

RC_GTEST_PROP(ContainerLife, OneOrderAtATime, ()) {
  auto allocation = v1::CONTAINER_ALLOCATION_UNALLOCATED;
  const int steps = *rc::gen::inRange(1, 20);
  for (int i = 0; i < steps; ++i) {
    const auto trigger =
        static_cast<AllocationTrigger>(*rc::gen::inRange(0, kAllocationTriggerCount));
    const AllocationStep step = NextAllocation(allocation, trigger);
    if (allocation == v1::CONTAINER_ALLOCATION_CONSUMED) {
      RC_ASSERT(step.to == v1::CONTAINER_ALLOCATION_CONSUMED);
      RC_ASSERT(step.code == v1::REASON_CODE_E_CONSUMED);
    }
    const bool free = allocation == v1::CONTAINER_ALLOCATION_UNALLOCATED;
    if (trigger == AllocationTrigger::kReserved) {
      RC_ASSERT((step.code == v1::REASON_CODE_UNSPECIFIED) == free);
    }
    if (step.code != v1::REASON_CODE_UNSPECIFIED && trigger != AllocationTrigger::kConsumed) {
      RC_ASSERT(step.to == allocation);
    }
    allocation = step.to;
  }
}

}  // namespace
}  // namespace custody
