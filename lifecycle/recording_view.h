// A view that remembers what was read through it: the list of subjects on which an answer rests.
//
// Threads: one question, one thread.
// Owns:    nothing; the view underneath must outlive it.

#ifndef CUSTODY_LIFECYCLE_RECORDING_VIEW_H_
#define CUSTODY_LIFECYCLE_RECORDING_VIEW_H_

#include <set>
#include <vector>

#include "lifecycle/state_view.h"

namespace custody {

class RecordingView final : public StateView {
 public:
  explicit RecordingView(const StateView& inner) : inner_(inner) {}

  // As the view underneath; a subject counts as read even when it is unknown or missing.
  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    read_.insert(key);
    return inner_.Find(key);
  }

  absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const override {
    return inner_.FindEvent(digest);
  }

  // Each once, in the order of SubjectKey.
  std::vector<SubjectKey> Read() const { return {read_.begin(), read_.end()}; }

 private:
  const StateView& inner_;
  mutable std::set<SubjectKey> read_;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_RECORDING_VIEW_H_
