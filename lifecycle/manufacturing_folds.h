// Folds of the events of materials and manufacture (MAT, MFG).
//
// What happened physically (cells left, a container exists, material touched the cells, where cells
// come from) counts whatever the authority of the signer, because it can only make things stricter;
// the phase of a lot, cells gained and passed checks count only when they are authorised.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_MANUFACTURING_FOLDS_H_
#define CUSTODY_LIFECYCLE_MANUFACTURING_FOLDS_H_

#include "custody/v1/state.pb.h"
#include "lifecycle/fold.h"

namespace custody {

void FoldMaterialReceived(const FoldInput& input, v1::SubjectState* state);
void FoldMaterialReleased(const FoldInput& input, v1::SubjectState* state);
void FoldBatchCreated(const FoldInput& input, v1::SubjectState* state);
void FoldLineClearance(const FoldInput& input, v1::SubjectState* state);
void FoldIsolationPerformed(const FoldInput& input, v1::SubjectState* state);
void FoldMaterialConsumed(const FoldInput& input, v1::SubjectState* state);
void FoldCultureSeeded(const FoldInput& input, v1::SubjectState* state);
void FoldPassagePerformed(const FoldInput& input, v1::SubjectState* state);
void FoldInProcessCheck(const FoldInput& input, v1::SubjectState* state);
void FoldEnvironmentMonitored(const FoldInput& input, v1::SubjectState* state);
void FoldHarvested(const FoldInput& input, v1::SubjectState* state);
void FoldFormulatedAndFilled(const FoldInput& input, v1::SubjectState* state);
void FoldContainerLabelled(const FoldInput& input, v1::SubjectState* state);
void FoldLabelsReconciled(const FoldInput& input, v1::SubjectState* state);
void FoldDeviationOpened(const FoldInput& input, v1::SubjectState* state);
void FoldDeviationClassified(const FoldInput& input, v1::SubjectState* state);
void FoldDeviationClosed(const FoldInput& input, v1::SubjectState* state);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_MANUFACTURING_FOLDS_H_
