// Folds of the clinic (CLN), and of denied attempts (REC-08) on an order. Threads: pure.

#ifndef CUSTODY_LIFECYCLE_CLINICAL_FOLDS_H_
#define CUSTODY_LIFECYCLE_CLINICAL_FOLDS_H_

#include "lifecycle/fold.h"

namespace custody {

void FoldPatientEnrolled(const FoldInput& input, v1::SubjectState* state);           // CLN-01
void FoldTreatmentOrdered(const FoldInput& input, v1::SubjectState* state);          // CLN-02
void FoldDoseReserved(const FoldInput& input, v1::SubjectState* state);              // CLN-03
void FoldMatchVerified(const FoldInput& input, v1::SubjectState* state);             // CLN-04
void FoldReservationReleased(const FoldInput& input, v1::SubjectState* state);       // CLN-05
void FoldThawAuthorised(const FoldInput& input, v1::SubjectState* state);            // CLN-06T
void FoldAdministrationAuthorised(const FoldInput& input, v1::SubjectState* state);  // CLN-06
void FoldThawStarted(const FoldInput& input, v1::SubjectState* state);               // CLN-07
void FoldThawCompleted(const FoldInput& input, v1::SubjectState* state);             // CLN-08
void FoldPostThawQc(const FoldInput& input, v1::SubjectState* state);                // CLN-09
void FoldDosePrepared(const FoldInput& input, v1::SubjectState* state);              // CLN-10
void FoldAdministrationStarted(const FoldInput& input, v1::SubjectState* state);     // CLN-11
void FoldAdministrationEnded(const FoldInput& input, v1::SubjectState* state);       // CLN-12
void FoldContainerDiscarded(const FoldInput& input, v1::SubjectState* state);        // CLN-13
void FoldThawAborted(const FoldInput& input, v1::SubjectState* state);               // CLN-14
void FoldFollowUpRecorded(const FoldInput& input, v1::SubjectState* state);          // CLN-15

// REC-08: a refused authorisation counts against the order until the next match verification.
void FoldDeniedAttempt(const FoldInput& input, v1::SubjectState* state);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CLINICAL_FOLDS_H_
