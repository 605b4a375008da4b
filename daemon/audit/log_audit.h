// Replays a whole log from nothing and judges every entry of it.
//
// Of an event: its encoding and statements; every signature, by a key that was enrolled at that
// position; that the rules admit it there, with just the findings that stand in it; its links to
// the chains of its subjects; that its id is there once; that the events which the rules want right
// behind it follow. Of a seal: what it covers, the root of the subject index and the number of
// subjects. Of the log: entry 0, times that never go back, and at the end the checkpoint.
//
// The replay needs the states of all subjects, so it writes a store of its own in a work folder,
// smaller than the log; memory does not grow with the log. An audit that was cut short goes on
// there.
//
// Threads: one thread calls; signatures are checked and events parsed on threads of its own.

#ifndef CUSTODY_DAEMON_AUDIT_LOG_AUDIT_H_
#define CUSTODY_DAEMON_AUDIT_LOG_AUDIT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/verify/trust.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "storage/store.h"

namespace custody {

struct AuditOptions {
  // For parsing and signatures, beside the thread that replays; 0: one for each core.
  std::uint32_t threads = 0;
  // Entries that are parsed together, and how much is held before the store of the replay is
  // written.
  std::size_t chunk_entries = 512;
  std::size_t flush_bytes = 32U << 20;
  // Entry 0 need not be that of the trust: whoever sees a log for the first time takes it as it is.
  bool any_first_entry = false;
  // Called when everything up to a checkpoint was found true and nothing of it is synced yet, for
  // tests that kill the process there. May be null.
  std::function<void()> judged_hook = nullptr;
};

// Counted in this run, not in those before it.
struct AuditCounts {
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
  std::uint64_t seals = 0;
  std::uint64_t signatures = 0;
  std::uint64_t findings = 0;
};

class LogAudit {
 public:
  // Begins in an empty store, or goes on in that of an earlier audit of the same log. `trust` and
  // `work` must outlive it.
  // Errors: kInvalidArgument if the store is that of another log or of no audit; kUnavailable if
  //         it is damaged, here and from every call; those of the store.
  static absl::StatusOr<std::unique_ptr<LogAudit>> Open(const AuditOptions& options,
                                                        const Trust& trust, Store& work);
  ~LogAudit();
  LogAudit(const LogAudit&) = delete;
  LogAudit& operator=(const LogAudit&) = delete;

  // The index that Add() wants next; entries before it were judged by an earlier run.
  std::uint64_t next() const;

  // Entries that this run or an earlier one has replayed, or will: a checkpoint of fewer cannot be
  // confirmed, whatever it says.
  std::uint64_t size_min() const;

  // Takes the entries in their order. An entry is judged some calls later.
  // Errors: kDataLoss "entry N: what is wrong with it", N the first entry that is wrong, after
  //         which the audit is at its end; those of the store.
  absl::Status Add(std::string entry_bytes);

  // Judges what is left, then the checkpoint against it, and keeps what was done, synced. More may
  // be added afterwards: so a log is audited as it grows.
  // Errors: as Add(), and as after those the audit is at its end; kDataLoss also if the root or
  //         size of the checkpoint is not that of the entries, or it ends behind no seal.
  absl::Status Confirm(const Checkpoint& checkpoint);

  // Confirms the checkpoint of a signed note, and ends.
  // Errors: as Confirm(); kDataLoss also if the note is not signed by a trusted key.
  absl::StatusOr<Checkpoint> Finish(std::string_view note);

  const AuditCounts& counts() const;
  // The first wrong entry, once the audit has ended with kDataLoss; nullopt if that is of the
  // checkpoint.
  std::optional<std::uint64_t> wrong_entry() const;
  // The bytes of it that were judged, until the audit is destroyed.
  std::string_view wrong_bytes() const;

 private:
  class Replay;
  explicit LogAudit(std::unique_ptr<Replay> replay);
  std::unique_ptr<Replay> replay_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_LOG_AUDIT_H_
