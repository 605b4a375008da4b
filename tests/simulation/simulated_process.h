// The write path of one process, stepped by hand: the queue, the verifier, the planner, the
// committer and the recovery are the daemon's own; only its threads are missing.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SIMULATION_SIMULATED_PROCESS_H_
#define CUSTODY_TESTS_SIMULATION_SIMULATED_PROCESS_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "daemon/ledger/admission_queue.h"
#include "daemon/ledger/batch_planner.h"
#include "daemon/ledger/committer.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/signature_verifier.h"

namespace custody {

class SimulatedProcess {
 public:
  // As Ledger::Open(): recovers, then writes and syncs a seal (unless `trusts_cache`, a planted
  // bug). `clock` must outlive it. Errors: those of recovery. A failed first write is found in
  // failed().
  static absl::StatusOr<std::unique_ptr<SimulatedProcess>> Start(std::unique_ptr<Store> store,
                                                                 const LedgerOptions& options,
                                                                 const LedgerKeys& keys,
                                                                 const Clock& clock,
                                                                 bool trusts_cache);

  // Answered in a later step, or never.
  void Submit(const v1::SignedEvent& event, ProposeCallback done);

  // Each does one thing of the thread it is named after, if there is one to do; false: there is
  // none.
  bool StepVerifier();
  bool StepSequencer(bool seal);
  bool StepCommitter();

  // Not OK: nothing is written any more.
  absl::Status failed() const;
  std::shared_ptr<const LedgerSnapshot> snapshot() const { return committer_->progress().snapshot; }

 private:
  SimulatedProcess(std::unique_ptr<Store> store, const LedgerOptions& options);
  void HandOver(bool seal);

  // In the order of construction.
  const std::unique_ptr<Store> store_;
  LedgerMetrics metrics_;
  AdmissionQueue queue_;
  std::size_t unverified_ = 0;
  std::optional<SignatureVerifier> verifier_;
  std::optional<Committer> committer_;
  std::optional<BatchPlanner> planner_;
  std::optional<PlannedBatch> slot_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SIMULATION_SIMULATED_PROCESS_H_
