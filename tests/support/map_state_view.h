// States by key, written by hand: the StateView of tests of the rules.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_MAP_STATE_VIEW_H_
#define CUSTODY_TESTS_SUPPORT_MAP_STATE_VIEW_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lifecycle/state_view.h"

namespace custody {

class MapStateView final : public StateView {
 public:
  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    if (key == broken_) return absl::DataLossError("broken on purpose");
    const auto found = states_.find(key);
    return found == states_.end() ? nullptr : &found->second;
  }

  absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const override {
    const auto found = events_.find(std::string(digest));
    if (found == events_.end()) return std::nullopt;
    return found->second;
  }
  void AddEvent(std::string_view digest, RecordedEvent event) {
    events_[std::string(digest)] = std::move(event);
  }

  v1::SubjectState* Mutable(const SubjectKey& key) { return &states_[key]; }
  const std::map<SubjectKey, v1::SubjectState>& states() const { return states_; }

  // The state of a subject, made when it is not there yet.
  v1::SubjectState& State(v1::SubjectKind kind, const std::string& id) {
    v1::SubjectState& state = states_[SubjectKey{kind, id}];
    state.set_kind(kind);
    state.set_id(id);
    return state;
  }
  v1::BatchState& Batch(const std::string& id) {
    return *State(v1::SUBJECT_KIND_BATCH, id).mutable_batch();
  }
  v1::ContainerState& Container(const std::string& id) {
    return *State(v1::SUBJECT_KIND_CONTAINER, id).mutable_container();
  }
  v1::DonationState& Donation(const std::string& id) {
    return *State(v1::SUBJECT_KIND_DONATION, id).mutable_donation();
  }
  v1::DonorState& Donor(const std::string& id) {
    return *State(v1::SUBJECT_KIND_DONOR, id).mutable_donor();
  }
  v1::MaterialState& Material(const std::string& id) {
    return *State(v1::SUBJECT_KIND_MATERIAL, id).mutable_material();
  }

  // Reading this one fails from now on.
  void Break(const SubjectKey& key) { broken_ = key; }

 private:
  std::map<SubjectKey, v1::SubjectState> states_;
  std::map<std::string, RecordedEvent> events_;
  SubjectKey broken_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_MAP_STATE_VIEW_H_
