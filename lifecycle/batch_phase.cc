#include "lifecycle/batch_phase.h"

#include <initializer_list>

namespace custody {
namespace {

using v1::Event;

constexpr BatchPhaseSet Set(std::initializer_list<v1::BatchPhase> phases) {
  BatchPhaseSet set = 0;
  for (const v1::BatchPhase phase : phases) set |= 1U << static_cast<unsigned>(phase);
  return set;
}

constexpr BatchPhaseSet kNone = 0;
constexpr BatchPhaseSet kPlanned = Set({v1::BATCH_PHASE_PLANNED});
constexpr BatchPhaseSet kInProcess = Set({v1::BATCH_PHASE_IN_PROCESS});
constexpr BatchPhaseSet kHarvested = Set({v1::BATCH_PHASE_HARVESTED});
constexpr BatchPhaseSet kFilled = Set({v1::BATCH_PHASE_FILLED});
constexpr BatchPhaseSet kQcPending = Set({v1::BATCH_PHASE_QC_PENDING});
constexpr BatchPhaseSet kUnderReview = Set({v1::BATCH_PHASE_UNDER_REVIEW});
constexpr BatchPhaseSet kReleased = Set({v1::BATCH_PHASE_RELEASED});
constexpr BatchPhaseSet kConditional = Set({v1::BATCH_PHASE_CONDITIONAL});
constexpr BatchPhaseSet kSuspended = Set({v1::BATCH_PHASE_SUSPENDED});
constexpr BatchPhaseSet kRejected = Set({v1::BATCH_PHASE_REJECTED});
constexpr BatchPhaseSet kRecalled = Set({v1::BATCH_PHASE_RECALLED});
constexpr BatchPhaseSet kAborted = Set({v1::BATCH_PHASE_ABORTED});

constexpr BatchPhaseSet kBeforeHarvest = kPlanned | kInProcess;
constexpr BatchPhaseSet kBeforeRelease =
    kBeforeHarvest | kHarvested | kFilled | kQcPending | kUnderReview;
constexpr BatchPhaseSet kMade = kHarvested | kFilled | kQcPending;
constexpr BatchPhaseSet kNotFinal = kBeforeRelease | kReleased | kConditional | kSuspended;
constexpr BatchPhaseSet kAny = kNotFinal | kRejected | kRecalled | kAborted;

constexpr v1::BatchPhase kStay = v1::BATCH_PHASE_UNSPECIFIED;

constexpr BatchPhaseRule kRules[] = {
    // Work on the cells.
    {Event::kLineClearance, kPlanned, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kLineClearance, kInProcess | kMade, kNone, kStay},
    {Event::kIsolationPerformed, kBeforeHarvest, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kMaterialConsumed, kPlanned, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kMaterialConsumed, kInProcess | kMade, kNone, kStay},
    {Event::kCultureSeeded, kBeforeHarvest, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kPassagePerformed, kBeforeHarvest, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kInProcessCheck, kPlanned, kNone, v1::BATCH_PHASE_IN_PROCESS},
    {Event::kInProcessCheck, kInProcess | kMade, kNone, kStay},
    {Event::kEnvironmentMonitored, kNotFinal, kNone, kStay},
    {Event::kHarvested, kInProcess, kPlanned, v1::BATCH_PHASE_HARVESTED},
    {Event::kFormulatedAndFilled, kHarvested, kBeforeHarvest, v1::BATCH_PHASE_FILLED},
    // Further parts of the same fill.
    {Event::kFormulatedAndFilled, kFilled, kNone, kStay},
    {Event::kLabelsReconciled, kFilled | kQcPending, kNone, kStay},

    // What goes wrong can be said at any time.
    {Event::kDeviationOpened, kAny, kNone, kStay},
    {Event::kDeviationClassified, kAny, kNone, kStay},
    {Event::kDeviationClosed, kAny, kNone, kStay},
    {Event::kBatchAborted, kBeforeRelease, kNone, v1::BATCH_PHASE_ABORTED},

    // Quality control. Retained samples are tested long after the end of a lot.
    {Event::kSampleTaken, kFilled, kNone, v1::BATCH_PHASE_QC_PENDING},
    {Event::kSampleTaken, kAny & ~kFilled, kNone, kStay},
    {Event::kQcResultReported, kFilled, kNone, v1::BATCH_PHASE_QC_PENDING},
    {Event::kQcResultReported, kAny & ~kFilled, kNone, kStay},
    {Event::kQcResultCorrected, kAny, kNone, kStay},
    {Event::kOosOpened, kAny, kNone, kStay},
    {Event::kOosPhase1Closed, kAny, kNone, kStay},
    {Event::kOosClosed, kAny, kNone, kStay},

    // Release.
    {Event::kBatchRecordReviewed, kMade | kUnderReview, kNone, v1::BATCH_PHASE_UNDER_REVIEW},
    {Event::kCoaIssued, kMade | kUnderReview, kNone, v1::BATCH_PHASE_UNDER_REVIEW},
    // A further version of the certificate.
    {Event::kCoaIssued, kReleased | kConditional, kNone, kStay},
    {Event::kLotReleased, kUnderReview | kConditional, kNone, v1::BATCH_PHASE_RELEASED},
    {Event::kLotConditionallyReleased, kUnderReview, kNone, v1::BATCH_PHASE_CONDITIONAL},
    {Event::kLotRejected, kBeforeRelease | kConditional | kSuspended, kNone,
     v1::BATCH_PHASE_REJECTED},
    {Event::kReleaseSuspended, kReleased | kConditional | kSuspended, kNone,
     v1::BATCH_PHASE_SUSPENDED},
    {Event::kReleaseReinstated, kSuspended, kNone, v1::BATCH_PHASE_RELEASED},
    {Event::kStabilityExtension, kReleased, kNone, kStay},
    {Event::kRecallInitiated, kNotFinal | kRejected | kRecalled, kNone, v1::BATCH_PHASE_RECALLED},
};

constexpr bool Contains(BatchPhaseSet set, v1::BatchPhase phase) {
  return (set & (1U << static_cast<unsigned>(phase))) != 0;
}

}  // namespace

std::span<const BatchPhaseRule> BatchPhaseRules() { return kRules; }

bool InPlace(v1::BatchPhase phase, v1::Event::BodyCase event) {
  for (const BatchPhaseRule& rule : kRules) {
    if (rule.event == event && Contains(rule.from, phase)) return true;
  }
  return false;
}

std::optional<v1::BatchPhase> NextBatchPhase(v1::BatchPhase phase, v1::Event::BodyCase event) {
  for (const BatchPhaseRule& rule : kRules) {
    if (rule.event != event || !Contains(rule.from | rule.tolerated, phase)) continue;
    return rule.to == kStay ? phase : rule.to;
  }
  return std::nullopt;
}

bool IsReviewed(v1::BatchPhase phase) { return Contains(kAny & ~(kBeforeHarvest | kMade), phase); }

bool IsFinal(v1::BatchPhase phase) {
  return phase == v1::BATCH_PHASE_REJECTED || phase == v1::BATCH_PHASE_RECALLED ||
         phase == v1::BATCH_PHASE_ABORTED;
}

}  // namespace custody
