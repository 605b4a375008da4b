#include "daemon/ledger/batch_planner.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/status_macros.h"
#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/recording_view.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// What a rule or the ledger turned away, as against a store that failed.
bool IsRefusal(const absl::Status& status) { return RefusalOf(status).has_value(); }

absl::Status UnreadableRefusal(const absl::Status& unreadable) {
  return DamagedRefusal(absl::StatusCode::kFailedPrecondition, nullptr,
                        {"something that the event rests on", std::string(unreadable.message())});
}

}  // namespace

BatchPlanner::BatchPlanner(const LedgerOptions& options, RecoveredLedger recovered,
                           SystemEvents system_events, const Clock& clock,
                           SignatureVerifier& verifier, LedgerMetrics& metrics)
    : options_(options),
      origin_(recovered.snapshot->checkpoint.origin),
      system_events_(std::move(system_events)),
      verifier_(verifier),
      metrics_(metrics),
      clock_(clock, recovered.snapshot->recorded_at_ms),
      recorded_at_ms_(recovered.snapshot->recorded_at_ms),
      damage_(recovered.snapshot->damage),
      overlay_(std::shared_ptr<const ReadView>(recovered.snapshot, recovered.snapshot->view.get()),
               options.state_cache_subjects_max),
      builder_(overlay_, std::move(recovered.tree), std::move(recovered.index)) {
  builder_.KeepIndexHistory(true);
  overlay_.SetEventSource(
      [this](std::string_view digest) -> absl::StatusOr<std::optional<RecordedEvent>> {
        const absl::StatusOr<Digest> named = Digest::FromBytes(digest);
        if (!named.ok()) return std::nullopt;
        CUSTODY_ASSIGN_OR_RETURN(const auto event, FindRecorded(*named));
        if (!event.has_value()) return std::nullopt;
        return RecordedEvent{std::string((*event)->code()), (*event)->subjects};
      });
  for (v1::PendingEvent& pending : recovered.pending) {
    v1::Event event;
    if (event.ParseFromString(pending.signed_event().event())) {
      reserved_ids_[event.event_id()] = pending.event_digest();
    }
    const std::string digest = pending.event_digest();
    pending_[digest] = std::move(pending);
  }
}

bool BatchPlanner::full() const {
  return room() == 0 || builder_.touches() >= options_.batch_touches_max;
}

std::size_t BatchPlanner::room() const {
  const std::size_t used = std::max<std::size_t>(answers_.size(), events_);
  const bool no_bytes = builder_.write_bytes() >= options_.batch_bytes_max;
  return used >= options_.batch_events_max || no_bytes ? 0 : options_.batch_events_max - used;
}

std::int64_t BatchPlanner::Now() {
  const ClockReading reading = clock_.Read();
  clock_healthy_ = reading.healthy;
  if (!reading.healthy) metrics_.clock_unhealthy.fetch_add(1, std::memory_order_relaxed);
  recorded_at_ms_ = std::max(recorded_at_ms_, reading.now_ms);
  return recorded_at_ms_;
}

EvaluationInput BatchPlanner::Input(bool from_ledger) const {
  EvaluationInput input;
  input.recorded_at_ms = recorded_at_ms_;
  input.clock_healthy = clock_healthy_;
  input.from_ledger = from_ledger;
  return input;
}

void BatchPlanner::Answer(QueueItem* item, Result result) {
  if (const auto* status = std::get_if<absl::Status>(&result)) {
    metrics_.events_refused.fetch_add(1, std::memory_order_relaxed);
    if (const std::optional<v1::Refusal> refusal = RefusalOf(*status)) {
      for (const v1::RefusalReason& reason : refusal->reasons()) {
        const auto code = static_cast<std::size_t>(reason.code());
        if (code < LedgerMetrics::kReasonsMax) metrics_.refused_by_reason[code].fetch_add(1);
      }
    }
  }
  answers_.push_back({std::exchange(item->done, nullptr), item->admitted_at, std::move(result)});
}

