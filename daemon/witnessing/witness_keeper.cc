#include "daemon/witnessing/witness_keeper.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/files.h"
#include "daemon/ledger/schema.h"
#include "daemon/logging.h"

namespace custody {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t kTickMs = 100;
constexpr std::int64_t kBackoffMsFirst = 500;
constexpr std::int64_t kBackoffMsMax = 30'000;
constexpr std::int64_t kSnapshotMsMax = 600'000;
constexpr std::size_t kWaitersMax = 10'000;

// One checkpoint on its way to the witnesses.
struct Round {
  std::shared_ptr<const LedgerSnapshot> snapshot;
  std::vector<Cosignature> cosignatures;
  std::size_t asked = 0;
  std::size_t answered = 0;
  bool closed = false;  // The keeper does not wait for it any more.
};

struct Waiter {
  std::uint64_t size = 0;
  SteadyClock::time_point deadline;
  WitnessKeeper::WitnessedCallback done;
};

// The witnesses behind one URL, and the thread that asks them.
struct Asker {
  Asker(WitnessClient::Options options, const Clock& clock) : client(std::move(options), clock) {}
  WitnessClient client;
  std::vector<std::size_t> places;  // In the status.
  std::shared_ptr<Round> next;
  bool busy = false;
  SteadyClock::time_point not_before{};
  std::int64_t backoff_ms = 0;
  std::thread thread;
};

// Notes the cosignature of this key. What was wrong; empty if it is there.
std::string TakeCosignature(const NoteVerifier& key, std::uint64_t size,
                            const SubmitOutcome& outcome, WitnessReport* report) {
  for (const Cosignature& cosignature : outcome.cosignatures) {
    if (cosignature.line.name != key.name() || cosignature.line.key_id != key.key_id()) continue;
    report->cosigned_size = size;
    report->cosigned_time_seconds = cosignature.verified.timestamp_seconds;
    return "";
  }
  return outcome.status.ok() ? "it gave no cosignature of this key"
                             : std::string(StdView(outcome.status.message()));
}

// Each change once.
void SayError(std::string error, WitnessReport* report) {
  if (error == report->error) return;
  const bool good = error.empty();
  Log(good ? LogLevel::kInfo : LogLevel::kWarning,
      good ? "the witness cosigns" : "the witness does not cosign",
      {{"witness", report->name}, {"url", report->url}, {"cause", error}});
  report->error = std::move(error);
}

void SayClaim(const std::string& claim, WitnessReport* report) {
  if (claim.empty() || !report->alarm.empty()) return;
  Log(LogLevel::kError, "ALARM: a witness claims more than this log has",
      {{"witness", report->name}, {"claim", claim}});
  report->alarm = claim;
}

}  // namespace

struct WitnessKeeper::Parts {
  Parts(WitnessKeeperOptions o, std::vector<NoteVerifier> k, const Clock& c)
      : options(std::move(o)), log_keys(std::move(k)), clock(c) {}

  const WitnessKeeperOptions options;
  const std::vector<NoteVerifier> log_keys;
  const Clock& clock;
  Ledger* ledger = nullptr;
  std::vector<std::unique_ptr<Asker>> askers;  // Fixed after Create(); their states are guarded.
  std::thread thread;

  mutable Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  // Another history was seen: nothing is shown to anybody any more.
  bool contradicted ABSL_GUARDED_BY(mutex) = false;
  WitnessingStatus status ABSL_GUARDED_BY(mutex);
  std::shared_ptr<const Witnessed> newest ABSL_GUARDED_BY(mutex);
  SteadyClock::time_point newest_since ABSL_GUARDED_BY(mutex);
  std::vector<Waiter> waiters ABSL_GUARDED_BY(mutex);

