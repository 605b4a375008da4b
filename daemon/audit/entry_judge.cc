#include "daemon/audit/entry_judge.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/audit/work_rows.h"
#include "daemon/audit/work_view.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/system_events.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::size_t kCachedStates = 200'000;

absl::Status Wrong(std::string_view what) { return absl::DataLossError(AbslView(what)); }

std::string CodesOf(const std::vector<v1::Finding>& findings) {
  std::string text;
  for (const v1::Finding& finding : findings) {
    text += (text.empty() ? "" : ", ") + EnumLabel(finding.code());
  }
  return text.empty() ? "none" : text;
}

bool SameFindings(const std::vector<v1::Finding>& a, const std::vector<v1::Finding>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const v1::Finding& x, const v1::Finding& y) {
                      return EncodeMessage(x) == EncodeMessage(y);
                    });
}

// The header that the ledger fills in, taken off again.
v1::Event BodyOf(v1::Event event) {
  event.clear_ledger();
  event.clear_event_id();
  event.clear_occurred_at();
  event.clear_site_id();
  event.clear_subjects();
  return event;
}

}  // namespace

EntryJudge::EntryJudge(std::string origin, Store& work, ReplayStart start, WorkerPool& pool)
    : origin_(std::move(origin)),
      ledger_{v1::SUBJECT_KIND_LEDGER, std::string(Sha256(origin_).view().substr(0, 16))},
      work_(work),
      pool_(pool),
      overlay_(std::move(start.view), kCachedStates),
      builder_(overlay_, std::move(start.tree), std::move(start.index)),
      recorded_at_ms_(start.recorded_at_ms) {
  builder_.WriteOnlyWhatReplayReads();
  overlay_.SetEventSource([this](std::string_view digest) { return FindEvent(digest); });
}

absl::StatusOr<std::optional<RecordedEvent>> EntryJudge::FindEvent(std::string_view digest) const {
  const absl::StatusOr<Digest> name = Digest::FromBytes(digest);
  if (!name.ok()) return std::nullopt;
  const auto look = [&name](const Flushed& some) -> const std::string* {
    const auto found = some.events.find(*name);
    return found == some.events.end() ? nullptr : &found->second;
  };
  const std::string* held = look(new_);
  for (const Flushed& some : flushed_) held = held == nullptr ? look(some) : held;
  if (held != nullptr) return DecodeEventRow(*held);
  return ReadEventRow(overlay_.view(), *name);
}

absl::Status EntryJudge::CheckTime(const v1::Entry& entry) {
  if (entry.recorded_at_ms() < recorded_at_ms_) {
    return Wrong(absl::StrFormat("was recorded at %d, before the entry in front of it at %d",
                                 entry.recorded_at_ms(), recorded_at_ms_));
  }
  recorded_at_ms_ = entry.recorded_at_ms();
  return absl::OkStatus();
}

absl::Status EntryJudge::Prepare(const std::vector<std::string_view>& event_ids) {
  CUSTODY_RETURN_IF_ERROR(TakeWritten());
  known_ids_.clear();
  std::vector<std::string> keys;
  keys.reserve(event_ids.size());
  for (const std::string_view id : event_ids) keys.push_back(KeyOfEventId(id));
  CUSTODY_ASSIGN_OR_RETURN(const auto values, overlay_.view().MultiGet(keys));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].has_value()) continue;
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, DecodeU64(*values[i]));
    known_ids_.emplace(event_ids[i], index);
  }
  return absl::OkStatus();
}

absl::Status EntryJudge::CheckNew(const ParsedEvent& event) const {
  const std::string& id = event.event.event_id();
  std::optional<std::uint64_t> first;
  const auto look = [&](const absl::flat_hash_map<std::string, std::uint64_t>& ids) {
    const auto found = ids.find(id);
    if (found != ids.end()) first = found->second;
  };
  look(new_.ids);
  for (const Flushed& some : flushed_) look(some.ids);
  look(known_ids_);
  if (!first.has_value()) return absl::OkStatus();
  return Wrong(absl::StrFormat("has the event id %s of entry %d", ToHex(id), *first));
}

absl::StatusOr<bool> EntryJudge::IsFromLedger(const ParsedEvent& event) const {
  if (builder_.size() == 0) return true;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, OfWorkFolder(overlay_.Find(ledger_)));
  if (state == nullptr) return false;
  const SubjectKey service{v1::SUBJECT_KIND_DEVICE, state->ledger().service_device_id()};
  return std::all_of(event.signatures.begin(), event.signatures.end(),
                     [&](const ParsedSignature& one) { return one.signer == service; });
}

