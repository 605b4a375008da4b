#include "daemon/ledger/signature_verifier.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/thread_name.h"

namespace custody {

absl::Status SignatureVerifier::VerifySignature(const StateView& view,
                                                const ParsedSignature& signature, bool* unknown) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<VerifyKey> key,
                           keys_.Find(view, signature.signer, signature.statement.key_id()));
  *unknown = !key.has_value();
  if (*unknown) return absl::OkStatus();
  absl::Status status = check_.Verify(*key, signature);
  (status.ok() ? metrics_.signatures_verified : metrics_.signatures_bad)
      .fetch_add(1, std::memory_order_relaxed);
  return status;
}

absl::Status SignatureVerifier::VerifyEvent(QueueItem* item) {
  CUSTODY_ASSIGN_OR_RETURN(ParsedEvent event,
                           ParseSignedEvent(std::move(item->signed_event), origin_));
  item->event = std::make_shared<ParsedEvent>(std::move(event));
  const LedgerReader reader(snapshot_());
  for (std::size_t i = 0; i < item->event->signatures.size(); ++i) {
    bool unknown = false;
    CUSTODY_RETURN_IF_ERROR(VerifySignature(reader, item->event->signatures[i], &unknown));
    if (unknown) item->recheck.push_back(i);
  }
  return absl::OkStatus();
}

absl::Status SignatureVerifier::VerifyAdded(QueueItem* item) {
  CUSTODY_ASSIGN_OR_RETURN(item->added, ParseSignature(item->signature, item->cosigned, origin_));
  bool unknown = false;
  const LedgerReader reader(snapshot_());
  CUSTODY_RETURN_IF_ERROR(VerifySignature(reader, *item->added, &unknown));
  if (unknown) item->recheck.push_back(0);
  return absl::OkStatus();
}

void SignatureVerifier::VerifyItem(QueueItem* item) {
  const auto begin = std::chrono::steady_clock::now();
  item->verified = item->kind == RequestKind::kCosign ? VerifyAdded(item) : VerifyEvent(item);
  const auto spent = std::chrono::steady_clock::now() - begin;
  metrics_.verify_us.Observe(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(spent).count()));
}

VerifierPool::VerifierPool(std::uint32_t thread_count, AdmissionQueue& queue,
                           SignatureVerifier& verifier) {
  const std::uint32_t count =
      thread_count != 0 ? thread_count : std::max(1U, std::thread::hardware_concurrency());
  for (std::uint32_t i = 0; i < count; ++i) {
    threads_.emplace_back([&queue, &verifier] {
      NameThread("verifier");
      while (QueueItem* item = queue.TakeUnverified()) {
        verifier.VerifyItem(item);
        CrashPoint("verified");
        queue.MarkVerified(item);
      }
    });
  }
}

VerifierPool::~VerifierPool() {
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace custody
