#include "lifecycle/batch_phase.h"

#include <gtest/gtest.h>

namespace custody {
namespace {

using v1::Event;

TEST(BatchPhase, ALotGoesTheWholeWay) {
  const std::pair<Event::BodyCase, v1::BatchPhase> steps[] = {
      {Event::kLineClearance, v1::BATCH_PHASE_IN_PROCESS},
      {Event::kPassagePerformed, v1::BATCH_PHASE_IN_PROCESS},
      {Event::kHarvested, v1::BATCH_PHASE_HARVESTED},
      {Event::kFormulatedAndFilled, v1::BATCH_PHASE_FILLED},
      {Event::kSampleTaken, v1::BATCH_PHASE_QC_PENDING},
      {Event::kBatchRecordReviewed, v1::BATCH_PHASE_UNDER_REVIEW},
      {Event::kLotReleased, v1::BATCH_PHASE_RELEASED},
      {Event::kReleaseSuspended, v1::BATCH_PHASE_SUSPENDED},
      {Event::kReleaseReinstated, v1::BATCH_PHASE_RELEASED},
      {Event::kReleaseSuspended, v1::BATCH_PHASE_SUSPENDED},
      {Event::kLotRejected, v1::BATCH_PHASE_REJECTED},
  };
  v1::BatchPhase phase = v1::BATCH_PHASE_PLANNED;
  for (const auto& [event, expected] : steps) {
    EXPECT_TRUE(InPlace(phase, event)) << phase << " " << event;
    phase = NextBatchPhase(phase, event).value_or(v1::BATCH_PHASE_UNSPECIFIED);
    EXPECT_EQ(phase, expected) << event;
  }
}

TEST(BatchPhase, ReleaseOnlyFromReview) {
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_FILLED, Event::kLotReleased));
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_QC_PENDING, Event::kLotReleased));
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_SUSPENDED, Event::kLotReleased));
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_REJECTED, Event::kReleaseReinstated));
}

TEST(BatchPhase, AReleasedLotIsSuspendedBeforeItIsRejected) {
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_RELEASED, Event::kLotRejected));
  EXPECT_TRUE(InPlace(v1::BATCH_PHASE_SUSPENDED, Event::kLotRejected));
}

TEST(BatchPhase, AFillWithoutHarvestIsOutOfPlaceAndStillAFill) {
  EXPECT_FALSE(InPlace(v1::BATCH_PHASE_IN_PROCESS, Event::kFormulatedAndFilled));
  EXPECT_EQ(NextBatchPhase(v1::BATCH_PHASE_IN_PROCESS, Event::kFormulatedAndFilled),
            v1::BATCH_PHASE_FILLED);
}

TEST(BatchPhase, WhatIsOutOfPlaceChangesNothing) {
  EXPECT_EQ(NextBatchPhase(v1::BATCH_PHASE_FILLED, Event::kPassagePerformed), std::nullopt);
  EXPECT_EQ(NextBatchPhase(v1::BATCH_PHASE_RELEASED, Event::kHarvested), std::nullopt);
}

}  // namespace
}  // namespace custody
