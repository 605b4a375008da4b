#include "lifecycle/container_machine.h"

#include <gtest/gtest.h>

namespace custody {
namespace {

TEST(ContainerMachineTest, GoesTheWayOfACryopreservedDose) {
  struct Step {
    LifeTrigger trigger;
    v1::ContainerLife to;
  };
  v1::ContainerLife life = v1::CONTAINER_LIFE_FILLED;
  for (const Step& step :
       {Step{LifeTrigger::kFrozen, v1::CONTAINER_LIFE_FROZEN},
        Step{LifeTrigger::kPlaced, v1::CONTAINER_LIFE_STORED},
        Step{LifeTrigger::kRemoved, v1::CONTAINER_LIFE_OUT},
        Step{LifeTrigger::kPacked, v1::CONTAINER_LIFE_PACKED},
        Step{LifeTrigger::kRelinquished, v1::CONTAINER_LIFE_IN_TRANSIT},
        Step{LifeTrigger::kCustodyAccepted, v1::CONTAINER_LIFE_IN_TRANSIT},
        Step{LifeTrigger::kDelivered, v1::CONTAINER_LIFE_AT_RECEIVER},
        Step{LifeTrigger::kPlaced, v1::CONTAINER_LIFE_STORED},
        Step{LifeTrigger::kThawStarted, v1::CONTAINER_LIFE_THAWING},
        Step{LifeTrigger::kThawCompleted, v1::CONTAINER_LIFE_THAWED},
        Step{LifeTrigger::kPrepared, v1::CONTAINER_LIFE_PREPARED},
        Step{LifeTrigger::kAdministrationStarted, v1::CONTAINER_LIFE_ADMINISTERING},
        Step{LifeTrigger::kAdministrationCompleted, v1::CONTAINER_LIFE_ADMINISTERED}}) {
    const LifeStep next = NextLife(life, step.trigger);
    EXPECT_EQ(next.code, v1::REASON_CODE_UNSPECIFIED);
    EXPECT_EQ(next.to, step.to);
    life = next.to;
  }
}

TEST(ContainerMachineTest, EveryPairHasAnAnswer) {
  for (int from = v1::ContainerLife_MIN; from <= v1::ContainerLife_MAX; ++from) {
    for (int trigger = 0; trigger < kLifeTriggerCount; ++trigger) {
      const auto life = static_cast<v1::ContainerLife>(from);
      const LifeStep step = NextLife(life, static_cast<LifeTrigger>(trigger));
      EXPECT_EQ(step.code == v1::REASON_CODE_UNSPECIFIED,
                step.severity == v1::SEVERITY_UNSPECIFIED);
      if (IsFinal(life)) {
        EXPECT_EQ(step.to, life);
        EXPECT_EQ(step.code, v1::REASON_CODE_E_AFTER_FINAL);
      }
      // What was given to a patient never becomes usable again.
      if (IsConsumed(life)) {
        EXPECT_TRUE(IsConsumed(step.to) || IsFinal(step.to));
      }
      // What was thawed never becomes stock again.
      if (IsThawedOrLater(life)) {
        EXPECT_TRUE(IsThawedOrLater(step.to));
      }
    }
  }
}

TEST(ContainerMachineTest, RefreezingIsCriticalAndMeansDiscard) {
  for (const v1::ContainerLife life :
       {v1::CONTAINER_LIFE_THAWING, v1::CONTAINER_LIFE_THAWED, v1::CONTAINER_LIFE_THAWED_UNUSABLE,
        v1::CONTAINER_LIFE_PREPARED}) {
    const LifeStep step = NextLife(life, LifeTrigger::kFrozen);
    EXPECT_EQ(step.code, v1::REASON_CODE_E_REFREEZE);
    EXPECT_EQ(step.severity, v1::SEVERITY_CRITICAL);
    EXPECT_TRUE(step.discard_required);
    EXPECT_EQ(step.to, v1::CONTAINER_LIFE_THAWED_UNUSABLE);
  }
}

TEST(ContainerMachineTest, InfusionOfAFrozenBagIsAViolationAndStillEmptiesIt) {
  const LifeStep step = NextLife(v1::CONTAINER_LIFE_FROZEN, LifeTrigger::kAdministrationStarted);
  EXPECT_EQ(step.code, v1::REASON_CODE_E_STATE);
  EXPECT_EQ(step.severity, v1::SEVERITY_CRITICAL);
  EXPECT_EQ(step.to, v1::CONTAINER_LIFE_ADMINISTERING);
}

TEST(ContainerMachineTest, ConsumedAllocationIsForGood) {
  for (int trigger = 0; trigger < kAllocationTriggerCount; ++trigger) {
    const AllocationStep step =
        NextAllocation(v1::CONTAINER_ALLOCATION_CONSUMED, static_cast<AllocationTrigger>(trigger));
    EXPECT_EQ(step.to, v1::CONTAINER_ALLOCATION_CONSUMED);
    EXPECT_EQ(step.code, v1::REASON_CODE_E_CONSUMED);
  }
}

TEST(ContainerMachineTest, OnlyFreeContainersAreReserved) {
  EXPECT_EQ(NextAllocation(v1::CONTAINER_ALLOCATION_UNALLOCATED, AllocationTrigger::kReserved).to,
            v1::CONTAINER_ALLOCATION_RESERVED);
  EXPECT_EQ(NextAllocation(v1::CONTAINER_ALLOCATION_RESERVED, AllocationTrigger::kReserved).code,
            v1::REASON_CODE_E_ALLOCATION);
}

}  // namespace
}  // namespace custody
