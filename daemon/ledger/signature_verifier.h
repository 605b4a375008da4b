// The verify workers: they parse events and check signatures on all cores, ahead of the sequencer.
//
// They do arithmetic only. Whether a key counts is decided by position in the log; a key that the
// newest durable state does not know may be enrolled by an event in flight, so it is left to the
// sequencer.
//
// Threads: VerifyItem() from any thread. VerifierPool owns its threads.

#ifndef CUSTODY_DAEMON_LEDGER_SIGNATURE_VERIFIER_H_
#define CUSTODY_DAEMON_LEDGER_SIGNATURE_VERIFIER_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/ledger/admission_queue.h"
#include "daemon/ledger/key_directory.h"
#include "daemon/ledger/ledger_metrics.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/signature_check.h"

namespace custody {

class SignatureVerifier {
 public:
  using SnapshotSource = std::function<std::shared_ptr<const LedgerSnapshot>()>;

  SignatureVerifier(std::string origin, SnapshotSource snapshot, LedgerMetrics& metrics)
      : origin_(std::move(origin)), snapshot_(std::move(snapshot)), metrics_(metrics) {}

  // Fills in what was found; never fails itself.
  void VerifyItem(QueueItem* item);

  // One signature under the keys of `view`. Sets *unknown when the key is not there, and is OK
  // then. Errors: kUnauthenticated; those of the view.
  absl::Status VerifySignature(const StateView& view, const ParsedSignature& signature,
                               bool* unknown);

 private:
  absl::Status VerifyEvent(QueueItem* item);
  absl::Status VerifyAdded(QueueItem* item);

  const std::string origin_;
  const SnapshotSource snapshot_;
  LedgerMetrics& metrics_;
  KeyDirectory keys_;
  SignatureCheck check_;
};

class VerifierPool {
 public:
  VerifierPool(std::uint32_t thread_count, AdmissionQueue& queue, SignatureVerifier& verifier);
  // Waits for the workers; the queue must be closed before.
  ~VerifierPool();
  VerifierPool(const VerifierPool&) = delete;
  VerifierPool& operator=(const VerifierPool&) = delete;

 private:
  std::vector<std::thread> threads_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SIGNATURE_VERIFIER_H_
