#include "daemon/audit/log_audit.h"

#include <algorithm>
#include <future>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "daemon/audit/entry_judge.h"
#include "daemon/audit/signature_jobs.h"
#include "daemon/audit/work_rows.h"
#include "daemon/audit/work_view.h"
#include "daemon/audit/worker_pool.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/key_directory.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

struct Parsed {
  std::shared_ptr<const std::string> bytes;
  v1::Entry entry;
  std::shared_ptr<const ParsedEvent> event;  // Null: a seal, or what `status` says.
  Digest leaf_hash;
  absl::Status status;
};

void Parse(std::string_view origin, Parsed* item) {
  if (!item->entry.ParseFromString(*item->bytes)) {
    item->status = absl::DataLossError("does not parse");
    return;
  }
  // Another spelling of the same message would be another leaf.
  if (EncodeMessage(item->entry) != *item->bytes) {
    item->status = absl::DataLossError("is not in the one encoding");
    return;
  }
  item->leaf_hash = LeafHash(*item->bytes);
  if (item->entry.has_seal()) return;
  absl::StatusOr<ParsedEvent> event = ParseSignedEvent(item->entry.signed_event(), origin);
  if (event.ok()) {
    item->event = std::make_shared<const ParsedEvent>(*std::move(event));
  } else {
    item->status = event.status();
  }
}

}  // namespace

