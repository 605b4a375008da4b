// The bounded queue between the callers, the verify workers and the sequencer.
//
// Two lanes; within a lane, items reach the sequencer in the order in which they were pushed,
// whatever order the workers finish in. Pushing never blocks.
//
// Threads: every method may be called from any thread; PopReady() from one.
// Limits:  events_max and bytes_max over both lanes, bulk_events_max for the bulk lane.

#ifndef CUSTODY_DAEMON_LEDGER_ADMISSION_QUEUE_H_
#define CUSTODY_DAEMON_LEDGER_ADMISSION_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "daemon/ledger/queue_item.h"

namespace custody {

class AdmissionQueue {
 public:
  AdmissionQueue(std::size_t events_max, std::size_t bulk_events_max, std::size_t bytes_max)
      : events_max_(events_max), bulk_events_max_(bulk_events_max), bytes_max_(bytes_max) {}

  // Takes the item when it returns OK and leaves it alone otherwise.
  // Errors: kResourceExhausted E_OVERLOADED with retry_after_ms; kUnavailable E_STOPPING after
  // Close().
  absl::Status Push(std::unique_ptr<QueueItem>* item);

  // The next item to verify; waits for one. nullptr after Close(), when none is left. The item
  // stays the queue's.
  QueueItem* TakeUnverified();
  void MarkVerified(QueueItem* item);

  // Verified items, at most `count_max`, three single ones for each bulk one when both wait. Waits
  // until there is one, Wake() was called, the timeout is over, or the queue is closed.
  std::vector<std::unique_ptr<QueueItem>> PopReady(std::size_t count_max, std::int64_t timeout_ms);

  // Ends the current or next wait of PopReady().
  void Wake();
  // No more items; what is in the queue still comes out.
  void Close();
  bool Exhausted() const;

  std::size_t size() const;

 private:
  struct LaneQueue {
    std::deque<std::unique_ptr<QueueItem>> items;
    std::size_t taken = 0;  // Items from the front that a worker has taken.
  };

  LaneQueue& Of(Lane lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return lanes_[lane == Lane::kSingle ? 0 : 1];
  }
  static bool HasUnverified(const LaneQueue& lane) { return lane.taken < lane.items.size(); }
  bool FrontReady(Lane lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Empty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<QueueItem> PopFront(Lane lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t events_max_;
  const std::size_t bulk_events_max_;
  const std::size_t bytes_max_;

  mutable Mutex mutex_;
  CondVar unverified_;
  CondVar ready_;
  std::array<LaneQueue, 2> lanes_ ABSL_GUARDED_BY(mutex_);
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint32_t turn_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ADMISSION_QUEUE_H_
