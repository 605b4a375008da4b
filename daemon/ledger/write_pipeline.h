// The threads of the write path: verify workers, the sequencer, the committer.
//
//   queue -> workers -> queue -> sequencer (BatchPlanner) -> slot -> committer
//
// A batch is whatever is waiting when the committer is free, up to the limits: while one batch
// syncs, the next is planned. Nothing waits for company.
//
// Threads: Submit() and the getters from any thread. Stop() from one.
// Owns:    its threads; what it was given must outlive it.

#ifndef CUSTODY_DAEMON_LEDGER_WRITE_PIPELINE_H_
#define CUSTODY_DAEMON_LEDGER_WRITE_PIPELINE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "daemon/ledger/admission_queue.h"
#include "daemon/ledger/batch_planner.h"
#include "daemon/ledger/committer.h"
#include "daemon/ledger/signature_verifier.h"

namespace custody {

class WritePipeline {
 public:
  WritePipeline(const LedgerOptions& options, Store& store, const Clock& clock,
                BatchPlanner& planner, Committer& committer, SignatureVerifier& verifier);
  // Stop().
  ~WritePipeline();
  WritePipeline(const WritePipeline&) = delete;
  WritePipeline& operator=(const WritePipeline&) = delete;

  // As AdmissionQueue::Push(), and kResourceExhausted E_DISK_FULL.
  absl::Status Submit(std::unique_ptr<QueueItem>* item);

  // Lets everything admitted through, then ends the threads.
  void Stop();
  // From now on nothing is planned or sealed; who waits is refused. From any thread.
  void Halt() { halted_.store(true, std::memory_order_relaxed); }

  std::size_t queue_size() const { return queue_.size(); }
  bool disk_full() const { return disk_full_.load(std::memory_order_relaxed); }
  // Why nothing can be planned any more; OK while it can.
  absl::Status plan_failure() const;
  bool clock_healthy() const { return clock_healthy_.load(std::memory_order_relaxed); }
  std::size_t pending_count() const { return pending_count_.load(std::memory_order_relaxed); }

 private:
  void RunSequencer();
  void PlanWaiting();
  void HandOver(bool seal);
  void CheckDisk();
  bool CanWrite() const;
  void RunCommitter();

  const LedgerOptions options_;
  Store& store_;
  const Clock& clock_;
  BatchPlanner& planner_;
  Committer& committer_;
  AdmissionQueue queue_;
  std::atomic<bool> disk_full_{false};
  std::atomic<bool> halted_{false};
  std::atomic<bool> clock_healthy_{true};
  std::atomic<std::size_t> pending_count_{0};
  std::int64_t disk_checked_ms_ = -1;  // The sequencer's.
  std::int64_t sealed_ms_ = 0;         // The sequencer's.

  mutable Mutex failure_mutex_;
  absl::Status plan_failure_ ABSL_GUARDED_BY(failure_mutex_);

  mutable Mutex slot_mutex_;
  CondVar slot_changed_;
  std::optional<PlannedBatch> slot_ ABSL_GUARDED_BY(slot_mutex_);
  bool committing_ ABSL_GUARDED_BY(slot_mutex_) = false;
  bool planned_all_ ABSL_GUARDED_BY(slot_mutex_) = false;

  std::optional<VerifierPool> workers_;
  std::thread sequencer_;
  std::thread committer_thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_WRITE_PIPELINE_H_