class LogAudit::Replay {
 public:
  Replay(const AuditOptions& options, const Trust& trust, Store& work, ReplayStart start,
         std::uint64_t audited)
      : options_(options),
        trust_(trust),
        store_(work),
        pool_(options.threads),
        judge_(trust.ledger, work, std::move(start), pool_),
        jobs_(pool_),
        next_(audited),
        replayed_from_(judge_.size()),
        judged_(audited) {}
  // Nothing that the threads work on goes away before they end.
  ~Replay() { pool_.Join(); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  absl::Status Add(std::string entry_bytes);
  absl::Status Confirm(const Checkpoint& checkpoint);
  absl::StatusOr<Checkpoint> Finish(std::string_view note);
  std::uint64_t next() const { return next_; }
  std::uint64_t size_min() const { return std::max(next_, replayed_from_); }
  const AuditCounts& counts() const { return counts_; }
  std::optional<std::uint64_t> wrong_entry() const { return wrong_entry_; }
  std::string_view wrong_bytes() const {
    return wrong_bytes_ == nullptr ? std::string_view() : std::string_view(*wrong_bytes_);
  }

 private:
  // Parses what was added, and judges what was parsed before.
  absl::Status Turn();
  void StartParsing();
  absl::Status JudgeChunk(const std::vector<Parsed>& chunk);
  absl::Status Prepare(const std::vector<Parsed>& chunk);
  absl::Status Judge(std::uint64_t index, const Parsed& item, std::vector<SignatureJob>* jobs);
  absl::Status CheckKnown(std::uint64_t index, const Parsed& item) const;
  absl::Status AddJobs(std::uint64_t index, const Parsed& item, std::vector<SignatureJob>* jobs);
  absl::Status Flush();
  absl::Status Conclude(const Checkpoint& stated);
  // The first wrong entry, of a replay that ended with `status` and the signatures before it.
  absl::Status First(std::uint64_t index, const absl::Status& status,
                     const std::shared_ptr<const std::string>& entry_bytes = nullptr);
  absl::Status Named(std::uint64_t index, const absl::Status& status,
                     const std::shared_ptr<const std::string>& entry_bytes);

  const AuditOptions options_;
  const Trust& trust_;
  Store& store_;
  WorkerPool pool_;
  EntryJudge judge_;
  KeyDirectory keys_;
  SignatureJobs jobs_;
  AuditCounts counts_;
  std::uint64_t next_;
  // Entries before it were replayed by an earlier run; of those from `next` on the signatures are
  // still to be checked.
  const std::uint64_t replayed_from_;
  std::uint64_t judged_;
  std::uint64_t chunk_begin_ = 0;
  absl::Status ended_;
  std::optional<std::uint64_t> wrong_entry_;
  std::shared_ptr<const std::string> wrong_bytes_;

  std::vector<Parsed> added_;
  std::vector<Parsed> parsing_;
  std::vector<std::future<void>> parsers_;
};

absl::Status LogAudit::Replay::Add(std::string entry_bytes) {
  CUSTODY_RETURN_IF_ERROR(ended_);
  added_.emplace_back().bytes = std::make_shared<const std::string>(std::move(entry_bytes));
  ++next_;
  if (added_.size() < options_.chunk_entries) return absl::OkStatus();
  ended_ = Turn();
  return ended_;
}

absl::Status LogAudit::Replay::Turn() {
  for (std::future<void>& parser : std::exchange(parsers_, {})) parser.get();
  std::vector<Parsed> ready = std::exchange(parsing_, std::exchange(added_, {}));
  StartParsing();
  const absl::Status status = JudgeChunk(ready);
  pool_.Discard(std::move(ready));
  return status;
}

void LogAudit::Replay::StartParsing() {
  const std::size_t each = pool_.SliceOf(parsing_.size());
  for (std::size_t begin = 0; begin < parsing_.size(); begin += each) {
    const std::span<Parsed> slice =
        std::span(parsing_).subspan(begin, std::min(each, parsing_.size() - begin));
    parsers_.push_back(pool_.Run([this, slice] {
      for (Parsed& item : slice) Parse(trust_.ledger, &item);
    }));
  }
}

absl::Status LogAudit::Replay::JudgeChunk(const std::vector<Parsed>& chunk) {
  chunk_begin_ = judged_;
  CUSTODY_RETURN_IF_ERROR(Prepare(chunk));
  std::vector<SignatureJob> jobs;
  for (const Parsed& item : chunk) {
    const std::uint64_t index = judged_++;
    const absl::Status status = item.status.ok() ? Judge(index, item, &jobs) : item.status;
    if (!status.ok()) {
      jobs_.Start(chunk_begin_, std::move(jobs));
      return First(index, status, item.bytes);
    }
  }
  counts_.signatures += jobs.size();
  jobs_.Start(chunk_begin_, std::move(jobs));
  if (jobs_.first().has_value()) return First(judged_, absl::OkStatus());
  return absl::OkStatus();
}

absl::Status LogAudit::Replay::Prepare(const std::vector<Parsed>& chunk) {
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (chunk[i].event == nullptr || judged_ + i < replayed_from_) continue;
    ids.push_back(chunk[i].event->event.event_id());
  }
  return OfWorkFolder(judge_.Prepare(ids));
}

absl::Status LogAudit::Replay::Named(std::uint64_t index, const absl::Status& status,
                                     const std::shared_ptr<const std::string>& entry_bytes) {
  // Of the work folder, not of the entry.
  if (absl::IsInternal(status) || absl::IsResourceExhausted(status) ||
      absl::IsUnavailable(status)) {
    return status;
  }
  wrong_entry_ = index;
  wrong_bytes_ = entry_bytes;
  return absl::DataLossError(absl::StrFormat("entry %d: %s", index, status.message()));
}

absl::Status LogAudit::Replay::First(std::uint64_t index, const absl::Status& status,
                                     const std::shared_ptr<const std::string>& entry_bytes) {
  const std::optional<WrongEntry>& wrong = jobs_.WaitFor(0);
  if (wrong.has_value() && wrong->index <= index) {
    return Named(wrong->index, wrong->status, wrong->entry_bytes);
  }
  return status.ok() ? status : Named(index, status, entry_bytes);
}

absl::Status LogAudit::Replay::CheckKnown(std::uint64_t index, const Parsed& item) const {
  CUSTODY_ASSIGN_OR_RETURN(const Digest known,
                           ReadLeafHash(judge_.states().view(), replayed_from_, index));
  if (known == item.leaf_hash) return absl::OkStatus();
  return absl::DataLossError("is another one than an earlier run of this audit has seen");
}

