// Decisions that wait for signatures, added signatures, and refused attempts at the bedside.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "crypto/random.h"
#include "daemon/ledger/batch_planner.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/denied_attempt.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kWindowMsDefault = std::int64_t{24} * 60 * kMinuteMs;
// The first attempts of an order are always recorded (REC-08), later ones so often.
constexpr std::uint32_t kAttemptsAlways = 2;
constexpr std::int64_t kAttemptIntervalMs = 60'000;
constexpr std::size_t kAttemptsRemembered = 10'000;

std::int64_t WindowMs(const CatalogueEntry& catalogue) {
  const std::int64_t minutes = catalogue.row.window_minutes();
  return minutes == 0 ? kWindowMsDefault : minutes * kMinuteMs;
}

absl::StatusOr<std::string> KeyIdOf(const v1::Signature& signature) {
  v1::SignatureStatement statement;
  if (!statement.ParseFromString(signature.statement())) {
    return absl::DataLossError("a statement of a pending decision does not parse");
  }
  return statement.key_id();
}

bool SameBytes(const v1::Signature& first, const v1::Signature& second) {
  return first.statement() == second.statement() && first.signature() == second.signature();
}

// Adds the signature in the order of the key ids; false if exactly this one is there already, so
// that a call whose answer was lost may be repeated.
absl::StatusOr<bool> InsertSignature(const ParsedSignature& added, v1::SignedEvent* signed_event) {
  int place = 0;
  for (const v1::Signature& signature : signed_event->signatures()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string key_id, KeyIdOf(signature));
    const int order = key_id.compare(added.statement.key_id());
    if (order == 0 && SameBytes(signature, added.signature)) return false;
    if (order == 0) return AlreadySignedRefusal();
    if (order < 0) ++place;
  }
  *signed_event->add_signatures() = added.signature;
  for (int i = signed_event->signatures_size() - 1; i > place; --i) {
    signed_event->mutable_signatures()->SwapElements(i, i - 1);
  }
  return true;
}

// A second signature is always a plain statement about this one event.
absl::Status CheckPlainStatement(const ParsedSignature& added) {
  if (!added.batch) return absl::OkStatus();
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD,
                       "a batch statement cannot be a second signature", "sign the one event");
}

// Judged here and not on a snapshot before: the event may be younger than every snapshot.
absl::Status CheckSiteOf(const QueueItem& item, const v1::SignedEvent& cosigned) {
  if (item.check_site == nullptr) return absl::OkStatus();
  v1::Event event;
  if (!event.ParseFromString(cosigned.event())) {
    return absl::DataLossError("an event to be signed does not parse");
  }
  return item.check_site(event.site_id());
}

}  // namespace

absl::StatusOr<BatchPlanner::Result> BatchPlanner::KeepPending(const ParsedEvent& event,
                                                               const Evaluation& evaluation) {
  const std::string digest(event.digest.view());
  const auto known = pending_.find(digest);
  if (known == pending_.end() && pending_.size() >= options_.pending_max) {
    return OverloadedRefusal(pending_.size());
  }
  v1::PendingEvent pending;
  *pending.mutable_signed_event() = event.signed_event;
  pending.set_event_digest(digest);
  pending.set_proposed_at_ms(known == pending_.end() ? recorded_at_ms_
                                                     : known->second.proposed_at_ms());
  pending.set_expires_at_ms(pending.proposed_at_ms() + WindowMs(*event.catalogue));
  for (const std::uint32_t place : evaluation.open_places) pending.add_open_places(place);
  builder_.writes().Put(KeyOfPending(event.digest), EncodeMessage(pending));
  reserved_ids_[event.event.event_id()] = digest;
  pending_[digest] = pending;
  metrics_.proposals_recorded.fetch_add(1, std::memory_order_relaxed);
  return Result(std::move(pending));
}

void BatchPlanner::DropPending(const std::string& digest) {
  const auto found = pending_.find(digest);
  if (found == pending_.end()) return;
  v1::Event event;
  if (event.ParseFromString(found->second.signed_event().event())) {
    reserved_ids_.erase(event.event_id());
  }
  const absl::StatusOr<Digest> parsed = Digest::FromBytes(digest);
  if (parsed.ok()) builder_.writes().Delete(KeyOfPending(*parsed));
  pending_.erase(found);
}

