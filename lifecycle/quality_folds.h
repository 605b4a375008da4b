// Folds of the events of quality control and release (QC, REL).
//
// A failing result counts from the moment it is recorded; a passing one only when the event has all
// its signatures and authority. What the rules found out about a result (it fails, nobody knows its
// row) stands in the entry's findings, beginning with the result's id.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_QUALITY_FOLDS_H_
#define CUSTODY_LIFECYCLE_QUALITY_FOLDS_H_

#include "custody/v1/state.pb.h"
#include "lifecycle/fold.h"

namespace custody {

void FoldSampleTaken(const FoldInput& input, v1::SubjectState* state);
void FoldQcResultReported(const FoldInput& input, v1::SubjectState* state);
void FoldQcResultCorrected(const FoldInput& input, v1::SubjectState* state);
void FoldOosOpened(const FoldInput& input, v1::SubjectState* state);
void FoldOosPhase1Closed(const FoldInput& input, v1::SubjectState* state);
void FoldOosClosed(const FoldInput& input, v1::SubjectState* state);
void FoldBatchRecordReviewed(const FoldInput& input, v1::SubjectState* state);
void FoldCoaIssued(const FoldInput& input, v1::SubjectState* state);
void FoldLotReleased(const FoldInput& input, v1::SubjectState* state);
void FoldLotRejected(const FoldInput& input, v1::SubjectState* state);
void FoldReleaseSuspended(const FoldInput& input, v1::SubjectState* state);
void FoldReleaseReinstated(const FoldInput& input, v1::SubjectState* state);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_QUALITY_FOLDS_H_