void BatchPlanner::Refuse(std::unique_ptr<QueueItem> item, absl::Status status) {
  Answer(item.get(), std::move(status));
}

void BatchPlanner::Plan(std::unique_ptr<QueueItem> item) {
  const auto begin = std::chrono::steady_clock::now();
  if (failed_.ok()) {
    Now();
    appending_ = false;
    absl::StatusOr<Result> result = Decide(item.get());
    if (result.ok()) {
      Answer(item.get(), *std::move(result));
    } else {
      failed_ = result.status();
    }
  }
  if (item->done) Answer(item.get(), StoreRefusal());
  CrashPoint("planned");
  metrics_.plan_us.Observe(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::steady_clock::now() - begin)
                                     .count()));
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::Decide(QueueItem* item) {
  if (absl::IsDataLoss(item->verified)) return Result(UnreadableRefusal(item->verified));
  // The worker could not read: whoever asks again finds out whether that lasts.
  if (item->verified.code() == absl::StatusCode::kInternal) return Result(StoreRefusal());
  if (!item->verified.ok()) return Result(item->verified);
  absl::StatusOr<Result> result =
      item->kind == RequestKind::kCosign ? DecideCosign(item) : DecideEvent(item);
  // What is turned away on the way is an answer; everything else is a failure of the store.
  if (!result.ok() && IsRefusal(result.status())) return Result(result.status());
  // Bytes that are damaged at rest hinder who needs them, and nobody else. Half an event cannot be
  // taken back.
  if (absl::IsDataLoss(result.status()) && !appending_) {
    return Result(UnreadableRefusal(result.status()));
  }
  return result;
}

absl::Status BatchPlanner::CheckKeys(const QueueItem& item) {
  for (const std::size_t position : item.recheck) {
    metrics_.keys_rechecked.fetch_add(1, std::memory_order_relaxed);
    const ParsedSignature& signature =
        item.event != nullptr ? item.event->signatures[position] : *item.added;
    bool unknown = false;
    CUSTODY_RETURN_IF_ERROR(verifier_.VerifySignature(overlay_, signature, &unknown));
    if (unknown) return UnknownKeyRefusal(Describe(signature.signer));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::pair<Digest, std::uint64_t>>> BatchPlanner::FindId(
    const std::string& event_id) const {
  using Found = std::optional<std::pair<Digest, std::uint64_t>>;
  const auto flying = in_flight_.find(event_id);
  if (flying != in_flight_.end()) {
    return Found({flying->second.event->digest, flying->second.index});
  }
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, overlay_.view().Get(KeyOfEventId(event_id)));
  if (!bytes.has_value()) return Found();
  CUSTODY_ASSIGN_OR_RETURN(const EventIdRecord record, DecodeEventIdRecord(*bytes));
  return Found({record.event_digest, record.index});
}

absl::StatusOr<std::optional<std::shared_ptr<const ParsedEvent>>> BatchPlanner::FindRecorded(
    const Digest& event_digest) const {
  using Found = std::optional<std::shared_ptr<const ParsedEvent>>;
  const auto flying = in_flight_digests_.find(event_digest);
  if (flying != in_flight_digests_.end()) return Found(in_flight_.at(flying->second).event);
  CUSTODY_ASSIGN_OR_RETURN(std::optional<ParsedEvent> event,
                           ReadEventByDigest(overlay_.view(), event_digest));
  if (!event.has_value()) return Found();
  return Found(std::make_shared<const ParsedEvent>(*std::move(event)));
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::DecideEvent(QueueItem* item) {
  const ParsedEvent& event = *item->event;
  CUSTODY_ASSIGN_OR_RETURN(const auto known, FindId(event.event.event_id()));
  // Only the holder of a key may learn what is recorded, so keys come first.
  CUSTODY_RETURN_IF_ERROR(CheckKeys(*item));
  if (known.has_value()) {
    if (known->first != event.digest) {
      return DuplicateConflictRefusal(event.event.event_id(), known->first);
    }
    metrics_.events_duplicate.fetch_add(1, std::memory_order_relaxed);
    return Result(RecordedAt{known->second, true, {}});
  }
  const auto reserved = reserved_ids_.find(event.event.event_id());
  if (reserved != reserved_ids_.end()) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(reserved->second));
    if (digest != event.digest) return DuplicateConflictRefusal(event.event.event_id(), digest);
    if (item->kind == RequestKind::kPropose) {
      return SignPending(pending_.at(reserved->second), event.signatures);
    }
  }
  return Admit(item->event, item->kind == RequestKind::kPropose);
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::Admit(const std::shared_ptr<ParsedEvent>& event,
                                                         bool may_wait) {
  const RecordingView view(overlay_);
  const StateView& states = damage_->holds_back() ? static_cast<const StateView&>(view) : overlay_;
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(states, *event, Input(false)));
  CUSTODY_RETURN_IF_ERROR(CheckWhole(*event, view.Read()));
  if (!evaluation.verdict.ok()) {
    if (evaluation.pending && may_wait) return KeepPending(*event, evaluation);
    if (evaluation.pending) return Result(evaluation.verdict);
    return RefuseAttempt(*event, evaluation.verdict);
  }
  int budget = kConsequencesMax;
  CUSTODY_ASSIGN_OR_RETURN(AppendedEntry entry, Append(event, evaluation.acceptance, 0, &budget));
  DropPending(std::string(event->digest.view()));
  metrics_.events_recorded.fetch_add(1, std::memory_order_relaxed);
  return Result(RecordedAt{entry.index, false, std::move(entry.bytes)});
}

