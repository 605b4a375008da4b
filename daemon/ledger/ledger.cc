#include "daemon/ledger/ledger.h"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/batch_planner.h"
#include "daemon/ledger/committer.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/past_snapshot.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/signature_verifier.h"
#include "daemon/ledger/stopped_log.h"
#include "daemon/ledger/write_pipeline.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// The service key that consequences are signed with must be one that the log knows, and still good.
absl::Status CheckServiceKey(const RecoveredLedger& recovered, const SigningKey& key) {
  const LedgerReader reader(recovered.snapshot);
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* device,
                           reader.Find({v1::SUBJECT_KIND_DEVICE, recovered.service_device_id}));
  const std::string id = key.verify_key().key_id().ToHex();
  if (device != nullptr) {
    for (const v1::KeyState& known : device->device().keys()) {
      if (known.key_id() != key.verify_key().key_id().view()) continue;
      if (known.revoked_index() == 0) return absl::OkStatus();
      return absl::UnavailableError(absl::StrFormat(
          "the service key %s was revoked by entry %d; configure the one that was registered "
          "in its place",
          id, known.revoked_index() - 1));
    }
  }
  return absl::UnavailableError(absl::StrFormat(
      "the service key %s is not one that the log has enrolled; serve with the enrolled one and "
      "record KeyRegistered for device %s first",
      id, ToHex(recovered.service_device_id)));
}

// The state of a damaged store, as a line for logs and health.
std::string DamageText(const std::vector<DamagedPlace>& first, std::uint64_t count) {
  if (first.empty()) return "";
  const std::string others =
      count > 1 ? absl::StrFormat(" and %d other places are", count - 1) : " is";
  return absl::StrFormat(
      "%s: %s%s damaged; what rests on it is held back, the rest is served and recorded; stop the "
      "daemon and run custodyd repair",
      ReasonName(v1::REASON_CODE_E_DAMAGED), first.front().damage.where, others);
}

}  // namespace

std::string_view ModeName(LedgerMode mode) {
  switch (mode) {
    case LedgerMode::kServing:
      return "serving";
    case LedgerMode::kReadOnly:
      return "read-only";
    case LedgerMode::kDraining:
      return "draining";
    case LedgerMode::kStopped:
      return "stopped";
  }
  return "unknown";
}

// In the order of construction; destruction is the reverse.
struct Ledger::Parts {
  LedgerOptions options;
  LedgerKeys keys;
  Store& store;
  const Clock& clock;
  LedgerMetrics metrics;
  std::string origin;
  std::int64_t started_at_ms = 0;
  Digest entry0_leaf_hash;
  std::uint32_t rules_version = 0;
  std::shared_ptr<KnownDamage> damage;
  std::string start_note;  // Something that an operator should know, and that hinders nothing.

  mutable Mutex mutex;
  mutable CondVar changed;
  std::shared_ptr<const LedgerSnapshot> snapshot ABSL_GUARDED_BY(mutex);
  // Not OK: why nothing is written since Open().
  absl::Status read_only ABSL_GUARDED_BY(mutex);
  bool draining ABSL_GUARDED_BY(mutex) = false;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::uint64_t outstanding ABSL_GUARDED_BY(mutex) = 0;
  std::int64_t last_commit_at_ms ABSL_GUARDED_BY(mutex) = 0;

  Mutex listeners_mutex;
  std::map<std::uint64_t, std::function<void(std::uint64_t)>> listeners
      ABSL_GUARDED_BY(listeners_mutex);
  std::uint64_t next_listener ABSL_GUARDED_BY(listeners_mutex) = 1;

  PastSnapshots past;

  std::optional<AnchorWriter> anchor;
  std::optional<SignatureVerifier> verifier;
  std::optional<Committer> committer;
  std::optional<BatchPlanner> planner;
  std::optional<WritePipeline> pipeline;

  Parts(const LedgerOptions& o, LedgerKeys k, Store& s, const Clock& c)
      : options(o), keys(std::move(k)), store(s), clock(c) {}

