#include "daemon/ledger/admission_queue.h"

#include <chrono>
#include <utility>

#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/ledger_refusals.h"

namespace custody {

absl::Status AdmissionQueue::Push(std::unique_ptr<QueueItem>* item) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return StoppingRefusal();
    LaneQueue& lane = Of((*item)->lane);
    const std::size_t waiting = lanes_[0].items.size() + lanes_[1].items.size();
    const bool bulk_full = (*item)->lane == Lane::kBulk && lane.items.size() >= bulk_events_max_;
    // One item is always let in, however large.
    if (waiting >= events_max_ || bulk_full ||
        (waiting > 0 && bytes_ + (*item)->bytes > bytes_max_)) {
      return OverloadedRefusal(waiting);
    }
    bytes_ += (*item)->bytes;
    lane.items.push_back(std::move(*item));
  }
  CrashPoint("admitted");
  unverified_.NotifyOne();
  return absl::OkStatus();
}

QueueItem* AdmissionQueue::TakeUnverified() {
  const MutexLock lock(mutex_);
  while (!closed_ && !HasUnverified(lanes_[0]) && !HasUnverified(lanes_[1])) {
    unverified_.Wait(mutex_);
  }
  const bool bulk_turn = ++turn_ % 4 == 0;
  for (const std::size_t which :
       {std::size_t{bulk_turn ? 1U : 0U}, std::size_t{bulk_turn ? 0U : 1U}}) {
    LaneQueue& lane = lanes_[which];
    if (HasUnverified(lane)) return lane.items[lane.taken++].get();
  }
  return nullptr;
}

void AdmissionQueue::MarkVerified(QueueItem* item) {
  bool front_ready = false;
  {
    const MutexLock lock(mutex_);
    item->ready = true;
    front_ready = Of(item->lane).items.front()->ready;
  }
  if (front_ready) ready_.NotifyOne();
}

bool AdmissionQueue::FrontReady(Lane lane) {
  const LaneQueue& queue = Of(lane);
  return !queue.items.empty() && queue.items.front()->ready;
}

bool AdmissionQueue::Empty() const { return lanes_[0].items.empty() && lanes_[1].items.empty(); }

std::unique_ptr<QueueItem> AdmissionQueue::PopFront(Lane which) {
  LaneQueue& lane = Of(which);
  std::unique_ptr<QueueItem> item = std::move(lane.items.front());
  lane.items.pop_front();
  --lane.taken;
  bytes_ -= item->bytes;
  return item;
}

std::vector<std::unique_ptr<QueueItem>> AdmissionQueue::PopReady(std::size_t count_max,
                                                                 std::int64_t timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  const MutexLock lock(mutex_);
  while (!woken_ && !FrontReady(Lane::kSingle) && !FrontReady(Lane::kBulk) &&
         !(closed_ && Empty()) && ready_.WaitUntil(mutex_, deadline)) {
  }
  woken_ = false;
  std::vector<std::unique_ptr<QueueItem>> items;
  while (items.size() < count_max) {
    const bool single = FrontReady(Lane::kSingle);
    const bool bulk = FrontReady(Lane::kBulk);
    if (!single && !bulk) break;
    const bool bulk_turn = items.size() % 4 == 3;
    items.push_back(PopFront(bulk && (bulk_turn || !single) ? Lane::kBulk : Lane::kSingle));
  }
  return items;
}

void AdmissionQueue::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  ready_.NotifyOne();
}

void AdmissionQueue::Close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  unverified_.NotifyAll();
  ready_.NotifyAll();
}

bool AdmissionQueue::Exhausted() const {
  const MutexLock lock(mutex_);
  return closed_ && Empty();
}

std::size_t AdmissionQueue::size() const {
  const MutexLock lock(mutex_);
  return lanes_[0].items.size() + lanes_[1].items.size();
}

}  // namespace custody
