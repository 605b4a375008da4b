// Gives the second opinion of an auditing witness: reads the entries behind a checkpoint from the
// daemon, judges every one of them (daemon/audit), and only then cosigns with a key of its own.
//
// What it finds false is judged a second time, made anew (twofold_audit.h); only then is the log
// accused, and evidence kept (audit_evidence.h).
//
// Threads: Cosign() from any thread; it waits at most so long. One thread of its own reads.
// Owns:    the thread, the connection, the folder.

#ifndef CUSTODY_DAEMON_WITNESS_AUDITOR_H_
#define CUSTODY_DAEMON_WITNESS_AUDITOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "custody/connection.h"
#include "daemon/witness/audit_step.h"
#include "daemon/witness/witness_state.h"

namespace custody {

struct AuditorOptions {
  // Endpoint, certificates, ledger and its keys. The principal must be allowed to read the entries
  // of every site.
  ClientOptions connection;
  // For the store and for evidence. A finding that lies there (audit_evidence.h) is an alarm.
  std::string folder;
  // Of the log's entry 0; nullopt: the log is taken as it is when it is seen for the first time.
  std::optional<Digest> entry0_leaf_hash;
  std::int64_t wait_ms_max = 1'000;
  AuditStepHook hook = nullptr;  // May be null.
};

struct AuditorStatus {
  std::uint64_t audited_size = 0;  // Of the newest checkpoint that was found true.
  std::uint64_t read_size = 0;     // Entries read.
  // The audit stands still: the log was caught, once or twice, or cannot be read.
  std::string error;
  // It was caught twice, by this process or an earlier one; stays, also while the evidence cannot
  // be written, which is tried again.
  bool alarm = false;
  // The file of the finding, once it is written.
  std::string evidence;
  // It stands still because of its own folder: the disk is full or damaged.
  bool is_work_folder_failing = false;
  // How often it was caught by a first replay and not by the second one.
  std::uint64_t unrepeated = 0;
};

class Auditor {
 public:
  // Errors: those of Client::Connect(); kUnavailable if the store cannot be opened or is damaged;
  // kInvalidArgument if it is that of another ledger.
  static absl::StatusOr<std::unique_ptr<Auditor>> Start(AuditorOptions options, NoteSigner signer);
  ~Auditor();
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  const NoteVerifier& verifier() const;

  // The cosignature of a checkpoint that the witness has just cosigned, with the same time; nullopt
  // if the entries are not read and found true in time. Asking again, later, is the way to get it.
  // The log's signature goes into the evidence, should the entries be false.
  std::optional<NoteSignature> Cosign(const SignedCheckpoint& shown, std::uint64_t time_seconds);

  AuditorStatus Status() const;

 private:
  struct Parts;
  explicit Auditor(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_AUDITOR_H_
