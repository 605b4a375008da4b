#include "lifecycle/fold.h"

#include <algorithm>
#include <string>

#include "lifecycle/held_events.h"
#include "lifecycle/rules.h"
#include "lifecycle/suspect_keys.h"

namespace custody {
namespace {

void AdvanceChain(std::uint64_t index, const Digest& leaf_hash, v1::SubjectState* state) {
  if (state->event_count() == 0) state->set_first_index(index);
  state->set_event_count(state->event_count() + 1);
  state->set_head(std::string(leaf_hash.view()));
  state->set_last_index(index);
}

// Parts are counted on the subject that all of them name: the only primary one of the event, or,
// when there is none, the only source, such as the lot that a fill empties. A container that one
// part names would wait for the other parts forever.
bool CountsParts(const v1::Event& event, std::size_t subject_position) {
  if (!event.has_group() || event.group().parts() <= 1) return false;
  const auto& subjects = event.subjects();
  const auto count_of = [&](v1::SubjectRole role) {
    return std::count_if(subjects.begin(), subjects.end(),
                         [&](const v1::SubjectRef& ref) { return ref.role() == role; });
  };
  const v1::SubjectRole named_by_all =
      count_of(v1::SUBJECT_ROLE_PRIMARY) > 0 ? v1::SUBJECT_ROLE_PRIMARY : v1::SUBJECT_ROLE_SOURCE;
  return subjects[static_cast<int>(subject_position)].role() == named_by_all &&
         count_of(named_by_all) == 1;
}

void CountPart(const v1::Group& group, v1::SubjectState* state) {
  auto& open_groups = *state->mutable_open_groups();
  auto found = std::find_if(open_groups.begin(), open_groups.end(), [&](const v1::OpenGroup& open) {
    return open.group_id() == group.id();
  });
  if (found == open_groups.end()) {
    v1::OpenGroup& added = *open_groups.Add();
    added.set_group_id(group.id());
    added.set_parts(group.parts());
    found = open_groups.end() - 1;
  }
  auto& seen = *found->mutable_parts_seen();
  if (std::find(seen.begin(), seen.end(), group.part()) != seen.end()) return;
  seen.Add(group.part());
  if (static_cast<std::uint32_t>(seen.size()) >= found->parts()) open_groups.erase(found);
}

bool HasAuthorityFinding(std::span<const v1::Finding> findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const v1::Finding& finding) { return finding.authority(); });
}

// REC-04 and REC-07 have no effect of their own that could wait: another one is recorded instead.
bool LetsOthersCount(const v1::Event& event) {
  return event.has_attested() || event.has_signature_added();
}

void RunRule(const FoldInput& input, v1::SubjectState* state) {
  const Rule* rule = FindRule(input.event.event.body_case());
  if (rule != nullptr && rule->fold != nullptr && input.event.catalogue->row.evaluated()) {
    rule->fold(input, state);
  }
}

}  // namespace

bool FoldInput::Found(v1::ReasonCode code) const {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const v1::Finding& finding) { return finding.code() == code; });
}

void ApplyEntry(const ParsedEvent& event, std::uint64_t index, std::int64_t recorded_at_ms,
                const Digest& leaf_hash, std::span<const v1::Finding> findings,
                std::size_t subject_position, v1::SubjectState* state) {
  const SubjectKey& subject = event.subjects[subject_position];
  state->set_kind(subject.kind);
  state->set_id(subject.id);
  AdvanceChain(index, leaf_hash, state);
  if (CountsParts(event.event, subject_position)) CountPart(event.event.group(), state);

  const bool held = HasAuthorityFinding(findings);
  const FoldInput input{event,
                        index,
                        recorded_at_ms,
                        findings,
                        held ? Standing::kAdverseOnly : Standing::kFull,
                        subject,
                        event.event.subjects(static_cast<int>(subject_position)).role()};
  if (input.Found(v1::REASON_CODE_E_NOT_EVALUATED) && state->not_evaluated_since() == 0) {
    state->set_not_evaluated_since(index + 1);
  }
  RunRule(input, state);
  ReleaseHeldEvents(input, state);
  RememberSigners(input, state);
  if (held && !LetsOthersCount(event.event)) HoldEvent(input, state);
}

}  // namespace custody