void BatchPlanner::DropLapsed() {
  std::vector<std::string> lapsed;
  for (const auto& [digest, pending] : pending_) {
    if (pending.expires_at_ms() < recorded_at_ms_) lapsed.push_back(digest);
  }
  for (const std::string& digest : lapsed) {
    DropPending(digest);
    metrics_.proposals_lapsed.fetch_add(1, std::memory_order_relaxed);
  }
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::DecideCosign(QueueItem* item) {
  CUSTODY_RETURN_IF_ERROR(CheckKeys(*item));
  CUSTODY_RETURN_IF_ERROR(CheckPlainStatement(*item->added));
  DropLapsed();
  const auto pending = pending_.find(std::string(item->cosigned.view()));
  if (pending != pending_.end()) {
    CUSTODY_RETURN_IF_ERROR(CheckSiteOf(*item, pending->second.signed_event()));
    return SignPending(pending->second, {&*item->added, 1});
  }
  return CosignRecorded(*item);
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::SignPending(
    v1::PendingEvent pending, std::span<const ParsedSignature> added) {
  bool changed = false;
  for (const ParsedSignature& signature : added) {
    CUSTODY_ASSIGN_OR_RETURN(const bool inserted,
                             InsertSignature(signature, pending.mutable_signed_event()));
    changed = changed || inserted;
  }
  if (!changed) return Result(std::move(pending));
  CUSTODY_ASSIGN_OR_RETURN(ParsedEvent event, ParseSignedEvent(pending.signed_event(), origin_));
  return Admit(std::make_shared<ParsedEvent>(std::move(event)), true);
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::CosignRecorded(const QueueItem& item) {
  CUSTODY_ASSIGN_OR_RETURN(const auto recorded, FindRecorded(item.cosigned));
  if (!recorded.has_value()) return LapsedRefusal();
  const ParsedEvent& event = **recorded;
  CUSTODY_RETURN_IF_ERROR(CheckSiteOf(item, event.signed_event));
  for (const ParsedSignature& signature : event.signatures) {
    if (signature.statement.key_id() != item.added->statement.key_id()) continue;
    if (!SameBytes(signature.signature, item.signature)) return AlreadySignedRefusal();
    // The signature that completed the record, sent again.
    CUSTODY_ASSIGN_OR_RETURN(const auto entry, FindId(event.event.event_id()));
    if (!entry.has_value()) return absl::DataLossError("a recorded event has no id");
    metrics_.events_duplicate.fetch_add(1, std::memory_order_relaxed);
    return Result(RecordedAt{entry->second, true, {}});
  }
  // The id follows from the signature, so that a repeated call finds the first one's entry.
  const Digest name = Sha256Hasher()
                          .Update(item.cosigned)
                          .Update(Sha256(item.signature.statement()))
                          .Update(item.signature.signature())
                          .Finish();
  std::string id = ConsequenceEventId(name, 0, item.added->statement.signed_at_ms());
  CUSTODY_ASSIGN_OR_RETURN(const auto known, FindId(id));
  if (known.has_value()) return Result(RecordedAt{known->second, true, {}});
  CUSTODY_ASSIGN_OR_RETURN(
      ParsedEvent made,
      system_events_.Make(SignatureAddedBody(item.cosigned, event.subjects, item.signature),
                          std::move(id), recorded_at_ms_, event.event.site_id()));
  auto added = std::make_shared<const ParsedEvent>(std::move(made));
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(overlay_, *added, Input(true)));
  if (!evaluation.verdict.ok()) return Result(evaluation.verdict);
  int budget = 64;
  CUSTODY_ASSIGN_OR_RETURN(AppendedEntry entry, Append(added, evaluation.acceptance, 0, &budget));
  metrics_.events_recorded.fetch_add(1, std::memory_order_relaxed);
  return Result(RecordedAt{entry.index, false, std::move(entry.bytes)});
}

absl::StatusOr<BatchPlanner::Result> BatchPlanner::RefuseAttempt(const ParsedEvent& event,
                                                                 absl::Status refusal) {
  if (event.catalogue->row.bedside() && refusal.code() != absl::StatusCode::kUnauthenticated) {
    CUSTODY_RETURN_IF_ERROR(RecordAttempt(event, refusal));
  }
  return Result(std::move(refusal));
}

absl::StatusOr<bool> BatchPlanner::AttemptIsDue(const ParsedEvent& event) {
  const auto order =
      std::find_if(event.subjects.begin(), event.subjects.end(),
                   [](const auto& key) { return key.kind == v1::SUBJECT_KIND_ORDER; });
  const SubjectKey subject = order != event.subjects.end() ? *order : SubjectKey{};
  // Others are not counted in the order, so that there would be no end of them.
  if (order != event.subjects.end() && UsesMatch(event.code())) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(subject));
    if (state != nullptr && state->order().denied_attempts() < kAttemptsAlways) return true;
  }
  const auto last = attempts_recorded_.find(subject);
  return last == attempts_recorded_.end() || recorded_at_ms_ - last->second >= kAttemptIntervalMs;
}

absl::Status BatchPlanner::RecordAttempt(const ParsedEvent& event, const absl::Status& refusal) {
  CUSTODY_ASSIGN_OR_RETURN(v1::Event body, BuildAttemptDenied(overlay_, event, refusal));
  const auto& targets = body.attempt_denied().targets();
  if (targets.empty()) return absl::OkStatus();
  const auto order = std::find_if(targets.begin(), targets.end(), [](const v1::SubjectRef& ref) {
    return ref.kind() == v1::SUBJECT_KIND_ORDER;
  });
  const SubjectKey limited = order == targets.end() ? SubjectKey{} : KeyOf(*order);
  CUSTODY_ASSIGN_OR_RETURN(const bool due, AttemptIsDue(event));
  if (!due) return absl::OkStatus();
  if (attempts_recorded_.size() >= kAttemptsRemembered) attempts_recorded_.clear();
  attempts_recorded_[limited] = recorded_at_ms_;
  absl::StatusOr<ParsedEvent> made = system_events_.Make(
      std::move(body), NewUuidV7(recorded_at_ms_), recorded_at_ms_, event.event.site_id());
  if (!made.ok()) {
    metrics_.consequences_refused.fetch_add(1, std::memory_order_relaxed);
    return absl::OkStatus();
  }
  auto denied = std::make_shared<const ParsedEvent>(*std::move(made));
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(overlay_, *denied, Input(true)));
  if (!evaluation.verdict.ok()) {
    metrics_.consequences_refused.fetch_add(1, std::memory_order_relaxed);
    return absl::OkStatus();
  }
  int budget = 64;
  const absl::Status status = Append(denied, evaluation.acceptance, 0, &budget).status();
  return RefusalOf(status).has_value() ? absl::OkStatus() : status;
}

}  // namespace custody