absl::Status LogAudit::Replay::AddJobs(std::uint64_t index, const Parsed& item,
                                       std::vector<SignatureJob>* jobs) {
  for (std::size_t i = 0; i < item.event->signatures.size(); ++i) {
    const ParsedSignature& signature = item.event->signatures[i];
    CUSTODY_ASSIGN_OR_RETURN(
        std::optional<VerifyKey> key,
        OfWorkFolder(keys_.Find(judge_.states(), signature.signer, signature.statement.key_id())));
    if (!key.has_value()) {
      return absl::DataLossError(absl::StrFormat("is signed with a key that %s does not have",
                                                 Describe(signature.signer)));
    }
    jobs->push_back({index, *std::move(key), item.event, i, item.bytes});
  }
  return absl::OkStatus();
}

absl::Status LogAudit::Replay::Judge(std::uint64_t index, const Parsed& item,
                                     std::vector<SignatureJob>* jobs) {
  ++counts_.entries;
  const bool is_known = index < replayed_from_;
  if (is_known) CUSTODY_RETURN_IF_ERROR(CheckKnown(index, item));
  if (index == 0 && !options_.any_first_entry && item.leaf_hash != trust_.entry0_leaf_hash) {
    return absl::DataLossError("is not the first entry of the trusted ledger");
  }
  if (item.event == nullptr) {
    ++counts_.seals;
    if (is_known) return absl::OkStatus();
    CUSTODY_RETURN_IF_ERROR(judge_.JudgeSeal(item.entry, *item.bytes));
    return judge_.unwritten_bytes() >= options_.flush_bytes ? Flush() : absl::OkStatus();
  }
  ++counts_.events;
  counts_.findings += static_cast<std::uint64_t>(item.entry.findings_size());
  // Entry 0 enrols the key that signs it.
  const bool keys_first = index != 0;
  if (keys_first) CUSTODY_RETURN_IF_ERROR(AddJobs(index, item, jobs));
  if (!is_known)
    CUSTODY_RETURN_IF_ERROR(judge_.JudgeEvent(item.event, item.entry, *item.bytes, item.leaf_hash));
  return keys_first ? absl::OkStatus() : AddJobs(index, item, jobs);
}

absl::Status LogAudit::Replay::Flush() {
  std::string format;
  AppendBigEndian32(kFormatVersion, &format);
  WriteBatch also;
  also.Put(KeyOfMeta(MetaKey::kFormat), format);
  also.Put(KeyOfMeta(MetaKey::kOrigin), trust_.ledger);
  PutAudited(jobs_.unchecked_from().value_or(chunk_begin_), &also);
  return judge_.StartFlush(also);
}

absl::Status LogAudit::Replay::Confirm(const Checkpoint& checkpoint) {
  CUSTODY_RETURN_IF_ERROR(ended_);
  ended_ = Conclude(checkpoint);
  return ended_;
}

absl::StatusOr<Checkpoint> LogAudit::Replay::Finish(std::string_view note) {
  CUSTODY_RETURN_IF_ERROR(ended_);
  ended_ = absl::FailedPreconditionError("the audit has ended");
  const absl::StatusOr<OpenedCheckpoint> opened = OpenTrustedCheckpoint(note, trust_);
  // Not false: nobody vouches for it any more.
  if (absl::IsFailedPrecondition(opened.status())) {
    return absl::UnavailableError(opened.status().message());
  }
  if (!opened.ok()) {
    return absl::DataLossError(absl::StrFormat("the checkpoint: %s", opened.status().message()));
  }
  CUSTODY_RETURN_IF_ERROR(Conclude(opened->checkpoint));
  return opened->checkpoint;
}

