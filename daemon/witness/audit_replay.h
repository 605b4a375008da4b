// One replay of a log in a folder of its own: reads from the daemon what it has not read yet, and
// judges it (daemon/audit) up to a checkpoint. It goes on where it was, also after trouble with its
// folder or with the daemon.
//
// Threads: one at a time.
// Owns:    the folder, while it is open.

#ifndef CUSTODY_DAEMON_WITNESS_AUDIT_REPLAY_H_
#define CUSTODY_DAEMON_WITNESS_AUDIT_REPLAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/verify/trust.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "custody/client.h"
#include "daemon/audit/log_audit.h"
#include "daemon/witness/audit_step.h"
#include "storage/rocksdb_store.h"

namespace custody {

struct ReplayOptions {
  std::string folder;
  std::string ledger;
  // nullopt: entry 0 is taken as it is.
  std::optional<Digest> entry0_leaf_hash;
  // Every Open() begins with an empty folder.
  bool begins_anew = false;
  AuditStepHook hook = nullptr;  // May be null.
};

// A log that was found false.
struct JudgedFalse {
  std::string finding;
  // nullopt: it is the checkpoint that is false.
  std::optional<std::uint64_t> entry;
  // As judged.
  std::string entry_bytes;
};

class AuditReplay {
 public:
  // Sees every entry that is read, before it is judged.
  using EntryObserver = std::function<void(std::uint64_t index, std::string_view entry)>;

  explicit AuditReplay(ReplayOptions options);
  AuditReplay(const AuditReplay&) = delete;
  AuditReplay& operator=(const AuditReplay&) = delete;

  // Errors: kUnavailable if the folder cannot be used or is damaged; kInvalidArgument if it is that
  // of another ledger.
  absl::Status Open();
  void Close();
  // Closes and removes the folder. Errors: kUnavailable.
  absl::Status Remove();
  // Closes both; what this one has done is from now on in the folder of `other`. A crash in between
  // leaves no folder there, or a whole one. Errors: kUnavailable, with is_broken() of `other`.
  absl::Status TakePlaceOf(AuditReplay* other);

  // Reads, judges and confirms; opens the folder first where it has to.
  // Errors: kDataLoss with caught(), after which only Open(), Close() and Remove() are of use;
  // those of the folder with is_broken(); kPermissionDenied if entries are withheld;
  // kFailedPrecondition if it is another log than the pinned one, or more is read than the
  // checkpoint has; those of the client, kCancelled once `stop` is asked.
  absl::Status AuditTo(Client& client, const Checkpoint& checkpoint, const EntryObserver& observe,
                       const std::stop_token& stop);

  // Entries read.
  std::uint64_t next() const { return log_ == nullptr ? 0 : log_->next(); }
  const std::optional<JudgedFalse>& caught() const { return caught_; }
  // By its own folder: to be opened again.
  bool is_broken() const { return is_broken_; }

 private:
  absl::Status OpenFolder();
  absl::Status MoveTo(const std::string& folder);
  // Where a folder whose place was taken waits for its removal.
  std::string Aside() const { return options_.folder + ".replaced"; }
  absl::Status ReadTo(Client& client, const Checkpoint& checkpoint, const EntryObserver& observe,
                      const std::stop_token& stop);
  // What stands at the next index, before it is judged. No lie: the setting may be the mistake.
  absl::Status CheckRead(std::uint64_t index, std::string_view entry) const;
  // The audit's own answers; what it calls data loss is a lie of the log.
  absl::Status Judged(absl::Status judgement);

  const ReplayOptions options_;
  const Trust trust_;
  std::unique_ptr<RocksdbStore> store_;
  std::unique_ptr<LogAudit> log_;  // Null while closed.
  std::optional<JudgedFalse> caught_;
  bool is_broken_ = false;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_AUDIT_REPLAY_H_
