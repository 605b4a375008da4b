// Settings of a ledger, with the keys by which it speaks.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_OPTIONS_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/stopped_log.h"

namespace custody {

struct LedgerOptions {
  // Largest group of events written with one sync, and its bytes. Consequences of the last event
  // may go beyond both.
  std::uint32_t batch_events_max = 256;
  std::uint64_t batch_bytes_max = 4U << 20;
  // Subjects touched by a batch; bounds the work on the index.
  std::uint32_t batch_touches_max = 4'096;

  // Events admitted and not yet planned. Beyond it, callers are told to back off.
  std::uint32_t queue_events_max = 8'192;
  std::uint64_t queue_bytes_max = 64U << 20;
  // The part of the queue that bulk streams may fill.
  std::uint32_t queue_bulk_events_max = 4'096;

  // Threads that verify signatures. 0: one per core.
  std::uint32_t verify_threads = 0;

  // A seal is written when nothing happened for so long.
  std::int64_t seal_interval_ms_max = 60'000;

  // The anchor: the newest checkpoint as a file, best on another disk. Empty: none (tests only).
  std::string anchor_path;
  std::int64_t anchor_interval_ms_min = 1'000;

  // Where the tree and the index lie that the last stop has left, and where the next one leaves
  // them; must outlive the ledger. Null: tiles and buckets are read.
  StoppedLog* stopped_log = nullptr;

  // How long index proofs can still be made for a checkpoint after it ceased to be the newest.
  std::int64_t index_history_ms = 3'600'000;

  // Writing stops while fewer bytes are free.
  std::uint64_t disk_reserve_bytes = 256U << 20;

  // Parsed states kept in memory.
  std::uint32_t state_cache_subjects_max = 65'536;

  // Decisions that wait for signatures.
  std::uint32_t pending_max = 10'000;

  // At start, an entry that is older than this is a gap that an operator should know of; it is
  // flagged in LedgerStatus.mode_reason and never hinders.
  std::int64_t start_gap_ms_max = std::int64_t{30} * 86'400'000;

  // Asked once, before anything is written or signed: what others have seen of this log. A status
  // that is not OK (a refusal) keeps the ledger from writing. Null: nobody is asked.
  std::function<absl::Status(const LedgerSnapshot& snapshot)> before_writing;
};

// Errors: kInvalidArgument, naming the option and both values.
absl::Status Validate(const LedgerOptions& options);

struct LedgerKeys {
  // Signs checkpoints; its name is the origin.
  NoteSigner log;
  // Signs consequences, as the service device that entry 0 enrols.
  SigningKey service;
  // Sign every checkpoint too, a line each, while a rotation of the log key lasts.
  std::vector<NoteSigner> further_log = {};

  // `log` first.
  std::vector<NoteSigner> LogSigners() const;
  std::vector<NoteVerifier> LogVerifiers() const;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_OPTIONS_H_