absl::Status LogAudit::Replay::Conclude(const Checkpoint& stated) {
  for (int turn = 0; turn < 2; ++turn) CUSTODY_RETURN_IF_ERROR(Turn());
  CUSTODY_RETURN_IF_ERROR(First(judged_, absl::OkStatus()));
  Checkpoint computed = judge_.sealed();
  if (judge_.size() == replayed_from_ && computed.size == 0) {
    CUSTODY_ASSIGN_OR_RETURN(computed, OfWorkFolder(ReadHead(judge_.states().view())));
  }
  if (judge_.size() != stated.size || computed.size != stated.size) {
    return absl::DataLossError(
        absl::StrFormat("the checkpoint is of %d entries, there are %d, sealed up to %d",
                        stated.size, judge_.size(), computed.size));
  }
  if (computed.root != stated.root) {
    return absl::DataLossError(absl::StrFormat("the checkpoint has root %s, the entries give %s",
                                               stated.root.ToHex(), computed.root.ToHex()));
  }
  if (options_.judged_hook) options_.judged_hook();
  WriteBatch done;
  CUSTODY_RETURN_IF_ERROR(Flush());
  CUSTODY_RETURN_IF_ERROR(judge_.FinishFlush());
  PutAudited(judge_.size(), &done);
  return OfWorkFolder(store_.Apply(done, Durability::kSynced));
}

absl::StatusOr<std::unique_ptr<LogAudit>> LogAudit::Open(const AuditOptions& options,
                                                         const Trust& trust, Store& work) {
  CUSTODY_RETURN_IF_ERROR(work.AcquireWriter());
  ReplayStart start;
  CUSTODY_ASSIGN_OR_RETURN(start.view, OpenWorkView(work));
  std::uint64_t audited = 0;
  CUSTODY_ASSIGN_OR_RETURN(const auto first, start.view->First("", ""));
  if (first.has_value()) {
    CUSTODY_ASSIGN_OR_RETURN(audited, ReadAudited(*start.view));
    CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, OfWorkFolder(ReadHead(*start.view)));
    if (head.origin != trust.ledger) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "the work folder is of an audit of %s, not of %s", head.origin, trust.ledger));
    }
    absl::StatusOr<RestoredLog> restored = RestoreLog(*start.view, head, [&](std::uint64_t index) {
      return ReadLeafHash(*start.view, head.size, index);
    });
    if (!restored.ok()) return OfWorkFolder(restored.status());
    CUSTODY_ASSIGN_OR_RETURN(const Digest entry0, ReadLeafHash(*start.view, head.size, 0));
    if (!options.any_first_entry && entry0 != trust.entry0_leaf_hash) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "the work folder is of an audit of a log whose entry 0 has the hash %s, not %s",
          entry0.ToHex(), trust.entry0_leaf_hash.ToHex()));
    }
    RestoredLog log = *std::move(restored);
    start.tree = std::move(log.tree);
    start.index = std::move(log.index);
    start.recorded_at_ms = log.seal.recorded_at_ms();
  }
  return std::unique_ptr<LogAudit>(
      new LogAudit(std::make_unique<Replay>(options, trust, work, std::move(start), audited)));
}

LogAudit::LogAudit(std::unique_ptr<Replay> replay) : replay_(std::move(replay)) {}
LogAudit::~LogAudit() = default;
std::uint64_t LogAudit::next() const { return replay_->next(); }
std::uint64_t LogAudit::size_min() const { return replay_->size_min(); }
absl::Status LogAudit::Add(std::string entry_bytes) { return replay_->Add(std::move(entry_bytes)); }
absl::Status LogAudit::Confirm(const Checkpoint& checkpoint) {
  return replay_->Confirm(checkpoint);
}
absl::StatusOr<Checkpoint> LogAudit::Finish(std::string_view note) { return replay_->Finish(note); }
std::optional<std::uint64_t> LogAudit::wrong_entry() const { return replay_->wrong_entry(); }
std::string_view LogAudit::wrong_bytes() const { return replay_->wrong_bytes(); }
const AuditCounts& LogAudit::counts() const { return replay_->counts(); }

}  // namespace custody
