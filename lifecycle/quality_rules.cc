#include "lifecycle/quality_folds.h"
#include "lifecycle/quality_guards.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

using v1::Event;

constexpr Rule kRules[] = {
    {Event::kSampleTaken, GuardSampleTaken, FoldSampleTaken},
    {Event::kQcResultReported, GuardQcResultReported, FoldQcResultReported},
    {Event::kQcResultCorrected, GuardQcResultCorrected, FoldQcResultCorrected},
    {Event::kOosOpened, GuardOosOpened, FoldOosOpened},
    {Event::kOosPhase1Closed, GuardOosPhase1Closed, FoldOosPhase1Closed},
    {Event::kOosClosed, GuardOosClosed, FoldOosClosed},
    {Event::kBatchRecordReviewed, GuardBatchRecordReviewed, FoldBatchRecordReviewed},
    {Event::kCoaIssued, GuardCoaIssued, FoldCoaIssued},
    {Event::kLotReleased, GuardLotReleased, FoldLotReleased},
    {Event::kLotRejected, GuardLotRejected, FoldLotRejected},
    {Event::kReleaseSuspended, GuardReleaseSuspended, FoldReleaseSuspended},
    {Event::kReleaseReinstated, GuardReleaseReinstated, FoldReleaseReinstated},
};

}  // namespace

std::span<const Rule> QualityRules() { return kRules; }

}  // namespace custody