absl::StatusOr<Acceptance> EntryJudge::CheckRules(const ParsedEvent& event,
                                                  const v1::Entry& entry) const {
  EvaluationInput input;
  input.recorded_at_ms = entry.recorded_at_ms();
  CUSTODY_ASSIGN_OR_RETURN(input.from_ledger, IsFromLedger(event));
  const std::vector<v1::Finding> stated(entry.findings().begin(), entry.findings().end());
  std::string found;
  // Whether the ledger trusted its clock at that moment stands nowhere but in the findings.
  for (const bool clock_healthy : {true, false}) {
    input.clock_healthy = clock_healthy;
    CUSTODY_ASSIGN_OR_RETURN(Evaluation evaluation, OfWorkFolder(Evaluate(overlay_, event, input)));
    if (evaluation.verdict.ok() && SameFindings(evaluation.acceptance.findings, stated)) {
      return std::move(evaluation.acceptance);
    }
    if (!clock_healthy) continue;
    found = evaluation.verdict.ok()
                ? absl::StrFormat("states the findings %s, the rules give %s", CodesOf(stated),
                                  CodesOf(evaluation.acceptance.findings))
                : absl::StrFormat("the rules refuse it: %s", evaluation.verdict.message());
  }
  return Wrong(found);
}

absl::Status EntryJudge::CheckAbsent(const Expected& expected, std::int64_t recorded_at_ms) const {
  const v1::Event complete = CompleteSystemEvent(expected.body, origin_, expected.event_id,
                                                 recorded_at_ms, expected.site_id);
  const absl::StatusOr<ParsedEvent> event = ParseUnsignedEvent(EncodeMessage(complete), origin_);
  if (!event.ok()) return absl::OkStatus();
  EvaluationInput input;
  input.recorded_at_ms = recorded_at_ms;
  input.from_ledger = true;
  input.dry_run = true;
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation,
                           OfWorkFolder(Evaluate(overlay_, *event, input)));
  if (!evaluation.verdict.ok()) return absl::OkStatus();
  return Wrong(
      absl::StrFormat("stands where %s must follow on entry %d", event->code(), expected.cause));
}

absl::StatusOr<int> EntryJudge::TakeExpected(const ParsedEvent* event,
                                             std::int64_t recorded_at_ms) {
  while (!expected_.empty()) {
    const Expected expected = std::move(expected_.back());
    expected_.pop_back();
    if (event == nullptr || event->event.event_id() != expected.event_id) {
      CUSTODY_RETURN_IF_ERROR(CheckAbsent(expected, recorded_at_ms));
      continue;
    }
    if (EncodeMessage(BodyOf(event->event)) != EncodeMessage(expected.body)) {
      return Wrong(absl::StrFormat("is not what the rules want behind entry %d", expected.cause));
    }
    return expected.depth;
  }
  consequences_left_ = kConsequencesMax;
  return 0;
}

void EntryJudge::Expect(const ParsedEvent& event, const v1::Entry& entry, const Digest& leaf_hash,
                        const std::vector<v1::Event>& consequences, int depth) {
  if (depth >= kConsequenceDepthMax) return;
  std::vector<Expected> next;
  for (const v1::Event& body : consequences) {
    const auto ordinal = static_cast<std::uint32_t>(next.size());
    next.push_back({ConsequenceEventId(leaf_hash, ordinal, entry.recorded_at_ms()), body,
                    event.event.site_id(), entry.index(), depth + 1});
    if (consequences_left_-- <= 0) next.pop_back();
  }
  expected_.insert(expected_.end(), std::make_move_iterator(next.rbegin()),
                   std::make_move_iterator(next.rend()));
}

absl::Status EntryJudge::JudgeEvent(const std::shared_ptr<const ParsedEvent>& event,
                                    const v1::Entry& entry, std::string_view entry_bytes,
                                    const Digest& leaf_hash) {
  CUSTODY_RETURN_IF_ERROR(CheckTime(entry));
  CUSTODY_ASSIGN_OR_RETURN(const int depth, TakeExpected(event.get(), entry.recorded_at_ms()));
  CUSTODY_RETURN_IF_ERROR(CheckNew(*event));
  CUSTODY_ASSIGN_OR_RETURN(const Acceptance acceptance, CheckRules(*event, entry));
  // What the builder then calls wrong is wrong in the entry.
  for (const SubjectKey& subject : event->subjects) {
    CUSTODY_RETURN_IF_ERROR(OfWorkFolder(overlay_.Find(subject)).status());
  }
  CUSTODY_RETURN_IF_ERROR(builder_.ReplayEvent(*event, entry, entry_bytes, leaf_hash));
  new_.ids[event->event.event_id()] = entry.index();
  new_.events[event->digest] = EncodeEventRow(*event);
  Expect(*event, entry, leaf_hash, acceptance.consequences, depth);
  return absl::OkStatus();
}

