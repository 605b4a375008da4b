// Steps that the folds of manufacture and quality control share.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_BATCH_FOLD_H_
#define CUSTODY_LIFECYCLE_BATCH_FOLD_H_

#include <string>
#include <string_view>

#include "custody/v1/state.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "lifecycle/fold.h"

namespace custody {

// A finding is about one of several things in an event when its detail begins with the id of that
// thing in hexadecimal, then a space: the fold, which reads only the entry, finds it there. A
// finding whose detail had to go, because the entry would have been too large, is about all of
// them.
std::string DetailAbout(std::string_view id, std::string_view text);
bool FoundAbout(const FoldInput& input, v1::ReasonCode code, std::string_view id);

// Remembers who took part in making or testing the lot: they may not release it. Applies whatever
// the standing of the event.
void RememberMakers(const FoldInput& input, v1::BatchState* batch);

// Moves the lot machine (batch_phase.h) if the event's favourable effects count.
void AdvancePhase(const FoldInput& input, v1::BatchState* batch);

// Adds unless it is there or empty.
void AddOnce(const std::string& value, google::protobuf::RepeatedPtrField<std::string>* list);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_BATCH_FOLD_H_
