#include "daemon/witness/auditor.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "custody/client.h"
#include "daemon/audit/log_audit.h"
#include "daemon/files.h"
#include "daemon/logging.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRetry(1'000);
// The replay reads the states that each entry touches.
constexpr std::uint64_t kCacheBytesMax = 32U << 20;
constexpr std::uint64_t kWriteBufferBytesMax = 8U << 20;

Trust TrustOf(const ClientOptions& connection) {
  Trust trust;
  trust.ledger = connection.ledger;
  return trust;
}

}  // namespace

// In the order of construction; destruction is the reverse.
struct Auditor::Parts {
  Parts(AuditorOptions o, NoteSigner s)
      : options(std::move(o)), signer(std::move(s)), trust(TrustOf(options.connection)) {}

  void Run();
  // Reads up to the checkpoint and compares.
  absl::Status AuditTo(const Checkpoint& target);
  absl::Status ReadTo(const Checkpoint& target);
  // The audit's own answers; what it calls data loss is a lie of the log.
  absl::Status Judged(absl::Status judgement);
  void Conclude(const Checkpoint& target, const absl::Status& status);
  void KeepEvidence(const Checkpoint& target, std::string_view finding);

  const AuditorOptions options;
  const NoteSigner signer;
  std::unique_ptr<RocksdbStore> store;
  const Trust trust;
  std::unique_ptr<LogAudit> log;  // Of the thread, as the next one.
  bool lied = false;
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
  return judgement;
}

// Whatever is wrong, the ledger's own receipt of the entry, which the client has verified, is the
// proof that the log's key stands for it.
void Auditor::Parts::KeepEvidence(const Checkpoint& target, std::string_view finding) {
  const std::uint64_t entry = log->wrong_entry().value_or(target.size - 1);
  const std::string base = absl::StrFormat("%s/evidence/audit-%d", options.folder, entry);
  absl::Status kept = MakeDirectory(options.folder + "/evidence");
  v1::GetReceiptRequest request;
  request.set_index(entry);
  const absl::StatusOr<v1::Receipt> receipt = client->GetReceipt(request);
  if (kept.ok() && receipt.ok()) {
    kept = ReplaceSmallFile(base + ".receipt", receipt->SerializeAsString());
  }
  if (kept.ok()) {
    kept = ReplaceSmallFile(
        base + ".txt",
        absl::StrFormat(
            "Finding: %s\n\nCheckpoint that was to be cosigned:\n\n%s\n"
            "Receipt of the entry: %s\n",
            finding, FormatCheckpoint(target),
            receipt.ok() ? base + ".receipt" : std::string(StdView(receipt.status().message()))));
  }
  Log(LogLevel::kError, "ALARM: the audit has found the log false",
      {{"origin", target.origin},
       {"finding", std::string(finding)},
       {"evidence", kept.ok() ? base + ".txt" : std::string(StdView(kept.message()))}});
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
        taken =
            index == log->next()
                ? Judged(log->Add(std::string(entry)))
                : absl::PermissionDeniedError(absl::StrFormat(
                      "entry %d is withheld: the principal of the audit must be allowed to read "
                      "the entries of every site",
                      log->next()));
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
    KeepEvidence(target, error);
  } else {
    Log(LogLevel::kWarning, "the audit stands still", {{"cause", error}});
  }
}

void Auditor::Parts::Run() {
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
    if (result.ok()) continue;
    const MutexLock lock(mutex);
    const auto again = steady_clock::now() + kRetry;
    while (!stopping && changed.WaitUntil(mutex, again)) {
    }
  }
}

Auditor::Auditor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Auditor>> Auditor::Start(AuditorOptions options, NoteSigner signer) {
  auto parts = std::make_unique<Parts>(std::move(options), std::move(signer));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(parts->options.folder));
  CUSTODY_ASSIGN_OR_RETURN(parts->client, Client::Connect(parts->options.connection));
  RocksdbOptions store;
  store.path = parts->options.folder + "/replay";
  store.create_if_missing = true;
  store.block_cache_bytes_max = kCacheBytesMax;
  store.write_buffer_bytes_max = kWriteBufferBytesMax;
  CUSTODY_ASSIGN_OR_RETURN(parts->store, RocksdbStore::Open(store));
  CUSTODY_ASSIGN_OR_RETURN(parts->log,
                           LogAudit::Open({.any_first_entry = true}, parts->trust, *parts->store));
  {
    const MutexLock lock(parts->mutex);
    parts->status.read_size = parts->log->next();
  }
  std::unique_ptr<Auditor> auditor(new Auditor(std::move(parts)));
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