  void Publish(const std::shared_ptr<const LedgerSnapshot>& newer);
  void Submit(RequestKind kind, std::unique_ptr<QueueItem> item);
  absl::Status WhyNot() const;
  // `failure` is that of the store.
  absl::Status WhyNotLocked(const absl::Status& failure) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Counts a request that will have an answer, or says why it is not taken.
  absl::Status Admit();
  // The first failure of the store, whoever met it.
  absl::Status StoreFailure() const;
  void StartWriting(RecoveredLedger recovered);
  absl::Status Upgrade(std::uint32_t format_version) const;
  // For the next start, after the last batch: the index, and the note of the head, which the next
  // batch would have written.
  void LeaveForNextStart() const;
};

void Ledger::Parts::Publish(const std::shared_ptr<const LedgerSnapshot>& newer) {
  bool longer = false;
  {
    const MutexLock lock(mutex);
    longer = newer->size() > snapshot->size();
    snapshot = newer;
    last_commit_at_ms = clock.WallMs();
  }
  changed.NotifyAll();
  if (!longer) return;
  anchor->Publish(newer->note);
  const MutexLock lock(listeners_mutex);
  for (const auto& [handle, listener] : listeners) listener(newer->size());
}

absl::Status Ledger::Parts::WhyNot() const {
  const absl::Status failure = StoreFailure();
  const MutexLock lock(mutex);
  return WhyNotLocked(failure);
}

absl::Status Ledger::Parts::WhyNotLocked(const absl::Status& failure) const {
  if (!read_only.ok()) return read_only;
  if (draining || stopped) return StoppingRefusal();
  return failure.ok() ? absl::OkStatus() : StoreRefusal();
}

absl::Status Ledger::Parts::Admit() {
  const absl::Status failure = StoreFailure();
  // Asked and counted at once: a drain that begins between the two would not wait for the request.
  const MutexLock lock(mutex);
  CUSTODY_RETURN_IF_ERROR(WhyNotLocked(failure));
  ++outstanding;
  return absl::OkStatus();
}

absl::Status Ledger::Parts::StoreFailure() const {
  if (committer && !committer->failed().ok()) return committer->failed();
  if (pipeline && !pipeline->plan_failure().ok()) return pipeline->plan_failure();
  return store.write_status();
}

void Ledger::Parts::Submit(RequestKind kind, std::unique_ptr<QueueItem> item) {
  item->kind = kind;
  item->admitted_at = std::chrono::steady_clock::now();
  ProposeCallback done = std::move(item->done);
  if (absl::Status status = Admit(); !status.ok()) {
    done(std::move(status));
    return;
  }
  item->done = [this, done](absl::StatusOr<ProposeOutcome> outcome) {
    done(std::move(outcome));
    const MutexLock lock(mutex);
    --outstanding;
    changed.NotifyAll();
  };
  if (absl::Status status = pipeline->Submit(&item); !status.ok()) {
    metrics.events_overloaded.fetch_add(1, std::memory_order_relaxed);
    item->done(std::move(status));
    return;
  }
  metrics.events_admitted.fetch_add(1, std::memory_order_relaxed);
}

void Ledger::Parts::StartWriting(RecoveredLedger recovered) {
  anchor.emplace(options.anchor_path, options.anchor_interval_ms_min, clock, metrics);
  SystemEvents system_events(origin, recovered.service_device_id, keys.service);
  // Before anything of the newer format is written.
  const absl::Status upgraded = Upgrade(recovered.format_version);
  committer.emplace(store, keys.LogSigners(), metrics, options.index_history_ms, recovered.snapshot,
                    [this](const auto& newer) { Publish(newer); });
  planner.emplace(options, std::move(recovered), std::move(system_events), clock, *verifier,
                  metrics);
  // A failed sync before the restart leaves the page cache in doubt: nothing is confirmed before
  // something new was synced.
  if (upgraded.ok()) committer->Commit(planner->Finish(true));
  absl::Status written = planner->failed().ok() ? committer->failed() : planner->failed();
  if (!upgraded.ok()) written = upgraded;
  if (!written.ok()) {
    const MutexLock lock(mutex);
    read_only = StoreRefusal();
    return;
  }
  pipeline.emplace(options, store, clock, *planner, *committer, *verifier);
}

absl::Status Ledger::Parts::Upgrade(std::uint32_t format_version) const {
  if (format_version == kFormatVersion) return absl::OkStatus();
  std::string format;
  AppendBigEndian32(kFormatVersion, &format);
  WriteBatch writes;
  writes.Put(KeyOfMeta(MetaKey::kFormat), format);
  return store.Apply(writes, Durability::kSynced);
}

