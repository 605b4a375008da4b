#include "daemon/witness/auditor.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "custody/client.h"
#include "daemon/files.h"
#include "daemon/logging.h"
#include "daemon/witness/audit_evidence.h"
#include "daemon/witness/audit_replay.h"
#include "daemon/witness/evidence_writer.h"

namespace custody {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRetry(1'000);
constexpr milliseconds kRetryMax(60'000);

ReplayOptions ReplayIn(const AuditorOptions& options, std::string_view name) {
  ReplayOptions replay;
  replay.folder = absl::StrFormat("%s/%s", options.folder, name);
  replay.ledger = options.connection.ledger;
  replay.entry0_leaf_hash = options.entry0_leaf_hash;
  replay.hook = options.hook;
  return replay;
}

ReplayOptions SecondReplayIn(const AuditorOptions& options) {
  ReplayOptions replay = ReplayIn(options, "second");
  replay.begins_anew = true;
  return replay;
}

// What the first replay has found, until the second one has judged it.
struct Suspicion {
  JudgedFalse first;
  SignedCheckpoint target;
  // The second replay was handed the very bytes that the first one judged.
  bool same_bytes = false;
};

// A folder that only earlier versions have used.
void NameLeftover(const std::string& folder) {
  const std::string leftover = folder + "/store";
  std::error_code error;
  if (!std::filesystem::exists(leftover, error)) return;
  Log(LogLevel::kInfo, "a folder of an earlier version is no longer used and can be removed",
      {{"folder", leftover}});
}

std::uint64_t EntryOf(const JudgedFalse& found, const Checkpoint& checkpoint) {
  return found.entry.value_or(checkpoint.size - 1);
}

}  // namespace

// In the order of construction; destruction is the reverse.
struct Auditor::Parts {
  Parts(AuditorOptions o, NoteSigner s)
      : options(std::move(o)),
        signer(std::move(s)),
        first(ReplayIn(options, "replay")),
        second(SecondReplayIn(options)) {}

  void Run();
  // nullopt: stopping.
  std::optional<SignedCheckpoint> NextTarget();
  // Whether there is time left; false: stopping.
  bool WaitFor(milliseconds pause);
  // OK if everything up to the target is true. Errors: those of the replays; kDataLoss with
  // second.caught().
  absl::Status Audit(const SignedCheckpoint& target);
  void Suspect(const SignedCheckpoint& target);
  absl::Status JudgeAgain();
  // It did not repeat: the second replay is the one that goes on.
  absl::Status DropSuspicion();
  void Conclude(const Checkpoint& target, const absl::Status& result);
  void Accuse();
  // Tries it again and again, until it is there or the process stops.
  void WriteWhatIsLeft(EvidenceWriter* evidence);
  void Passed(AuditStep step) const {
    if (options.hook) options.hook(step);
  }
  void Show(std::uint64_t read_size) {
    const MutexLock lock(mutex);
    status.read_size = read_size;
  }

  const AuditorOptions options;
  const NoteSigner signer;
  // Of the thread, as what follows.
  AuditReplay first;
  AuditReplay second;
  std::optional<Suspicion> suspicion;
  std::unique_ptr<Client> client;
  std::stop_source stop;

  mutable Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::optional<SignedCheckpoint> wanted ABSL_GUARDED_BY(mutex);
  std::optional<Checkpoint> audited ABSL_GUARDED_BY(mutex);
  AuditorStatus status ABSL_GUARDED_BY(mutex);
  std::thread thread;
};

absl::Status Auditor::Parts::Audit(const SignedCheckpoint& target) {
  if (!suspicion.has_value()) {
    const auto observe = [this](std::uint64_t index, std::string_view) { Show(index + 1); };
    absl::Status result = first.AuditTo(*client, target.checkpoint, observe, stop.get_token());
    if (!first.caught().has_value()) return result;
    Suspect(target);
  }
  return JudgeAgain();
}

// The bytes first: whatever comes next, they can be looked at.
void Auditor::Parts::Suspect(const SignedCheckpoint& target) {
  suspicion = {.first = *first.caught(), .target = target};
  first.Close();
  const JudgedFalse& found = suspicion->first;
  const absl::Status kept =
      KeepEntry(options.folder, EntryOf(found, target.checkpoint), found.entry_bytes);
  Log(LogLevel::kWarning,
      "the audit has found the log false; it is judged a second time, made anew",
      {{"origin", target.checkpoint.origin},
       {"finding", found.finding},
       {"entry", kept.ok() ? "kept in evidence" : std::string(StdView(kept.message()))}});
  Passed(AuditStep::kSuspected);
  const MutexLock lock(mutex);
  status.error = absl::StrFormat("%s; it is judged a second time, made anew", found.finding);
}

absl::Status Auditor::Parts::JudgeAgain() {
  const JudgedFalse& found = suspicion->first;
  const auto observe = [&](std::uint64_t index, std::string_view entry) {
    if (index == found.entry) suspicion->same_bytes = entry == found.entry_bytes;
    Show(index + 1);
  };
  const absl::Status again =
      second.AuditTo(*client, suspicion->target.checkpoint, observe, stop.get_token());
  if (second.caught().has_value()) return again;
  if (again.ok()) return DropSuspicion();
  return absl::Status(again.code(), absl::StrFormat("%s; it cannot be judged a second time: %s",
                                                    found.finding, StdView(again.message())));
}

absl::Status Auditor::Parts::DropSuspicion() {
  Log(LogLevel::kWarning,
      suspicion->same_bytes
          ? "what the audit had found false did not repeat: the memory or the disk of this machine "
            "is not to be trusted"
          : "what the audit had found false did not repeat: the ledger had handed out other bytes, "
            "or the memory or the disk of this machine is not to be trusted",
      {{"origin", suspicion->target.checkpoint.origin}, {"finding", suspicion->first.finding}});
  suspicion.reset();
  {
    const MutexLock lock(mutex);
    ++status.unrepeated;
  }
  return second.TakePlaceOf(&first);
}

// First what nobody else has to be asked for; a ledger that was caught may hand out no receipt.
void Auditor::Parts::Accuse() {
  const JudgedFalse& found = *second.caught();
  const SignedCheckpoint& target = suspicion->target;
  EvidenceWriter evidence(options.folder,
                          {.entry = EntryOf(found, target.checkpoint),
                           .text = found.finding,
                           .first_text = suspicion->first.finding,
                           .entry_bytes = found.entry_bytes,
                           .note = FormatNote(target.note)},
                          options.hook);
  // Before anybody hears of it: what was said must not be forgotten.
  const absl::Status kept = evidence.WriteFinding();
  Log(LogLevel::kError, "ALARM: the audit has found the log false",
      {{"origin", target.checkpoint.origin},
       {"finding", found.finding},
       {"evidence", kept.ok() ? evidence.finding_file() : std::string(StdView(kept.message()))}});
  {
    const MutexLock lock(mutex);
    status.error = found.finding;
    status.alarm = true;
    status.is_work_folder_failing = false;
    if (kept.ok()) status.evidence = evidence.finding_file();
  }
  changed.NotifyAll();
  // What it held may be the room that the evidence has not got.
  second.Remove().IgnoreError();
  WriteWhatIsLeft(&evidence);
}

void Auditor::Parts::WriteWhatIsLeft(EvidenceWriter* evidence) {
  milliseconds pause = kRetry;
  for (;;) {
    if (!evidence->has_finding() && evidence->WriteFinding().ok()) {
      Log(LogLevel::kError, "the evidence against the log is written",
          {{"evidence", evidence->finding_file()}});
      const MutexLock lock(mutex);
      status.evidence = evidence->finding_file();
    }
    evidence->WriteReceipt(*client, stop.get_token());
    if (evidence->is_done() || !WaitFor(pause)) return;
    pause = std::min(2 * pause, kRetryMax);
  }
}

void Auditor::Parts::Conclude(const Checkpoint& target, const absl::Status& result) {
  const std::string error(StdView(result.message()));
  bool fresh = false;
  {
    const MutexLock lock(mutex);
    if (result.ok()) {
      audited = target;
      status.audited_size = target.size;
      if (wanted.has_value() && wanted->checkpoint == target) wanted.reset();
    }
    fresh = status.error != error;
    status.error = error;
    status.is_work_folder_failing = first.is_broken() || second.is_broken();
  }
  changed.NotifyAll();
  if (fresh && !result.ok()) {
    Log(LogLevel::kWarning, "the audit stands still", {{"cause", error}});
  }
}

std::optional<SignedCheckpoint> Auditor::Parts::NextTarget() {
  const MutexLock lock(mutex);
  while (!stopping && !suspicion.has_value() && !wanted.has_value()) changed.Wait(mutex);
  if (stopping) return std::nullopt;
  return suspicion.has_value() ? suspicion->target : wanted;
}

bool Auditor::Parts::WaitFor(milliseconds pause) {
  const MutexLock lock(mutex);
  const auto end = steady_clock::now() + pause;
  while (!stopping && changed.WaitUntil(mutex, end)) {
  }
  return !stopping;
}

void Auditor::Parts::Run() {
  milliseconds pause = kRetry;
  while (const std::optional<SignedCheckpoint> target = NextTarget()) {
    const absl::Status result = Audit(*target);
    // Nothing that is read later makes it true.
    if (second.caught().has_value()) return Accuse();
    if (stop.stop_requested()) return;
    if (result.ok()) Passed(AuditStep::kConfirmed);
    Conclude(target->checkpoint, result);
    const bool lasts = first.is_broken() || suspicion.has_value();
    if (!lasts) pause = kRetry;
    if (result.ok()) continue;
    if (!WaitFor(pause)) return;
    pause = std::min(2 * pause, kRetryMax);
  }
}

Auditor::Auditor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Auditor>> Auditor::Start(AuditorOptions options, NoteSigner signer) {
  auto parts = std::make_unique<Parts>(std::move(options), std::move(signer));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(parts->options.folder));
  NameLeftover(parts->options.folder);
  CUSTODY_ASSIGN_OR_RETURN(parts->client, Client::Connect(parts->options.connection));
  CUSTODY_ASSIGN_OR_RETURN(const auto earlier, FindEarlier(parts->options.folder));
  if (!earlier.has_value()) {
    // Of a process that did not come to its end.
    CUSTODY_RETURN_IF_ERROR(parts->second.Remove());
    CUSTODY_RETURN_IF_ERROR(parts->first.Open());
    parts->Show(parts->first.next());
  }
  std::unique_ptr<Auditor> auditor(new Auditor(std::move(parts)));
  if (earlier.has_value()) {
    Log(LogLevel::kError, "ALARM: an earlier audit has found the log false; nothing is cosigned",
        {{"finding", earlier->text}});
    const MutexLock lock(auditor->parts_->mutex);
    auditor->parts_->status.error = earlier->text;
    auditor->parts_->status.evidence = earlier->file;
    auditor->parts_->status.alarm = true;
    return auditor;
  }
  if (!auditor->parts_->options.entry0_leaf_hash.has_value()) {
    Log(LogLevel::kInfo, "audit.entry0_leaf_hash is empty: the log is taken as it is seen first",
        {{"ledger", auditor->parts_->options.connection.ledger}});
  }
  auditor->parts_->thread = std::thread([p = auditor->parts_.get()] { p->Run(); });
  return auditor;
}

Auditor::~Auditor() {
  {
    const MutexLock lock(parts_->mutex);
    parts_->stopping = true;
  }
  parts_->stop.request_stop();
  parts_->changed.NotifyAll();
  if (parts_->thread.joinable()) parts_->thread.join();
}

const NoteVerifier& Auditor::verifier() const { return parts_->signer.verifier(); }

std::optional<NoteSignature> Auditor::Cosign(const SignedCheckpoint& shown,
                                             std::uint64_t time_seconds) {
  const Checkpoint& checkpoint = shown.checkpoint;
  // Of nothing there is nothing to say.
  if (checkpoint.origin != parts_->options.connection.ledger || checkpoint.size == 0) {
    return std::nullopt;
  }
  {
    const MutexLock lock(parts_->mutex);
    const auto deadline = steady_clock::now() + milliseconds(parts_->options.wait_ms_max);
    // Of two that ask at once the larger is audited; the smaller one is asked for no more.
    if (parts_->audited.has_value() && parts_->audited->size > checkpoint.size) return std::nullopt;
    if (parts_->audited != checkpoint) parts_->wanted = shown;
    parts_->changed.NotifyAll();
    while (!parts_->stopping && parts_->audited != checkpoint && !parts_->status.alarm &&
           parts_->changed.WaitUntil(parts_->mutex, deadline)) {
    }
    if (parts_->audited != checkpoint || parts_->status.alarm) return std::nullopt;
  }
  absl::StatusOr<NoteSignature> signature =
      parts_->signer.Cosign(FormatCheckpoint(checkpoint), time_seconds);
  if (!signature.ok()) return std::nullopt;
  return *std::move(signature);
}

AuditorStatus Auditor::Status() const {
  const MutexLock lock(parts_->mutex);
  return parts_->status;
}

}  // namespace custody
