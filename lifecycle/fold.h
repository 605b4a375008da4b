// The fold: how an entry changes the state of one subject that it touches.
//
// The new state depends on the old state and the entry, nothing else, so a bundle that carries a
// subject's chain is enough to compute its state. A rule that needs to look further is a guard;
// what it found is in the entry's findings, where the fold may read it.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_FOLD_H_
#define CUSTODY_LIFECYCLE_FOLD_H_

#include <cstdint>
#include <span>

#include "crypto/digest.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/parsed_event.h"

namespace custody {

// How far an event counts.
enum class Standing {
  // Everything.
  kFull,
  // Recorded with an authority finding: only what makes things stricter.
  kAdverseOnly,
  // The favourable rest of an event that counted kAdverseOnly before, now attested or
  // countersigned.
  kFavourableOnly,
};

// An event in its place in the log. During the fold of an attested event, `index` and
// `recorded_at_ms` are still those of the event itself.
struct FoldInput {
  const ParsedEvent& event;
  std::uint64_t index;
  std::int64_t recorded_at_ms;
  std::span<const v1::Finding> findings;
  Standing standing;
  // Which of the event's subjects this state is.
  SubjectKey subject;
  v1::SubjectRole role;

  // The entry carries this finding.
  bool Found(v1::ReasonCode code) const;
  // The event makes favourable changes (standing kFull or kFavourableOnly) / adverse ones.
  bool favourable() const { return standing != Standing::kAdverseOnly; }
  bool adverse() const { return standing != Standing::kFavourableOnly; }
};

// Advances `state` by one entry: the chain (event_count, head, indices), cases, holds, held events,
// groups, then the rules of the event's type. `state` of a first entry is empty.
//
//   leaf_hash   of the entry; becomes the head
void ApplyEntry(const ParsedEvent& event, std::uint64_t index, std::int64_t recorded_at_ms,
                const Digest& leaf_hash, std::span<const v1::Finding> findings,
                std::size_t subject_position, v1::SubjectState* state);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_FOLD_H_
