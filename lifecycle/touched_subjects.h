// Which subjects an event touches: derived from the `touches` options of the body's fields.
//
// Order: fields by number, depth first, each subject once (the first role wins). Empty ids are
// skipped: an optional reference that is not there touches nothing.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_TOUCHED_SUBJECTS_H_
#define CUSTODY_LIFECYCLE_TOUCHED_SUBJECTS_H_

#include <vector>

#include "custody/v1/event.pb.h"

namespace custody {

std::vector<v1::SubjectRef> TouchedSubjects(const v1::Event& event);

// Replaces event->subjects() by TouchedSubjects(*event): what a client does before it signs.
void FillSubjects(v1::Event* event);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_TOUCHED_SUBJECTS_H_
