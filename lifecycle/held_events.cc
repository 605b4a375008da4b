#include "lifecycle/held_events.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

void RunFavourableRest(const v1::HeldEvent& held, const v1::SignedEvent& signed_event,
                       const FoldInput& input, v1::SubjectState* state) {
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(signed_event);
  if (!event.ok()) return;  // Was read when it was recorded; a rebuild comes to the same end.
  const Rule* rule = FindRule(event->event.body_case());
  if (rule == nullptr || rule->fold == nullptr || !event->catalogue->row.evaluated()) return;
  const auto position = std::find(event->subjects.begin(), event->subjects.end(), input.subject);
  if (position == event->subjects.end()) return;
  const std::vector<v1::Finding> findings(held.findings().begin(), held.findings().end());
  const auto place = static_cast<int>(position - event->subjects.begin());
  rule->fold(
      FoldInput{*event, held.index(), held.recorded_at_ms(), findings, Standing::kFavourableOnly,
                input.subject, event->event.subjects(place).role()},
      state);
}

void Release(std::string_view event_digest, const v1::SignatureAdded* added, const FoldInput& input,
             v1::SubjectState* state) {
  auto& list = *state->mutable_held_events();
  const auto found = std::find_if(list.begin(), list.end(), [&](const v1::HeldEvent& held) {
    return held.event_digest() == event_digest;
  });
  if (found == list.end()) return;
  v1::SignedEvent signed_event;
  if (!signed_event.ParseFromString(found->signed_event())) return;
  if (added != nullptr) {
    absl::StatusOr<v1::SignedEvent> more = AddSignature(signed_event, *added);
    if (!more.ok()) return;
    signed_event = *std::move(more);
    if (!input.favourable()) {
      found->set_signed_event(signed_event.SerializeAsString());
      return;
    }
  }
  if (!input.favourable()) return;
  const v1::HeldEvent held = *found;
  list.erase(found);
  RunFavourableRest(held, signed_event, input, state);
}

std::size_t HeldBytes(const v1::SubjectState& state) {
  std::size_t bytes = 0;
  for (const v1::HeldEvent& held : state.held_events()) bytes += held.signed_event().size();
  return bytes;
}

}  // namespace

void HoldEvent(const FoldInput& input, v1::SubjectState* state) {
  auto& list = *state->mutable_held_events();
  v1::HeldEvent& held = *list.Add();
  held.set_event_digest(std::string(input.event.digest.view()));
  held.set_index(input.index);
  held.set_recorded_at_ms(input.recorded_at_ms);
  held.set_signed_event(input.event.signed_event.SerializeAsString());
  for (const v1::Finding& finding : input.findings) *held.add_findings() = finding;
  while (list.size() > 1 && (list.size() > kHeldEventsMax || HeldBytes(*state) > kHeldBytesMax)) {
    list.DeleteSubrange(0, 1);
  }
}

void ReleaseHeldEvents(const FoldInput& input, v1::SubjectState* state) {
  const v1::Event& event = input.event.event;
  if (event.has_attested()) {
    for (const std::string& digest : event.attested().events()) {
      Release(digest, nullptr, input, state);
    }
  } else if (event.has_signature_added()) {
    Release(event.signature_added().event(), &event.signature_added(), input, state);
  }
}

const v1::HeldEvent* FindHeldEvent(const v1::SubjectState& state, std::string_view event_digest) {
  for (const v1::HeldEvent& held : state.held_events()) {
    if (held.event_digest() == event_digest) return &held;
  }
  return nullptr;
}

absl::StatusOr<v1::SignedEvent> AddSignature(const v1::SignedEvent& signed_event,
                                             const v1::SignatureAdded& added) {
  v1::Signature signature;
  signature.set_statement(added.statement());
  signature.set_signature(added.signature());
  std::vector<std::pair<std::string, v1::Signature>> sorted;
  v1::SignedEvent with = signed_event;
  *with.add_signatures() = signature;
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent parsed, ReadRecordedEvent(with));
  for (const ParsedSignature& one : parsed.signatures) {
    const std::string& key_id = one.statement.key_id();
    const bool again = std::any_of(sorted.begin(), sorted.end(),
                                   [&](const auto& other) { return other.first == key_id; });
    if (!again) sorted.emplace_back(key_id, one.signature);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  with.clear_signatures();
  for (auto& [key_id, one] : sorted) *with.add_signatures() = std::move(one);
  return with;
}

}  // namespace custody
