// The case that findings open: CAS-01, written by the ledger right after the event; and whether a
// case is still open.

#ifndef CUSTODY_LIFECYCLE_CASE_OPENING_H_
#define CUSTODY_LIFECYCLE_CASE_OPENING_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/state_view.h"

namespace custody {

// What a case about such a finding is called.
v1::CaseKind CaseKindOf(const v1::Finding& finding);

// No event if no finding is MINOR or worse. Otherwise one case about the subjects of the event, in
// parts of at most 255 subjects (header `group`, the same case id in all parts). The case id
// derives from the event's digest, so a replay gives the same case.
std::vector<v1::Event> OpenCases(const ParsedEvent& event, std::span<const v1::Finding> findings);

// A case that was closed in parts stays on the chains of its subjects, none of which sees whether
// the other parts came: the case itself says so.
// Errors: those of the view.
absl::StatusOr<bool> IsOpen(const StateView& view, const v1::OpenCase& open);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CASE_OPENING_H_
