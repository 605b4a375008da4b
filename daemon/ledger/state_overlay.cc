#include "daemon/ledger/state_overlay.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/schema.h"

namespace custody {

absl::StatusOr<const v1::SubjectState*> StateOverlay::Find(const SubjectKey& key) const {
  const auto found = slots_.find(key);
  if (found != slots_.end()) {
    ++hits_;
    found->second.used = ++tick_;
    return found->second.state.get();
  }
  ++misses_;
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view_->Get(KeyOfState(key)));
  // That there is none is remembered too: rules and links ask for a new subject several times.
  if (!bytes.has_value()) {
    slots_.emplace(key, Slot{nullptr, 0, ++tick_});
    return nullptr;
  }
  auto state = std::make_unique<v1::SubjectState>();
  if (!state->ParseFromString(*bytes)) {
    return absl::DataLossError(absl::StrFormat("state of %s does not parse", Describe(key)));
  }
  const v1::SubjectState* result = state.get();
  slots_.emplace(key, Slot{std::move(state), 0, ++tick_});
  return result;
}

absl::StatusOr<std::optional<RecordedEvent>> StateOverlay::FindEvent(
    std::string_view digest) const {
  return event_source_ ? event_source_(digest) : StateView::FindEvent(digest);
}

absl::StatusOr<v1::SubjectState*> StateOverlay::Change(const SubjectKey& key) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* known, Find(key));
  Slot& slot = slots_[key];
  if (known == nullptr) slot.state = std::make_unique<v1::SubjectState>();
  slot.changed_in = batch_ + 1;
  slot.used = ++tick_;
  changed_.insert(key);
  return slot.state.get();
}

void StateOverlay::AdvanceView(std::shared_ptr<const ReadView> view, std::uint64_t batches) {
  view_ = std::move(view);
  view_batches_ = batches;
}

void StateOverlay::Trim() {
  if (slots_.size() <= subjects_max_) return;
  // Half goes at once, so that trimming is rare.
  std::vector<std::uint64_t> uses;
  uses.reserve(slots_.size());
  for (const auto& [key, slot] : slots_) uses.push_back(slot.used);
  const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
  std::nth_element(uses.begin(), middle, uses.end());
  const std::uint64_t oldest_kept = *middle;
  absl::erase_if(slots_, [&](const auto& item) {
    return item.second.changed_in <= view_batches_ && item.second.used < oldest_kept;
  });
}

}  // namespace custody