  void Run();
  void RunAsker(Asker& asker);
  bool Begin(const std::shared_ptr<Round>& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void WaitForRound(const Round& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void RunRound();
  void Report(Asker& asker, Round& round, SubmitOutcome outcome);
  void NoteOutcome(Asker& asker, const Round& round, const SubmitOutcome& outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  std::optional<std::uint64_t> QuorumOf(const Round& round) const;
  // Keeps the round if it has a quorum and is not older than what is kept.
  void Keep(const Round& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void AnswerWaiters();
  void DropOldSnapshot();
  void Alarm(const std::string& who, const Contradiction& contradiction, std::string_view ours);
  void ReadKept();
  bool Stopping() const {
    const MutexLock lock(mutex);
    return stopping;
  }
};

std::optional<std::uint64_t> WitnessKeeper::Parts::QuorumOf(const Round& round) const {
  std::vector<VerifiedNoteSignature> verified;
  for (const Cosignature& cosignature : round.cosignatures) {
    verified.push_back(cosignature.verified);
  }
  return QuorumTime(options.policy, verified);
}

void WitnessKeeper::Parts::Keep(const Round& round) {
  const std::optional<std::uint64_t> time = QuorumOf(round);
  if (!time.has_value()) return;
  if (newest != nullptr && newest->checkpoint.size > round.snapshot->size()) return;
  Note note = ParseNote(round.snapshot->note).value();
  for (const Cosignature& cosignature : round.cosignatures) {
    note.signatures.push_back(cosignature.line);
  }
  auto witnessed = std::make_shared<Witnessed>();
  witnessed->checkpoint = round.snapshot->checkpoint;
  witnessed->note = FormatNote(note);
  witnessed->quorum_time_seconds = *time;
  witnessed->snapshot = round.snapshot;
  status.witnessed_size = witnessed->checkpoint.size;
  status.witnessed_time_seconds = *time;
  ledger->KeepWitnessed(witnessed->note);
  newest = std::move(witnessed);
  newest_since = SteadyClock::now();
}

void WitnessKeeper::Parts::NoteOutcome(Asker& asker, const Round& round,
                                       const SubmitOutcome& outcome) {
  for (const std::size_t place : asker.places) {
    WitnessReport& report = status.witnesses[place];
    const NoteVerifier& key = options.policy.witnesses[place].verifier;
    SayError(TakeCosignature(key, round.snapshot->size(), outcome, &report), &report);
    SayClaim(outcome.claim, &report);
  }
  status.alarm = status.alarm || !outcome.claim.empty();
  if (absl::IsUnauthenticated(outcome.status)) ++status.forged_lines;
  asker.backoff_ms = outcome.cosignatures.empty()
                         ? std::clamp(asker.backoff_ms * 2, kBackoffMsFirst, kBackoffMsMax)
                         : 0;
  asker.not_before = SteadyClock::now() + milliseconds(asker.backoff_ms);
}

void WitnessKeeper::Parts::Alarm(const std::string& who, const Contradiction& contradiction,
                                 std::string_view ours) {
  const std::string finding(StdView(contradiction.refusal.message()));
  const std::string text = absl::StrFormat(
      "Two checkpoints, each signed by the key of this log, that do not belong to one log.\n\n"
      "Finding: %s\n\nOf this store:\n\n%s\nShown by the witness %s:\n\n%s",
      finding, ours, who, contradiction.note);
  const std::string path =
      absl::StrFormat("%s/%s.txt", options.evidence_folder, Sha256(text).ToHex().substr(0, 16));
  absl::Status written = MakeDirectory(options.evidence_folder);
  if (written.ok()) written = ReplaceSmallFile(path, text);
  Log(LogLevel::kError, "ALARM: a witness has seen another history of this log",
      {{"witness", who},
       {"finding", finding},
       {"evidence", written.ok() ? path : std::string(StdView(written.message()))}});
  const MutexLock lock(mutex);
  status.alarm = true;
  contradicted = true;
  for (WitnessReport& state : status.witnesses) {
    if (state.name == who) state.alarm = finding;
  }
}

void WitnessKeeper::Parts::Report(Asker& asker, Round& round, SubmitOutcome outcome) {
  if (outcome.contradiction.has_value()) {
    Alarm(options.policy.witnesses[asker.places.front()].name, *outcome.contradiction,
          ledger->Snapshot()->note);
    ledger->RefuseWrites(outcome.contradiction->refusal);
  }
  {
    const MutexLock lock(mutex);
    NoteOutcome(asker, round, outcome);
    for (Cosignature& cosignature : outcome.cosignatures) {
      round.cosignatures.push_back(std::move(cosignature));
    }
    ++round.answered;
    asker.busy = false;
    // Late ones still count.
    if (round.closed) Keep(round);
  }
  changed.NotifyAll();
  AnswerWaiters();
}

void WitnessKeeper::Parts::RunAsker(Asker& asker) {
  for (;;) {
    std::shared_ptr<Round> round;
    {
      const MutexLock lock(mutex);
      while (!stopping && asker.next == nullptr) changed.Wait(mutex);
      if (stopping) return;
      round = std::exchange(asker.next, nullptr);
    }
    Report(asker, *round,
           asker.client.Submit(*round->snapshot, [this] { return ledger->Snapshot(); }));
  }
}

bool WitnessKeeper::Parts::Begin(const std::shared_ptr<Round>& round) {
  const auto now = SteadyClock::now();
  for (const auto& asker : askers) {
    if (asker->busy || asker->not_before > now) continue;
    asker->busy = true;
    asker->next = round;
    ++round->asked;
  }
  return round->asked != 0;
}

void WitnessKeeper::Parts::WaitForRound(const Round& round) {
  const auto deadline = SteadyClock::now() + milliseconds(options.timeout_ms);
  while (!stopping && round.answered < round.asked && !QuorumOf(round).has_value() &&
         changed.WaitUntil(mutex, deadline)) {
  }
  const auto grace = SteadyClock::now() + milliseconds(options.grace_ms);
  while (!stopping && round.answered < round.asked && QuorumOf(round).has_value() &&
         changed.WaitUntil(mutex, grace)) {
  }
}

void WitnessKeeper::Parts::RunRound() {
  auto round = std::make_shared<Round>();
  round->snapshot = ledger->Snapshot();
  {
    const MutexLock lock(mutex);
    if (stopping || !Begin(round)) return;
  }
  changed.NotifyAll();
  {
    const MutexLock lock(mutex);
    WaitForRound(*round);
    round->closed = true;
    Keep(*round);
    ++status.rounds;
    if (!QuorumOf(*round).has_value()) ++status.rounds_without_quorum;
  }
  AnswerWaiters();
}

// Those who have what they wait for, or whose time is over.
void WitnessKeeper::Parts::AnswerWaiters() {
  std::vector<std::pair<WitnessedCallback, std::shared_ptr<const Witnessed>>> ready;
  {
    const MutexLock lock(mutex);
    const auto now = SteadyClock::now();
    std::erase_if(waiters, [&](Waiter& waiter) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      const bool there = newest != nullptr && newest->checkpoint.size >= waiter.size;
      if (!there && !stopping && now < waiter.deadline) return false;
      ready.emplace_back(std::move(waiter.done), there ? newest : nullptr);
      return true;
    });
  }
  for (auto& [done, witnessed] : ready) done(std::move(witnessed));
}

// An old view keeps the store from giving space back.
void WitnessKeeper::Parts::DropOldSnapshot() {
  const MutexLock lock(mutex);
  if (newest == nullptr || newest->snapshot == nullptr) return;
  if (SteadyClock::now() - newest_since < milliseconds(kSnapshotMsMax)) return;
  auto without = std::make_shared<Witnessed>(*newest);
  without->snapshot = nullptr;
  newest = std::move(without);
}

void WitnessKeeper::Parts::Run() {
  std::uint64_t shown = 0;
  auto begun = SteadyClock::time_point{};
  while (!Stopping()) {
    AnswerWaiters();
    DropOldSnapshot();
    const std::uint64_t size = ledger->WaitForSize(shown + 1, kTickMs);
    bool behind = size > shown;
    {
      const MutexLock lock(mutex);
      behind = behind || newest == nullptr || newest->checkpoint.size < size;
      if (contradicted) {
        changed.WaitUntil(mutex, SteadyClock::now() + milliseconds(kTickMs));
        continue;
      }
      // The pause between rounds, during which waiting has its ends too.
      const auto next = begun + milliseconds(options.interval_ms_min);
      const auto tick = SteadyClock::now() + milliseconds(kTickMs);
      if (!stopping && behind && SteadyClock::now() < next) {
        changed.WaitUntil(mutex, std::min(next, tick));
        continue;
      }
    }
    if (!behind) continue;
    begun = SteadyClock::now();
    RunRound();
    shown = size;
  }
}

// What an earlier run has kept, if the policy still agrees.
void WitnessKeeper::Parts::ReadKept() {
  const std::shared_ptr<const LedgerSnapshot> snapshot = ledger->Snapshot();
  const auto note = snapshot->view->Get(KeyOfMeta(MetaKey::kWitnessed));
  if (!note.ok() || !note->has_value()) return;
  std::vector<NoteVerifier> keys;
  for (const PolicyWitness& witness : options.policy.witnesses) keys.push_back(witness.verifier);
  const auto opened = OpenCheckpoint(**note, snapshot->checkpoint.origin, log_keys, keys);
  if (!opened.ok()) return;
  const std::optional<std::uint64_t> time = QuorumTime(options.policy, opened->cosignatures);
  if (!time.has_value()) return;
  auto witnessed = std::make_shared<Witnessed>();
  witnessed->checkpoint = opened->checkpoint;
  witnessed->note = **note;
  witnessed->quorum_time_seconds = *time;
  const MutexLock lock(mutex);
  status.witnessed_size = witnessed->checkpoint.size;
  status.witnessed_time_seconds = *time;
  newest = std::move(witnessed);
}

absl::StatusOr<WitnessPolicy> WitnessKeeper::ParsePolicy(std::string_view text,
                                                         std::span<const NoteVerifier> log_keys) {
  CUSTODY_ASSIGN_OR_RETURN(WitnessPolicy policy, ParseWitnessPolicy(text));
  if (policy.quorum.empty()) {
    return absl::InvalidArgumentError(
        "its quorum is none, so nothing would be waited for; name a witness or a group");
  }
  for (const PolicyWitness& witness : policy.witnesses) {
    const absl::StatusOr<HttpUrl> url = ParseHttpUrl(witness.url);
    if (!url.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("witness %s: its url %s", witness.name, StdView(url.status().message())));
    }
  }
  const auto is_named = [&](const NoteVerifier& log_key) {
    return std::any_of(policy.logs.begin(), policy.logs.end(),
                       [&](const auto& log) { return FormatVkey(log) == FormatVkey(log_key); });
  };
  if (!policy.logs.empty() && std::none_of(log_keys.begin(), log_keys.end(), is_named)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "it names logs, but not this one: add a line \"log %s\"", FormatVkey(log_keys.front())));
  }
  return policy;
}

