#include "daemon/ledger/committer.h"

#include <chrono>
#include <utility>

#include "base/status_macros.h"
#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

std::uint64_t MicrosSince(std::chrono::steady_clock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - begin)
                                        .count());
}

}  // namespace

Committer::Progress Committer::progress() const {
  const MutexLock lock(mutex_);
  return {number_, snapshot_};
}

absl::Status Committer::failed() const {
  const MutexLock lock(mutex_);
  return failed_;
}

void Committer::KeepWitnessed(std::string note) {
  const MutexLock lock(mutex_);
  witnessed_ = std::move(note);
}

std::string Committer::TakeWitnessed() {
  const MutexLock lock(mutex_);
  return std::exchange(witnessed_, std::string());
}

void Committer::Fail(const absl::Status& status) {
  metrics_.commit_failures.fetch_add(1, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  if (failed_.ok()) failed_ = status;
}

absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> Committer::Write(PlannedBatch* batch) {
  const std::shared_ptr<const LedgerSnapshot> before = progress().snapshot;
  // The note of the batch before was signed after its write, so it travels with this one.
  if (batch->sealed) batch->writes.Put(KeyOfCheckpoint(before->size()), before->note);
  if (batch->sealed) {
    const std::string witnessed = TakeWitnessed();
    if (!witnessed.empty()) batch->writes.Put(KeyOfMeta(MetaKey::kWitnessed), witnessed);
  }
  metrics_.batch_bytes.Observe(batch->writes.bytes());
  const auto begin = std::chrono::steady_clock::now();
  CUSTODY_RETURN_IF_ERROR(store_.Apply(batch->writes, Durability::kSynced));
  CrashPoint("written");
  metrics_.commit_sync_us.Observe(MicrosSince(begin));

  auto after = std::make_shared<LedgerSnapshot>();
  CUSTODY_ASSIGN_OR_RETURN(after->view, store_.OpenView());
  after->recorded_at_ms = batch->recorded_at_ms;
  after->damage = before->damage;
  if (!batch->sealed) {
    after->checkpoint = before->checkpoint;
    after->note = before->note;
    after->edge = before->edge;
    after->index = before->index;
    return after;
  }
  after->checkpoint = batch->sealed->checkpoint;
  after->edge = batch->sealed->edge;
  after->index = batch->sealed->index;
  CUSTODY_ASSIGN_OR_RETURN(after->note, SignCheckpoint(after->checkpoint, signers_));
  CrashPoint("signed");
  metrics_.batch_events.Observe(batch->entries);
  metrics_.batches_committed.fetch_add(1, std::memory_order_relaxed);
  metrics_.seals_committed.fetch_add(1, std::memory_order_relaxed);
  return after;
}

void Committer::Answer(PlannedBatch* batch, const LedgerSnapshot& snapshot,
                       std::uint64_t newest_begin) {
  if (known_nodes_.size() > kKnownNodesMax) known_nodes_.clear();
  const ReceiptMaker receipts(snapshot, newest_begin, &known_nodes_);
  for (PlannedAnswer& answer : batch->answers) {
    absl::StatusOr<ProposeOutcome> outcome = absl::UnknownError("");
    if (auto* status = std::get_if<absl::Status>(&answer.result)) {
      outcome = std::move(*status);
    } else if (auto* pending = std::get_if<v1::PendingEvent>(&answer.result)) {
      outcome = ProposeOutcome{std::move(*pending)};
    } else {
      RecordedAt& recorded = std::get<RecordedAt>(answer.result);
      absl::StatusOr<v1::Receipt> receipt =
          receipts.Make(recorded.index, std::move(recorded.entry));
      // The entry is durable; only showing it failed. A retry finds it.
      outcome = receipt.ok() ? absl::StatusOr<ProposeOutcome>(ProposeOutcome{
                                   RecordOutcome{*std::move(receipt), recorded.already_recorded}})
                             : absl::StatusOr<ProposeOutcome>(StoreRefusal());
    }
    metrics_.record_us.Observe(MicrosSince(answer.admitted_at));
    CrashPoint("answering");
    answer.done(std::move(outcome));
  }
}

void Committer::KeepIndexHistory(const PlannedBatch& batch, const LedgerSnapshot& snapshot) {
  const absl::StatusOr<WriteBatch> writes =
      index_history_.AfterBatch(snapshot, batch.sealed->index_buckets);
  const absl::Status kept =
      writes.ok() ? store_.Apply(*writes, Durability::kUnsynced) : writes.status();
  if (!kept.ok()) Fail(kept);
}

void Committer::Commit(PlannedBatch batch) {
  std::shared_ptr<const LedgerSnapshot> snapshot = progress().snapshot;
  const std::uint64_t newest_begin = batch.sealed ? snapshot->size() : ~std::uint64_t{0};
  if (failed().ok() && !batch.writes.empty()) {
    absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> written = Write(&batch);
    if (written.ok()) {
      snapshot = *std::move(written);
      const MutexLock lock(mutex_);
      snapshot_ = snapshot;
    } else {
      Fail(written.status());
    }
  }
  if (!failed().ok()) {
    for (PlannedAnswer& answer : batch.answers) answer.done(StoreRefusal());
    return;
  }
  {
    const MutexLock lock(mutex_);
    number_ = batch.number;
  }
  if (!batch.writes.empty()) publish_(snapshot);
  CrashPoint("published");
  Answer(&batch, *snapshot, newest_begin);
  CrashPoint("answered");
  if (batch.sealed) KeepIndexHistory(batch, *snapshot);
}

}  // namespace custody
