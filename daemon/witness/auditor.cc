#include "daemon/witness/auditor.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "custody/client.h"
#include "daemon/audit/log_audit.h"
#include "daemon/files.h"
#include "daemon/logging.h"
#include "daemon/witness/audit_evidence.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRetry(1'000);
// The replay reads the states that each entry touches.
constexpr std::uint64_t kCacheBytesMax = 32U << 20;
constexpr std::uint64_t kWriteBufferBytesMax = 8U << 20;

constexpr milliseconds kRetryMax(60'000);

Trust TrustOf(const AuditorOptions& options) {
  Trust trust;
  trust.ledger = options.connection.ledger;
  trust.entry0_leaf_hash = options.entry0_leaf_hash.value_or(Digest());
  return trust;
}

}  // namespace

// In the order of construction; destruction is the reverse.
struct Auditor::Parts {
  Parts(AuditorOptions o, NoteSigner s)
      : options(std::move(o)), signer(std::move(s)), trust(TrustOf(options)) {}

  void Run();
  // Reads up to the checkpoint and compares.
  absl::Status AuditTo(const Checkpoint& target);
  absl::Status ReadTo(const Checkpoint& target);
  // What stands at the next index, before it is judged. No lie: the setting may be the mistake.
  absl::Status CheckRead(std::uint64_t index, std::string_view entry) const;
  // The audit's own answers; what it calls data loss is a lie of the log.
  absl::Status Judged(absl::Status judgement);
  void Conclude(const Checkpoint& target, const absl::Status& status);
  void KeepEvidence(const Checkpoint& target, std::string_view finding);
  void KeepReceipt(const Checkpoint& target);
  absl::Status OpenReplay();

  const AuditorOptions options;
  const NoteSigner signer;
  std::unique_ptr<RocksdbStore> store;
  const Trust trust;
  std::unique_ptr<LogAudit> log;  // Of the thread, as the next one.
  bool lied = false;
  bool is_broken = false;  // The replay, by its folder: to be opened again.
  std::unique_ptr<Client> client;
  std::stop_source stop;

  mutable Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::optional<Checkpoint> wanted ABSL_GUARDED_BY(mutex);
  std::optional<Checkpoint> audited ABSL_GUARDED_BY(mutex);
  AuditorStatus status ABSL_GUARDED_BY(mutex);
  std::thread thread;
};

absl::Status Auditor::Parts::Judged(absl::Status judgement) {
  lied = lied || absl::IsDataLoss(judgement);
  is_broken = !judgement.ok() && !lied;
  return judgement;
}

// First what nobody else has to be asked for. The receipt, which the client has verified, proves
// that the log's key stands for the entry; a ledger that was caught may not hand it out.
void Auditor::Parts::KeepEvidence(const Checkpoint& target, std::string_view finding) {
  const std::uint64_t entry = log->wrong_entry().value_or(target.size - 1);
  const absl::Status kept = KeepFinding(
      options.folder, {entry, std::string(finding), std::string(log->wrong_bytes()), target});
  Log(LogLevel::kError, "ALARM: the audit has found the log false",
      {{"origin", target.origin},
       {"finding", std::string(finding)},
       {"evidence", kept.ok() ? EvidenceBase(options.folder, entry) + ".txt"
                              : std::string(StdView(kept.message()))}});
}

void Auditor::Parts::KeepReceipt(const Checkpoint& target) {
  const std::uint64_t entry = log->wrong_entry().value_or(target.size - 1);
  v1::GetReceiptRequest request;
  request.set_index(entry);
  const absl::StatusOr<v1::Receipt> receipt = client->GetReceipt(request);
  absl::Status kept = receipt.status();
  if (receipt.ok()) {
    kept = ReplaceSmallFile(EvidenceBase(options.folder, entry) + ".receipt",
                            receipt->SerializeAsString());
  }
  if (kept.ok()) return;
  Log(LogLevel::kWarning, "there is no receipt of the false entry",
      {{"entry", absl::StrFormat("%d", entry)}, {"cause", std::string(StdView(kept.message()))}});
}

// Opens the replay again after trouble with its folder, which the next checkpoint may not have.
absl::Status Auditor::Parts::OpenReplay() {
  log.reset();
  store.reset();
  RocksdbOptions folder;
  folder.path = options.folder + "/replay";
  folder.create_if_missing = true;
  folder.block_cache_bytes_max = kCacheBytesMax;
  folder.write_buffer_bytes_max = kWriteBufferBytesMax;
  CUSTODY_ASSIGN_OR_RETURN(store, RocksdbStore::Open(folder));
  CUSTODY_ASSIGN_OR_RETURN(
      log,
      LogAudit::Open({.any_first_entry = !options.entry0_leaf_hash.has_value()}, trust, *store));
  const MutexLock lock(mutex);
  status.read_size = log->next();
  return absl::OkStatus();
}