WitnessKeeper::WitnessKeeper(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<WitnessKeeper>> WitnessKeeper::Create(
    WitnessKeeperOptions options, std::vector<NoteVerifier> log_keys, const Clock& clock) {
  auto parts = std::make_unique<Parts>(std::move(options), std::move(log_keys), clock);
  // Witnesses with one URL are asked once.
  std::map<std::string, std::vector<std::size_t>> by_url;
  const std::vector<PolicyWitness>& witnesses = parts->options.policy.witnesses;
  for (std::size_t i = 0; i < witnesses.size(); ++i) {
    by_url[witnesses[i].url].push_back(i);
    const MutexLock lock(parts->mutex);
    WitnessReport& report = parts->status.witnesses.emplace_back();
    report.name = witnesses[i].name;
    report.url = witnesses[i].url;
  }
  for (auto& [url, places] : by_url) {
    CUSTODY_ASSIGN_OR_RETURN(HttpUrl parsed, ParseHttpUrl(url));
    WitnessClient::Options asked{.url = std::move(parsed),
                                 .keys = {},
                                 .log_keys = parts->log_keys,
                                 .timeout_ms = parts->options.timeout_ms};
    for (const std::size_t place : places) asked.keys.push_back(witnesses[place].verifier);
    auto asker = std::make_unique<Asker>(std::move(asked), clock);
    asker->places = std::move(places);
    parts->askers.push_back(std::move(asker));
  }
  return std::unique_ptr<WitnessKeeper>(new WitnessKeeper(std::move(parts)));
}

WitnessKeeper::~WitnessKeeper() { Stop(); }

absl::Status WitnessKeeper::CheckBeforeWriting(const LedgerSnapshot& snapshot) {
  Parts& p = *parts_;
  std::vector<absl::StatusOr<std::optional<Contradiction>>> found(p.askers.size(), std::nullopt);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < p.askers.size(); ++i) {
    threads.emplace_back([&, i] { found[i] = p.askers[i]->client.Compare(snapshot); });
  }
  for (std::thread& thread : threads) thread.join();
  absl::Status refusal;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string& who = p.options.policy.witnesses[p.askers[i]->places.front()].name;
    if (!found[i].ok()) {
      Log(LogLevel::kWarning, "a witness could not be asked what it has seen",
          {{"witness", who}, {"cause", std::string(StdView(found[i].status().message()))}});
      continue;
    }
    if (!found[i]->has_value()) continue;
    p.Alarm(who, **found[i], snapshot.note);
    if (refusal.ok()) refusal = (*found[i])->refusal;
  }
  return refusal;
}

