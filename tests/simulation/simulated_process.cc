#include "tests/simulation/simulated_process.h"

#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "daemon/ledger/ledger_refusals.h"

namespace custody {

SimulatedProcess::SimulatedProcess(std::unique_ptr<Store> store, const LedgerOptions& options)
    : store_(std::move(store)),
      queue_(options.queue_events_max, options.queue_bulk_events_max, options.queue_bytes_max) {}

absl::StatusOr<std::unique_ptr<SimulatedProcess>> SimulatedProcess::Start(
    std::unique_ptr<Store> store, const LedgerOptions& options, const LedgerKeys& keys,
    const Clock& clock, bool trusts_cache) {
  std::unique_ptr<SimulatedProcess> process(new SimulatedProcess(std::move(store), options));
  SimulatedProcess& p = *process;
  CUSTODY_RETURN_IF_ERROR(p.store_->AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(RecoveredLedger recovered, RecoverLedger(*p.store_, keys.LogSigners()));
  const std::string origin = recovered.snapshot->checkpoint.origin;
  p.verifier_.emplace(
      origin, [&p] { return p.snapshot(); }, p.metrics_);
  p.committer_.emplace(*p.store_, keys.LogSigners(), p.metrics_, options.index_history_ms,
                       recovered.snapshot, [](const auto&) {});
  SystemEvents system_events(origin, recovered.service_device_id, keys.service);
  p.planner_.emplace(options, std::move(recovered), std::move(system_events), clock, *p.verifier_,
                     p.metrics_);
  if (!trusts_cache) p.committer_->Commit(p.planner_->Finish(true));
  return process;
}

void SimulatedProcess::Submit(const v1::SignedEvent& event, ProposeCallback done) {
  auto item = std::make_unique<QueueItem>();
  item->signed_event = event;
  item->done = std::move(done);
  item->bytes = event.ByteSizeLong();
  if (absl::Status pushed = queue_.Push(&item); !pushed.ok()) {
    item->done(std::move(pushed));
    return;
  }
  ++unverified_;
}

bool SimulatedProcess::StepVerifier() {
  if (unverified_ == 0) return false;
  --unverified_;
  QueueItem* const item = queue_.TakeUnverified();
  verifier_->VerifyItem(item);
  queue_.MarkVerified(item);
  return true;
}

absl::Status SimulatedProcess::failed() const {
  return planner_->failed().ok() ? committer_->failed() : planner_->failed();
}

void SimulatedProcess::HandOver(bool seal) {
  if (slot_.has_value()) StepCommitter();
  slot_ = planner_->Finish(seal);
}

bool SimulatedProcess::StepSequencer(bool seal) {
  std::vector<std::unique_ptr<QueueItem>> items = queue_.PopReady(planner_->room(), 0);
  const Committer::Progress progress = committer_->progress();
  planner_->AdvanceTo(progress.number, progress.snapshot);
  for (std::unique_ptr<QueueItem>& item : items) {
    if (planner_->full()) HandOver(false);
    if (failed().ok()) {
      planner_->Plan(std::move(item));
    } else {
      planner_->Refuse(std::move(item), StoreRefusal());
    }
  }
  const bool hands_over =
      (planner_->has_work() || (seal && failed().ok())) && (!slot_.has_value() || planner_->full());
  if (hands_over) HandOver(seal);
  return hands_over || !items.empty();
}

bool SimulatedProcess::StepCommitter() {
  if (!slot_.has_value()) return false;
  committer_->Commit(*std::exchange(slot_, std::nullopt));
  return true;
}

}  // namespace custody