void Ledger::Parts::LeaveForNextStart() const {
  if (!StoreFailure().ok()) return;
  std::shared_ptr<const LedgerSnapshot> last;
  {
    const MutexLock lock(mutex);
    last = snapshot;
  }
  // Whatever comes of both: without the note the next start signs the head again, without the file
  // it reads tiles and buckets.
  WriteBatch writes;
  writes.Put(KeyOfCheckpoint(last->size()), last->note);
  writes.Delete(KeyOfMeta(MetaKey::kStoppedIndex));
  store.Apply(writes, Durability::kUnsynced).IgnoreError();
  if (options.stopped_log == nullptr) return;
  options.stopped_log->Leave(*last->edge, last->index).IgnoreError();
}

Ledger::Ledger(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const LedgerOptions& options, Store& store,
                                                     const LedgerKeys& keys, const Clock& clock) {
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  CUSTODY_RETURN_IF_ERROR(store.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(RecoveredLedger recovered,
                           RecoverLedger(store, keys.LogSigners(), options.stopped_log));
  auto parts = std::make_unique<Parts>(options, keys, store, clock);
  Parts& p = *parts;
  p.origin = recovered.snapshot->checkpoint.origin;
  p.started_at_ms = clock.WallMs();
  p.entry0_leaf_hash = recovered.entry0_leaf_hash;
  p.rules_version = recovered.rules_version;
  p.damage = recovered.snapshot->damage;
  {
    const MutexLock lock(p.mutex);
    p.snapshot = recovered.snapshot;
  }
  const std::int64_t gap = p.started_at_ms - recovered.snapshot->recorded_at_ms;
  if (gap > options.start_gap_ms_max) {
    p.start_note = absl::StrFormat("the newest entry is %d days old", gap / 86'400'000);
  }
  p.verifier.emplace(
      p.origin,
      [&p] {
        const MutexLock lock(p.mutex);
        return p.snapshot;
      },
      p.metrics);
  absl::Status why_not = CheckAnchor(options.anchor_path, *recovered.snapshot, keys.LogVerifiers());
  if (why_not.ok()) why_not = CheckServiceKey(recovered, keys.service);
  if (why_not.ok() && options.before_writing) {
    why_not = options.before_writing(*recovered.snapshot);
  }
  if (why_not.ok()) {
    p.StartWriting(std::move(recovered));
  } else {
    const MutexLock lock(p.mutex);
    p.read_only = std::move(why_not);
  }
  return std::unique_ptr<Ledger>(new Ledger(std::move(parts)));
}

Ledger::~Ledger() { Shutdown(); }

void Ledger::Record(v1::SignedEvent signed_event, Lane lane, RecordCallback done) {
  auto item = std::make_unique<QueueItem>();
  item->lane = lane;
  item->bytes = signed_event.ByteSizeLong() + sizeof(QueueItem);
  item->signed_event = std::move(signed_event);
  item->done = [done = std::move(done)](absl::StatusOr<ProposeOutcome> outcome) {
    if (!outcome.ok()) return done(outcome.status());
    done(std::get<RecordOutcome>(std::move(outcome->result)));
  };
  parts_->Submit(RequestKind::kRecord, std::move(item));
}

void Ledger::Propose(v1::SignedEvent signed_event, ProposeCallback done) {
  auto item = std::make_unique<QueueItem>();
  item->bytes = signed_event.ByteSizeLong() + sizeof(QueueItem);
  item->signed_event = std::move(signed_event);
  item->done = std::move(done);
  parts_->Submit(RequestKind::kPropose, std::move(item));
}

void Ledger::Cosign(const Digest& event_digest, v1::Signature signature, SiteCheck check_site,
                    ProposeCallback done) {
  auto item = std::make_unique<QueueItem>();
  item->bytes = signature.ByteSizeLong() + sizeof(QueueItem);
  item->cosigned = event_digest;
  item->signature = std::move(signature);
  item->check_site = std::move(check_site);
  item->done = std::move(done);
  parts_->Submit(RequestKind::kCosign, std::move(item));
}

std::shared_ptr<const LedgerSnapshot> Ledger::Snapshot() const {
  const MutexLock lock(parts_->mutex);
  return parts_->snapshot;
}

absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> Ledger::SnapshotAt(std::uint64_t size) const {
  return parts_->past.At(Snapshot(), size);
}

std::uint64_t Ledger::WaitForSize(std::uint64_t size, std::int64_t timeout_ms) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  Parts& p = *parts_;
  const MutexLock lock(p.mutex);
  while (!p.stopped && p.snapshot->size() < size && p.changed.WaitUntil(p.mutex, deadline)) {
  }
  return p.snapshot->size();
}