absl::Status BatchPlanner::CheckWhole(const ParsedEvent& event,
                                      const std::vector<SubjectKey>& read) const {
  for (const SubjectKey& subject : event.subjects) {
    CUSTODY_RETURN_IF_ERROR(overlay_.Find(subject).status());
  }
  if (!damage_->holds_back()) return absl::OkStatus();
  std::set<SubjectKey> concerned(event.subjects.begin(), event.subjects.end());
  // An observation says what happened, whatever the rules would have read for a decision.
  if (!event.catalogue->is_observation()) concerned.insert(read.begin(), read.end());
  for (const SubjectKey& subject : concerned) {
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<Damage> damage,
                             damage_->OfSubject(overlay_.view(), subject));
    if (damage.has_value()) {
      return DamagedRefusal(absl::StatusCode::kFailedPrecondition, &subject, *damage);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<AppendedEntry> BatchPlanner::Append(const std::shared_ptr<const ParsedEvent>& event,
                                                   const Acceptance& acceptance, int depth,
                                                   int* budget) {
  appending_ = true;
  CUSTODY_ASSIGN_OR_RETURN(AppendedEntry entry,
                           builder_.AppendEvent(*event, recorded_at_ms_, acceptance.findings));
  ++events_;
  metrics_.findings_recorded.fetch_add(acceptance.findings.size(), std::memory_order_relaxed);
  const std::string& id = event->event.event_id();
  in_flight_digests_[event->digest] = id;
  in_flight_[id] = {number_, entry.index, event};
  in_flight_order_.emplace_back(number_, id);
  CUSTODY_RETURN_IF_ERROR(AppendConsequences(*event, entry, acceptance, depth, budget));
  return entry;
}

absl::StatusOr<bool> BatchPlanner::AppendConsequence(absl::StatusOr<ParsedEvent> made, int depth,
                                                     int* budget) {
  if (!made.ok() || depth >= kConsequenceDepthMax || (*budget)-- <= 0) return false;
  const auto event = std::make_shared<const ParsedEvent>(*std::move(made));
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(overlay_, *event, Input(true)));
  if (!evaluation.verdict.ok()) return false;
  const absl::Status status = Append(event, evaluation.acceptance, depth + 1, budget).status();
  if (!status.ok() && !IsRefusal(status)) return status;
  return status.ok();
}

absl::Status BatchPlanner::AppendConsequences(const ParsedEvent& cause, const AppendedEntry& entry,
                                              const Acceptance& acceptance, int depth,
                                              int* budget) {
  std::uint32_t ordinal = 0;
  for (const v1::Event& body : acceptance.consequences) {
    std::string id = ConsequenceEventId(entry.leaf_hash, ordinal++, recorded_at_ms_);
    CUSTODY_ASSIGN_OR_RETURN(
        const bool recorded,
        AppendConsequence(
            system_events_.Make(body, std::move(id), recorded_at_ms_, cause.event.site_id()), depth,
            budget));
    // The cause is recorded all the same: what happened is never refused for want of a consequence.
    auto& count = recorded ? metrics_.consequences_recorded : metrics_.consequences_refused;
    count.fetch_add(1, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

std::size_t BatchPlanner::pending_count() const { return pending_.size(); }

absl::StatusOr<std::uint32_t> BatchPlanner::RulesVersion() const {
  const SubjectKey ledger{v1::SUBJECT_KIND_LEDGER,
                          std::string(Sha256(origin_).view().substr(0, 16))};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(ledger));
  const std::uint32_t version = state == nullptr ? 0 : state->ledger().rules_version();
  return version == 0 ? kRulesVersion : version;
}

PlannedBatch BatchPlanner::Finish(bool seal) {
  DropLapsed();
  PlannedBatch batch;
  batch.number = number_++;
  batch.answers = std::exchange(answers_, {});
  if (failed_.ok() && (events_ > 0 || seal)) {
    Now();
    absl::StatusOr<std::uint32_t> version = RulesVersion();
    absl::StatusOr<SealedLog> sealed =
        version.ok() ? builder_.AppendSeal(recorded_at_ms_, *version) : version.status();
    if (sealed.ok()) {
      batch.sealed = *std::move(sealed);
      batch.sealed->checkpoint.origin = origin_;
      unconfirmed_.push_back({batch.number, batch.sealed->index_sequence, overlay_.batch()});
      batch.entries = events_ + 1;
    } else {
      failed_ = sealed.status();
    }
  }
  batch.writes = builder_.TakeWrites();
  if (!failed_.ok()) {
    batch.writes.Clear();
    batch.sealed.reset();
    for (PlannedAnswer& answer : batch.answers) answer.result = StoreRefusal();
  }
  batch.recorded_at_ms = recorded_at_ms_;
  batch.pending_count = pending_.size();
  events_ = 0;
  return batch;
}

void BatchPlanner::AdvanceTo(std::uint64_t number,
                             const std::shared_ptr<const LedgerSnapshot>& snapshot) {
  std::optional<Durable> newest;
  while (!unconfirmed_.empty() && unconfirmed_.front().number <= number) {
    newest = unconfirmed_.front();
    unconfirmed_.pop_front();
  }
  if (newest.has_value()) {
    builder_.MarkDurable(newest->index_sequence);
    overlay_.AdvanceView(std::shared_ptr<const ReadView>(snapshot, snapshot->view.get()),
                         newest->states_batch);
    while (!in_flight_order_.empty() && in_flight_order_.front().first <= newest->number) {
      const auto found = in_flight_.find(in_flight_order_.front().second);
      in_flight_digests_.erase(found->second.event->digest);
      in_flight_.erase(found);
      in_flight_order_.pop_front();
    }
  }
  overlay_.Trim();
  metrics_.state_cache_hits.store(overlay_.hits(), std::memory_order_relaxed);
  metrics_.state_cache_misses.store(overlay_.misses(), std::memory_order_relaxed);
}

}  // namespace custody
