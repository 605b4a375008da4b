// How rules read: states of subjects by key, as of one moment of the log.
//
// Backed by the sequencer's overlay in the daemon, by a snapshot for questions, by a bundle in the
// offline verifier.

#ifndef CUSTODY_LIFECYCLE_STATE_VIEW_H_
#define CUSTODY_LIFECYCLE_STATE_VIEW_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/subject.h"

namespace custody {

// An event on record, as rules about corrections need it.
struct RecordedEvent {
  // Catalogue code, for example "CLN-12".
  std::string code;
  std::vector<SubjectKey> subjects;
};

class StateView {
 public:
  virtual ~StateView() = default;

  // The state of a subject; nullptr if no entry touches it. The pointer lives until the view is
  // destroyed or advanced by its owner.
  //
  // Errors: kDataLoss if the stored bytes are damaged; kFailedPrecondition (E_MISSING) if the view
  // is a bundle that does not carry the subject: the caller must then answer "cannot verify".
  virtual absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const = 0;

  // The recorded event with this digest (32 bytes); nullopt if there is none. Only the rules of REC
  // events ask, so a view that is never asked by them leaves it as it is.
  //
  // Errors: kDataLoss; kFailedPrecondition from a view that knows no events.
  virtual absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_STATE_VIEW_H_
