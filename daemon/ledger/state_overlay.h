// The states of subjects as of the last planned event: the store's under those of batches that are
// planned and not yet durable.
//
// Threads: one thread (the sequencer's).
// Owns:    a share of the snapshot that it reads.
// Limits:  subjects_max parsed states, beyond those of batches in flight.

#ifndef CUSTODY_DAEMON_LEDGER_STATE_OVERLAY_H_
#define CUSTODY_DAEMON_LEDGER_STATE_OVERLAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/state_view.h"
#include "storage/store.h"

namespace custody {

class StateOverlay final : public StateView {
 public:
  StateOverlay(std::shared_ptr<const ReadView> view, std::size_t subjects_max)
      : view_(std::move(view)), subjects_max_(subjects_max) {}

  // The pointer lives until Trim().
  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override;
  // Asks whoever knows the events that are planned and not yet durable.
  absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const override;
  using EventSource = std::function<absl::StatusOr<std::optional<RecordedEvent>>(std::string_view)>;
  void SetEventSource(EventSource source) { event_source_ = std::move(source); }

  // The state to change, marked as changed by the current batch; a new, empty one for an unknown
  // subject. Errors: as Find().
  absl::StatusOr<v1::SubjectState*> Change(const SubjectKey& key);

  // Subjects changed since the last EndBatch(), in order.
  const std::set<SubjectKey>& changed() const { return changed_; }
  // The current batch is closed; its states stay here until a view covers it.
  void EndBatch() { changed_.clear(), ++batch_; }
  // Batches closed so far: the number that AdvanceView() wants for "all of them".
  std::uint64_t batch() const { return batch_; }

  // From now on reads go to `view`, which holds the first `batches` batches.
  void AdvanceView(std::shared_ptr<const ReadView> view, std::uint64_t batches);
  const ReadView& view() const { return *view_; }

  // Forgets states that the view holds, if there are too many. Ends the life of pointers.
  void Trim();

  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct Slot {
    std::unique_ptr<v1::SubjectState> state;
    std::uint64_t changed_in = 0;  // Batch number plus one; 0: as in the store.
    std::uint64_t used = 0;
  };

  std::shared_ptr<const ReadView> view_;
  EventSource event_source_;
  std::size_t subjects_max_;
  std::uint64_t batch_ = 0;
  std::uint64_t view_batches_ = 0;
  std::set<SubjectKey> changed_;
  mutable absl::flat_hash_map<SubjectKey, Slot> slots_;
  mutable std::uint64_t tick_ = 0;
  mutable std::uint64_t hits_ = 0;
  mutable std::uint64_t misses_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_STATE_OVERLAY_H_
