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
#include "daemon/witness/evidence_writer.h"
#include "daemon/witness/twofold_audit.h"

namespace custody {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRetry(1'000);
constexpr milliseconds kRetryMax(60'000);

TwofoldAuditOptions AuditOf(const AuditorOptions& options) {
  TwofoldAuditOptions audit;
  audit.folder = options.folder;
  audit.ledger = options.connection.ledger;
  audit.entry0_leaf_hash = options.entry0_leaf_hash;
  audit.hook = options.hook;
  return audit;
}

// A folder that only earlier versions have used.
void NameLeftover(const std::string& folder) {
  const std::string leftover = folder + "/store";
  std::error_code error;
  if (!std::filesystem::exists(leftover, error)) return;
  Log(LogLevel::kInfo, "a folder of an earlier version is no longer used and can be removed",
      {{"folder", leftover}});
}

}  // namespace

// In the order of construction; destruction is the reverse.
struct Auditor::Parts {
  Parts(AuditorOptions o, NoteSigner s)
      : options(std::move(o)), signer(std::move(s)), audit(AuditOf(options)) {}

  void Run();
  absl::Status AuditTo(const SignedCheckpoint& target);
  // nullopt: stopping.
  std::optional<SignedCheckpoint> NextTarget();
  // Whether there is time left; false: stopping.
  bool WaitFor(milliseconds pause);
  void Conclude(const Checkpoint& target, const absl::Status& result);
  void Accuse(AuditFinding finding);
  // Tries it again and again, until it is there or the process stops.
  void WriteWhatIsLeft(EvidenceWriter* evidence);
  void Show(std::uint64_t read_size) {
    const MutexLock lock(mutex);
    status.read_size = read_size;
  }

  const AuditorOptions options;
  const NoteSigner signer;
  TwofoldAudit audit;  // Of the thread, as the client.
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

// First what nobody else has to be asked for; a ledger that was caught may hand out no receipt.
void Auditor::Parts::Accuse(AuditFinding finding) {
  const std::string text = finding.text;
  EvidenceWriter evidence(options.folder, std::move(finding), options.hook);
  // Before anybody hears of it: what was said must not be forgotten.
  const absl::Status kept = evidence.WriteFinding();
  Log(LogLevel::kError, "ALARM: the audit has found the log false",
      {{"origin", options.connection.ledger},
       {"finding", text},
       {"evidence", kept.ok() ? evidence.finding_file() : std::string(StdView(kept.message()))}});
  {
    const MutexLock lock(mutex);
    status.error = text;
    status.alarm = true;
    status.is_work_folder_failing = false;
    if (kept.ok()) status.evidence = evidence.finding_file();
  }
  changed.NotifyAll();
  // What it holds may be the room that the evidence has not got.
  audit.RemoveSecond();
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
    status.is_work_folder_failing = audit.is_broken();
    status.unrepeated = audit.unrepeated();
  }
  changed.NotifyAll();
  if (fresh && !result.ok()) {
    Log(LogLevel::kWarning, "the audit stands still", {{"cause", error}});
  }
}

std::optional<SignedCheckpoint> Auditor::Parts::NextTarget() {
  const SignedCheckpoint* suspected = audit.suspected();
  const MutexLock lock(mutex);
  while (!stopping && suspected == nullptr && !wanted.has_value()) changed.Wait(mutex);
  if (stopping) return std::nullopt;
  return suspected == nullptr ? wanted : *suspected;
}

bool Auditor::Parts::WaitFor(milliseconds pause) {
  const MutexLock lock(mutex);
  const auto end = steady_clock::now() + pause;
  while (!stopping && changed.WaitUntil(mutex, end)) {
  }
  return !stopping;
}

absl::Status Auditor::Parts::AuditTo(const SignedCheckpoint& target) {
  absl::Status result = audit.AuditTo(
      *client, target, [this](std::uint64_t size) { Show(size); }, stop.get_token());
  if (result.ok() && options.hook) options.hook(AuditStep::kConfirmed);
  return result;
}

void Auditor::Parts::Run() {
  milliseconds pause = kRetry;
  while (const std::optional<SignedCheckpoint> target = NextTarget()) {
    const bool was_suspected = audit.suspected() != nullptr;
    const absl::Status result = AuditTo(*target);
    // Nothing that is read later makes it true.
    if (std::optional<AuditFinding> finding = audit.convicted()) return Accuse(*std::move(finding));
    if (stop.stop_requested()) return;
    Conclude(target->checkpoint, result);
    // The second replay follows on the first.
    const bool goes_on = result.ok() || (!was_suspected && audit.suspected() != nullptr);
    const bool lasts = was_suspected || audit.is_broken();
    if (goes_on || !lasts) pause = kRetry;
    if (goes_on) continue;
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
    CUSTODY_RETURN_IF_ERROR(parts->audit.Open());
    parts->Show(parts->audit.next());
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
