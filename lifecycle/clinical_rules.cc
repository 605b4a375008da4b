// The clinic (CLN): the table.

#include "lifecycle/clinical_folds.h"
#include "lifecycle/clinical_guards.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

constexpr Rule kRules[] = {
    {v1::Event::kPatientEnrolled, GuardPatientEnrolled, FoldPatientEnrolled},
    {v1::Event::kTreatmentOrdered, GuardTreatmentOrdered, FoldTreatmentOrdered},
    {v1::Event::kDoseReserved, GuardDoseReserved, FoldDoseReserved},
    {v1::Event::kMatchVerified, GuardMatchVerified, FoldMatchVerified},
    {v1::Event::kReservationReleased, GuardReservationReleased, FoldReservationReleased},
    {v1::Event::kThawAuthorised, GuardThawAuthorised, FoldThawAuthorised},
    {v1::Event::kAdministrationAuthorised, GuardAdministrationAuthorised,
     FoldAdministrationAuthorised},
    {v1::Event::kThawStarted, GuardThawStarted, FoldThawStarted},
    {v1::Event::kThawCompleted, GuardThawCompleted, FoldThawCompleted},
    {v1::Event::kPostThawQc, GuardPostThawQc, FoldPostThawQc},
    {v1::Event::kDosePrepared, GuardDosePrepared, FoldDosePrepared},
    {v1::Event::kAdministrationStarted, GuardAdministrationStarted, FoldAdministrationStarted},
    {v1::Event::kAdministrationEnded, GuardAdministrationEnded, FoldAdministrationEnded},
    {v1::Event::kContainerDiscarded, GuardContainerDiscarded, FoldContainerDiscarded},
    {v1::Event::kThawAborted, GuardThawAborted, FoldThawAborted},
    {v1::Event::kFollowUpRecorded, GuardFollowUpRecorded, FoldFollowUpRecorded},
};

}  // namespace

std::span<const Rule> ClinicalRules() { return kRules; }

}  // namespace custody
