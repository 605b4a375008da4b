#include "daemon/ledger/admission_queue.h"

#include <chrono>
#include <utility>

#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/ledger_refusals.h"

namespace custody {

absl::Status AdmissionQueue::Push(std::unique_ptr<QueueItem>* item) {
  {
    const std::lock_guard lock(mutex_);
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
  unverified_.notify_one();
  return absl::OkStatus();
}

QueueItem* AdmissionQueue::TakeUnverified() {
  std::unique_lock lock(mutex_);
  const auto has_work = [this](const LaneQueue& lane) { return lane.taken < lane.items.size(); };
  unverified_.wait(lock, [&] { return closed_ || has_work(lanes_[0]) || has_work(lanes_[1]); });
  const bool bulk_turn = ++turn_ % 4 == 0;
  for (const std::size_t which :
       {std::size_t{bulk_turn ? 1U : 0U}, std::size_t{bulk_turn ? 0U : 1U}}) {
    LaneQueue& lane = lanes_[which];
    if (has_work(lane)) return lane.items[lane.taken++].get();
  }
  return nullptr;
}

void AdmissionQueue::MarkVerified(QueueItem* item) {
  bool front_ready = false;
  {
    const std::lock_guard lock(mutex_);
    item->ready = true;
    front_ready = Of(item->lane).items.front()->ready;
  }
  if (front_ready) ready_.notify_one();
}

bool AdmissionQueue::FrontReady(Lane lane) {
  const LaneQueue& queue = Of(lane);
  return !queue.items.empty() && queue.items.front()->ready;
}

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
  std::unique_lock lock(mutex_);
  ready_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] {
    return woken_ || FrontReady(Lane::kSingle) || FrontReady(Lane::kBulk) ||
           (closed_ && lanes_[0].items.empty() && lanes_[1].items.empty());
  });
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
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  ready_.notify_one();
}

void AdmissionQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  unverified_.notify_all();
  ready_.notify_all();
}

bool AdmissionQueue::Exhausted() const {
  const std::lock_guard lock(mutex_);
  return closed_ && lanes_[0].items.empty() && lanes_[1].items.empty();
}

std::size_t AdmissionQueue::size() const {
  const std::lock_guard lock(mutex_);
  return lanes_[0].items.size() + lanes_[1].items.size();
}

}  // namespace custody
