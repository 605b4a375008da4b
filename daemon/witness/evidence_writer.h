// Writes what is kept of a log that was found false, now or as soon as it can be written; and asks
// the ledger for its own receipt of the false entry, which proves that the log's key stands for it.
//
// Threads: one at a time.

#ifndef CUSTODY_DAEMON_WITNESS_EVIDENCE_WRITER_H_
#define CUSTODY_DAEMON_WITNESS_EVIDENCE_WRITER_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "custody/client.h"
#include "daemon/witness/audit_evidence.h"
#include "daemon/witness/audit_step.h"

namespace custody {

// So often the receipt is asked for while the ledger cannot be reached.
inline constexpr int kReceiptRequestsMax = 10;

class EvidenceWriter {
 public:
  // `hook` may be null.
  EvidenceWriter(std::string folder, AuditFinding finding, AuditStepHook hook);

  // Tries it, unless it is written; the entry first. Errors: kUnavailable.
  absl::Status WriteFinding();
  // Asks, unless it was answered or asked too often; writes, unless it is written.
  void WriteReceipt(Client& client, const std::stop_token& stop);
  // Nothing is left to be tried.
  bool is_done() const { return has_finding_ && receipt_ended_; }

  bool has_finding() const { return has_finding_; }
  // Where the finding is, or will be.
  std::string finding_file() const { return EvidenceBase(folder_, finding_.entry) + ".txt"; }

 private:
  absl::Status WriteEntryAndText() const;
  void AskForReceipt(Client& client, const std::stop_token& stop);

  const std::string folder_;
  const AuditFinding finding_;
  const AuditStepHook hook_;
  bool has_finding_ = false;
  int requests_ = 0;
  std::optional<std::string> receipt_;
  bool receipt_ended_ = false;  // Written, or it will never be there.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_EVIDENCE_WRITER_H_
