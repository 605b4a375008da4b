// Has every new checkpoint cosigned by the witnesses of a policy and keeps the newest that a quorum
// has cosigned.
//
//   commit -> newest snapshot -> round: all witnesses at once -> quorum, a little grace -> kept
//
// It is never on the way of an answer that waits for durability only. A round is about one
// checkpoint; meanwhile the log grows, and the next round takes what is newest then. What was
// cosigned is stored with the ledger's next batch.
//
// Threads: every call is safe from any thread; Stop() waits.
// Owns:    one thread, and one for each URL.

#ifndef CUSTODY_DAEMON_WITNESSING_WITNESS_KEEPER_H_
#define CUSTODY_DAEMON_WITNESSING_WITNESS_KEEPER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/witness_policy.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/witnessing/witness_client.h"

namespace custody {

struct WitnessKeeperOptions {
  // With a quorum, and a URL for each witness.
  WitnessPolicy policy;
  std::int64_t timeout_ms = 5'000;
  std::int64_t grace_ms = 200;
  std::int64_t interval_ms_min = 1'000;
  // Where contradicting notes are written.
  std::string evidence_folder;
};

// A checkpoint with the cosignatures of a quorum.
struct Witnessed {
  Checkpoint checkpoint;
  std::string note;
  std::uint64_t quorum_time_seconds = 0;
  // The log at it. Null after a restart, and once it was held for ten minutes:
  // Ledger::SnapshotAt() makes it again.
  std::shared_ptr<const LedgerSnapshot> snapshot;
};

struct WitnessReport {
  std::string name;
  std::string url;
  std::uint64_t cosigned_size = 0;
  std::uint64_t cosigned_time_seconds = 0;
  std::string error;  // Of the newest attempt.
  std::string alarm;  // Stays.
};

struct WitnessingStatus {
  std::vector<WitnessReport> witnesses;  // In the order of the policy.
  std::uint64_t witnessed_size = 0;
  std::uint64_t witnessed_time_seconds = 0;
  std::uint64_t rounds = 0;
  std::uint64_t rounds_without_quorum = 0;
  std::uint64_t forged_lines = 0;
  bool alarm = false;
};

class WitnessKeeper {
 public:
  // Reads and checks a policy for custodyd. `log_keys` are those that sign its checkpoints, at
  // least one. Errors: kInvalidArgument naming what is missing.
  static absl::StatusOr<WitnessPolicy> ParsePolicy(std::string_view text,
                                                   std::span<const NoteVerifier> log_keys);

  // `clock` must outlive it. Errors: kInvalidArgument (URLs).
  static absl::StatusOr<std::unique_ptr<WitnessKeeper>> Create(WitnessKeeperOptions options,
                                                               std::vector<NoteVerifier> log_keys,
                                                               const Clock& clock);
  // Stop().
  ~WitnessKeeper();
  WitnessKeeper(const WitnessKeeper&) = delete;
  WitnessKeeper& operator=(const WitnessKeeper&) = delete;

  // For LedgerOptions::before_writing: asks all witnesses at once what they have seen. Those that
  // cannot be reached hinder nobody; they are asked again with the first round.
  // Errors: kUnavailable E_ROLLBACK if one shows a checkpoint that this log has signed and that the
  // snapshot does not continue.
  absl::Status CheckBeforeWriting(const LedgerSnapshot& snapshot);

  // Begins. `ledger` must outlive Stop().
  void Start(Ledger& ledger);
  // Answers everybody who waits, and ends the threads.
  void Stop();

  // Null: none yet.
  std::shared_ptr<const Witnessed> Newest() const;

  // Calls `done` once, with a checkpoint of at least `size` entries that a quorum has cosigned; or
  // with null at the deadline, or at once if too many wait or it has stopped. On a thread of the
  // keeper: it must only hand on.
  using WitnessedCallback = std::function<void(std::shared_ptr<const Witnessed> witnessed)>;
  void WaitFor(std::uint64_t size, std::int64_t timeout_ms, WitnessedCallback done);

  WitnessingStatus Status() const;
  // Why the quorum is not there: the errors of the witnesses, for people.
  std::string Explain() const;

 private:
  struct Parts;
  explicit WitnessKeeper(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESSING_WITNESS_KEEPER_H_
