#include "lifecycle/state_view.h"

namespace custody {

absl::StatusOr<std::optional<RecordedEvent>> StateView::FindEvent(std::string_view) const {
  return absl::FailedPreconditionError("this view knows states and no events");
}

}  // namespace custody