absl::Status Auditor::Parts::CheckRead(std::uint64_t index, std::string_view entry) const {
  if (index != log->next()) {
    return absl::PermissionDeniedError(
        absl::StrFormat("entry %d is withheld: the principal of the audit must be allowed to read "
                        "the entries of every site",
                        log->next()));
  }
  if (index != 0 || !options.entry0_leaf_hash.has_value()) return absl::OkStatus();
  const Digest leaf_hash = LeafHash(entry);
  if (leaf_hash == *options.entry0_leaf_hash) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("entry 0 has the leaf hash %s, audit.entry0_leaf_hash is %s: this is another "
                      "log, or the setting is wrong",
                      leaf_hash.ToHex(), options.entry0_leaf_hash->ToHex()));
}

absl::Status Auditor::Parts::ReadTo(const Checkpoint& target) {
  if (log->next() >= target.size) return absl::OkStatus();
  absl::Status taken;
  CallOptions call;
  call.deadline = milliseconds(600'000);
  call.stop = stop.get_token();
  const absl::Status read = client->ReadEntries(
      log->next(), target.size,
      [&](std::uint64_t index, std::string_view entry) {
        taken = CheckRead(index, entry);
        if (taken.ok()) taken = Judged(log->Add(std::string(entry)));
        const MutexLock lock(mutex);
        status.read_size = log->next();
        return taken.ok();
      },
      call);
  CUSTODY_RETURN_IF_ERROR(taken);
  CUSTODY_RETURN_IF_ERROR(read);
  if (log->next() == target.size) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrFormat("the ledger hands out %d entries of %d", log->next(), target.size));
}

absl::Status Auditor::Parts::AuditTo(const Checkpoint& target) {
  if (is_broken) {
    CUSTODY_RETURN_IF_ERROR(OpenReplay());
    is_broken = false;
  }
  // An older copy of the witness's own state beside a newer audit, for example: no lie.
  if (log->size_min() > target.size) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d entries are read, the checkpoint has %d", log->size_min(), target.size));
  }
  CUSTODY_RETURN_IF_ERROR(ReadTo(target));
  return Judged(log->Confirm(target));
}

void Auditor::Parts::Conclude(const Checkpoint& target, const absl::Status& result) {
  const bool lie = !result.ok() && lied;
  std::string error(StdView(result.message()));
  bool fresh = false;
  // Before anybody hears of it: what was said must not be forgotten.
  if (lie) KeepEvidence(target, error);
  {
    const MutexLock lock(mutex);
    if (result.ok()) {
      audited = target;
      status.audited_size = target.size;
    }
    fresh = status.error != error;
    status.error = error;
    status.alarm = status.alarm || lie;
    if (result.ok() && wanted == target) wanted.reset();
  }
  changed.NotifyAll();
  if (!fresh || result.ok()) return;
  if (lie) {
    KeepReceipt(target);
  } else {
    Log(LogLevel::kWarning, "the audit stands still", {{"cause", error}});
  }
}

void Auditor::Parts::Run() {
  milliseconds pause = kRetry;
  for (;;) {
    Checkpoint target;
    {
      const MutexLock lock(mutex);
      while (!stopping && !wanted.has_value()) changed.Wait(mutex);
      if (stopping) return;
      target = *wanted;
    }
    const absl::Status result = AuditTo(target);
    Conclude(target, result);
    if (lied) return;  // Nothing that is read later makes it true.
    if (!is_broken) pause = kRetry;
    if (result.ok()) continue;
    const MutexLock lock(mutex);
    const auto again = steady_clock::now() + pause;
    pause = std::min(2 * pause, kRetryMax);
    while (!stopping && changed.WaitUntil(mutex, again)) {
    }
  }
}

Auditor::Auditor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Auditor>> Auditor::Start(AuditorOptions options, NoteSigner signer) {
  auto parts = std::make_unique<Parts>(std::move(options), std::move(signer));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(parts->options.folder));
  CUSTODY_ASSIGN_OR_RETURN(parts->client, Client::Connect(parts->options.connection));
  CUSTODY_ASSIGN_OR_RETURN(const auto earlier, EarlierFinding(parts->options.folder));
  if (!earlier.has_value()) CUSTODY_RETURN_IF_ERROR(parts->OpenReplay());
  std::unique_ptr<Auditor> auditor(new Auditor(std::move(parts)));
  if (earlier.has_value()) {
    Log(LogLevel::kError, "ALARM: an earlier audit has found the log false; nothing is cosigned",
        {{"finding", *earlier}});
    const MutexLock lock(auditor->parts_->mutex);
    auditor->parts_->status.error = *earlier;
    auditor->parts_->status.alarm = true;
    return auditor;
  }
  if (!auditor->parts_->options.entry0_leaf_hash.has_value()) {
    Log(LogLevel::kInfo, "audit.entry0_leaf_hash is empty: the log is taken as it is seen first",
        {{"ledger", auditor->parts_->trust.ledger}});
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

std::optional<NoteSignature> Auditor::Cosign(const Checkpoint& checkpoint,
                                             std::uint64_t time_seconds) {
  if (checkpoint.origin != parts_->options.connection.ledger) return std::nullopt;
  {
    const MutexLock lock(parts_->mutex);
    const auto deadline = steady_clock::now() + milliseconds(parts_->options.wait_ms_max);
    // Of two that ask at once the larger is audited; the smaller one is asked for no more.
    if (parts_->audited.has_value() && parts_->audited->size > checkpoint.size) return std::nullopt;
    if (parts_->audited != checkpoint) parts_->wanted = checkpoint;
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