std::uint64_t Ledger::AddSizeListener(std::function<void(std::uint64_t size)> listener) {
  const MutexLock lock(parts_->listeners_mutex);
  const std::uint64_t handle = parts_->next_listener++;
  parts_->listeners.emplace(handle, std::move(listener));
  return handle;
}

void Ledger::RemoveSizeListener(std::uint64_t handle) {
  const MutexLock lock(parts_->listeners_mutex);
  parts_->listeners.erase(handle);
}

absl::Status Ledger::Drain(std::int64_t timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  Parts& p = *parts_;
  const MutexLock lock(p.mutex);
  p.draining = true;
  while (p.outstanding != 0 && p.changed.WaitUntil(p.mutex, deadline)) {
  }
  if (p.outstanding == 0) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrFormat("%d requests are still without an answer", p.outstanding));
}

void Ledger::Shutdown() {
  {
    const MutexLock lock(parts_->mutex);
    parts_->draining = true;
    if (parts_->stopped) return;
  }
  if (parts_->pipeline) {
    parts_->pipeline->Stop();
    parts_->LeaveForNextStart();
  }
  {
    const MutexLock lock(parts_->mutex);
    parts_->stopped = true;
  }
  parts_->changed.NotifyAll();
}

void Ledger::RefuseWrites(absl::Status why) {
  // Started once, before anybody has the ledger.
  if (parts_->pipeline) parts_->pipeline->Halt();
  const MutexLock lock(parts_->mutex);
  if (parts_->read_only.ok()) parts_->read_only = std::move(why);
}

void Ledger::KeepWitnessed(std::string note) {
  if (parts_->committer) parts_->committer->KeepWitnessed(std::move(note));
}

LedgerStatus Ledger::Status() const {
  const Parts& p = *parts_;
  LedgerStatus status;
  status.origin = p.origin;
  status.log_vkey = FormatVkey(p.keys.log.verifier());
  status.rules_version = p.rules_version;
  status.started_at_ms = p.started_at_ms;
  status.entry0_leaf_hash = p.entry0_leaf_hash;
  const absl::Status why_not = p.WhyNot();
  MutexLock lock(p.mutex);
  status.tree_size = p.snapshot->size();
  status.root = p.snapshot->checkpoint.root;
  status.subject_count = p.snapshot->index.leaf_count();
  status.last_commit_at_ms = p.last_commit_at_ms;
  status.mode = p.stopped      ? LedgerMode::kStopped
                : p.draining   ? LedgerMode::kDraining
                : why_not.ok() ? LedgerMode::kServing
                               : LedgerMode::kReadOnly;
  lock.Unlock();
  status.mode_reason = why_not.ok() ? p.start_note : TextForOperator(why_not, p.StoreFailure());
  if (const auto failure = p.anchor ? p.anchor->failure() : std::nullopt; failure.has_value()) {
    status.anchor_failing = true;
    status.mode_reason += absl::StrFormat("%s%s", status.mode_reason.empty() ? "" : "; ",
                                          AnchorText(failure->status, failure->since_ms));
  }
  status.damage_count = p.damage->count();
  if (status.damage_count > 0) {
    status.mode_reason += absl::StrFormat("%s%s", status.mode_reason.empty() ? "" : "; ",
                                          DamageText(p.damage->Places(1), status.damage_count));
  }
  if (p.pipeline) {
    status.queue_events = p.pipeline->queue_size();
    status.pending_count = p.pipeline->pending_count();
    status.clock_healthy = p.pipeline->clock_healthy();
    status.disk_full = p.pipeline->disk_full();
  }
  return status;
}

KnownDamage& Ledger::known_damage() const { return *parts_->damage; }
const LedgerMetrics& Ledger::metrics() const { return parts_->metrics; }
const std::string& Ledger::origin() const { return parts_->origin; }
std::int64_t Ledger::NowMs() const { return parts_->clock.WallMs(); }

}  // namespace custody