absl::Status EntryJudge::JudgeSeal(const v1::Entry& entry, std::string_view entry_bytes) {
  CUSTODY_RETURN_IF_ERROR(CheckTime(entry));
  CUSTODY_RETURN_IF_ERROR(TakeExpected(nullptr, entry.recorded_at_ms()).status());
  if (entry.seal().first_index() != builder_.first_unsealed()) {
    return Wrong(absl::StrFormat("seals the entries from %d, the seal before it ends at %d",
                                 entry.seal().first_index(), builder_.first_unsealed()));
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, OfWorkFolder(overlay_.Find(ledger_)));
  const std::uint32_t version = state == nullptr || state->ledger().rules_version() == 0
                                    ? kRulesVersion
                                    : state->ledger().rules_version();
  CUSTODY_ASSIGN_OR_RETURN(SealedLog sealed,
                           OfWorkFolder(builder_.AppendSeal(entry.recorded_at_ms(), version)));
  if (sealed.seal_bytes != entry_bytes) {
    v1::Entry computed;
    const bool parsed = computed.ParseFromString(sealed.seal_bytes);
    const bool other_root = parsed && computed.seal().index_root() != entry.seal().index_root();
    if (!other_root) return Wrong("is not the seal that the entries give");
    return Wrong(absl::StrFormat("seals the index root %s, the entries give %s",
                                 ToHex(entry.seal().index_root()),
                                 ToHex(computed.seal().index_root())));
  }
  sealed_ = std::move(sealed.checkpoint);
  edge_ = std::move(sealed.edge);
  index_sequence_ = sealed.index_sequence;
  return absl::OkStatus();
}

absl::Status EntryJudge::WaitForWrite() {
  if (flushed_.empty() || !flushed_.back().written.valid()) return absl::OkStatus();
  return flushed_.back().written.get();
}

absl::Status EntryJudge::StartFlush(const WriteBatch& also) {
  CUSTODY_RETURN_IF_ERROR(WaitForWrite());
  CUSTODY_RETURN_IF_ERROR(builder_.WriteReplayed());
  auto writes = std::make_shared<WriteBatch>(builder_.TakeWrites());
  writes->Append(also);
  if (edge_ != nullptr) PutEdge(*edge_, writes.get());
  Flushed& next = flushed_.emplace_back(std::exchange(new_, Flushed()));
  new_.ids.reserve(next.ids.size());
  new_.events.reserve(next.events.size());
  next.batches = overlay_.batch();
  next.index_sequence = index_sequence_;
  // The maps stay as they are until the view shows what is in them.
  next.written = pool_.Run([this, writes, &next] {
    for (const auto& [id, index] : next.ids) writes->Put(KeyOfEventId(id), EncodeU64(index));
    for (const auto& [digest, row] : next.events) {
      writes->Put(KeyOfEventDigest(digest), row);
    }
    return OfWorkFolder(work_.Apply(*writes, Durability::kUnsynced));
  });
  return absl::OkStatus();
}

absl::Status EntryJudge::FinishFlush() {
  CUSTODY_RETURN_IF_ERROR(WaitForWrite());
  return TakeWritten();
}

absl::Status EntryJudge::TakeWritten() {
  const bool is_running =
      !flushed_.empty() && flushed_.back().written.valid() &&
      flushed_.back().written.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  const std::size_t written = flushed_.size() - (is_running ? 1 : 0);
  if (written == 0) return absl::OkStatus();
  if (!is_running) CUSTODY_RETURN_IF_ERROR(WaitForWrite());
  CUSTODY_ASSIGN_OR_RETURN(std::shared_ptr<const ReadView> view, OpenWorkView(work_));
  overlay_.AdvanceView(std::move(view), flushed_[written - 1].batches);
  overlay_.Trim();
  builder_.MarkDurable(flushed_[written - 1].index_sequence);
  for (std::size_t i = 0; i < written; ++i) {
    pool_.Discard(std::move(flushed_.front()));
    flushed_.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace custody
