#include "daemon/ledger/write_pipeline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/thread_name.h"

namespace custody {
namespace {

constexpr std::int64_t kDiskCheckIntervalMs = 500;
constexpr std::int64_t kTickMs = 200;

}  // namespace

WritePipeline::WritePipeline(const LedgerOptions& options, Store& store, const Clock& clock,
                             BatchPlanner& planner, Committer& committer,
                             SignatureVerifier& verifier)
    : options_(options),
      store_(store),
      clock_(clock),
      planner_(planner),
      committer_(committer),
      queue_(options.queue_events_max, options.queue_bulk_events_max, options.queue_bytes_max),
      pending_count_(planner.pending_count()),
      sealed_ms_(clock.MonotonicMs()) {
  CheckDisk();
  workers_.emplace(options.verify_threads, queue_, verifier);
  committer_thread_ = std::thread([this] { RunCommitter(); });
  sequencer_ = std::thread([this] { RunSequencer(); });
}

WritePipeline::~WritePipeline() { Stop(); }

absl::Status WritePipeline::Submit(std::unique_ptr<QueueItem>* item) {
  if (disk_full()) return DiskFullRefusal();
  return queue_.Push(item);
}

void WritePipeline::Stop() {
  queue_.Close();
  if (sequencer_.joinable()) sequencer_.join();
  if (committer_thread_.joinable()) committer_thread_.join();
  workers_.reset();
}

absl::Status WritePipeline::plan_failure() const {
  const MutexLock lock(failure_mutex_);
  return plan_failure_;
}

bool WritePipeline::CanWrite() const {
  return !halted_.load(std::memory_order_relaxed) && planner_.failed().ok() &&
         committer_.failed().ok();
}

void WritePipeline::CheckDisk() {
  const std::int64_t now = clock_.MonotonicMs();
  if (disk_checked_ms_ >= 0 && now - disk_checked_ms_ < kDiskCheckIntervalMs) return;
  disk_checked_ms_ = now;
  const absl::StatusOr<std::uint64_t> free = store_.FreeBytes();
  if (!free.ok()) return;
  // A little more than the reserve ends it, so that it does not flutter.
  const std::uint64_t wanted = disk_full()
                                   ? options_.disk_reserve_bytes + options_.disk_reserve_bytes / 10
                                   : options_.disk_reserve_bytes;
  disk_full_.store(*free < wanted, std::memory_order_relaxed);
}

void WritePipeline::PlanWaiting() {
  const std::size_t room = planner_.room();
  const bool idle = !planner_.has_work();
  std::vector<std::unique_ptr<QueueItem>> items =
      queue_.PopReady(room, room == 0 ? 0 : (idle ? kTickMs : kTickMs / 4));
  const Committer::Progress progress = committer_.progress();
  planner_.AdvanceTo(progress.number, progress.snapshot);
  CheckDisk();
  for (std::unique_ptr<QueueItem>& item : items) {
    // Events differ in what they touch and write, so the limits are asked before each.
    if (planner_.full()) HandOver(false);
    if (!CanWrite()) {
      planner_.Refuse(std::move(item), StoreRefusal());
    } else if (disk_full()) {
      planner_.Refuse(std::move(item), DiskFullRefusal());
    } else {
      planner_.Plan(std::move(item));
    }
  }
  if (!planner_.failed().ok()) {
    const MutexLock lock(failure_mutex_);
    plan_failure_ = planner_.failed();
  }
  clock_healthy_.store(planner_.clock_healthy(), std::memory_order_relaxed);
  pending_count_.store(planner_.pending_count(), std::memory_order_relaxed);
}

void WritePipeline::HandOver(bool seal) {
  PlannedBatch batch = planner_.Finish(seal);
  CrashPoint("sealed");
  if (batch.sealed) sealed_ms_ = clock_.MonotonicMs();
  const MutexLock lock(slot_mutex_);
  while (slot_.has_value()) slot_changed_.Wait(slot_mutex_);
  slot_ = std::move(batch);
  slot_changed_.NotifyAll();
}

void WritePipeline::RunSequencer() {
  NameThread("sequencer");
  while (true) {
    PlanWaiting();
    const bool seal_due = CanWrite() && !disk_full() &&
                          clock_.MonotonicMs() - sealed_ms_ >= options_.seal_interval_ms_max;
    bool free = false;
    {
      const MutexLock lock(slot_mutex_);
      free = !committing_ && !slot_.has_value();
    }
    if ((planner_.has_work() || seal_due) && (free || planner_.full())) HandOver(seal_due);
    if (!planner_.has_work() && queue_.Exhausted()) break;
  }
  const MutexLock lock(slot_mutex_);
  planned_all_ = true;
  slot_changed_.NotifyAll();
}

void WritePipeline::RunCommitter() {
  NameThread("committer");
  while (true) {
    PlannedBatch batch;
    {
      const MutexLock lock(slot_mutex_);
      while (!slot_.has_value() && !planned_all_) slot_changed_.Wait(slot_mutex_);
      if (!slot_.has_value()) return;
      batch = *std::exchange(slot_, std::nullopt);
      committing_ = true;
    }
    slot_changed_.NotifyAll();
    CrashPoint("taken");
    committer_.Commit(std::move(batch));
    {
      const MutexLock lock(slot_mutex_);
      committing_ = false;
    }
    queue_.Wake();
  }
}

}  // namespace custody