void WitnessKeeper::Start(Ledger& ledger) {
  parts_->ledger = &ledger;
  parts_->ReadKept();
  for (const auto& asker : parts_->askers) {
    asker->thread = std::thread([p = parts_.get(), a = asker.get()] { p->RunAsker(*a); });
  }
  parts_->thread = std::thread([p = parts_.get()] { p->Run(); });
}

void WitnessKeeper::Stop() {
  {
    const MutexLock lock(parts_->mutex);
    parts_->stopping = true;
  }
  parts_->changed.NotifyAll();
  if (parts_->thread.joinable()) parts_->thread.join();
  for (const auto& asker : parts_->askers) {
    if (asker->thread.joinable()) asker->thread.join();
  }
  parts_->AnswerWaiters();
}

std::shared_ptr<const Witnessed> WitnessKeeper::Newest() const {
  const MutexLock lock(parts_->mutex);
  return parts_->newest;
}

void WitnessKeeper::WaitFor(std::uint64_t size, std::int64_t timeout_ms, WitnessedCallback done) {
  MutexLock lock(parts_->mutex);
  if (!parts_->stopping && parts_->waiters.size() < kWaitersMax) {
    parts_->waiters.push_back(
        {size, SteadyClock::now() + milliseconds(timeout_ms), std::move(done)});
    return;
  }
  lock.Unlock();
  done(nullptr);
}

WitnessingStatus WitnessKeeper::Status() const {
  const MutexLock lock(parts_->mutex);
  return parts_->status;
}

std::string WitnessKeeper::Explain() const {
  const WitnessingStatus status = Status();
  std::string text;
  for (const WitnessReport& state : status.witnesses) {
    if (state.error.empty()) continue;
    text += absl::StrFormat("%s%s: %s", text.empty() ? "" : "; ", state.name, state.error);
  }
  return text.empty() ? "the quorum has not answered in time" : text;
}

}  // namespace custody
