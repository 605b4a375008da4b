// Decides requests one by one and collects what they write into the open batch: duplicates, heads,
// authority, rules, entries, consequences, pending decisions, the seal.
//
// All work of the sequencer is here and there is no thread in it, so it can be tested step by step.
// A failure of the store is final: Plan() answers everything with E_STORE from then on.
//
// Threads: one thread.
// Owns:    the tree, the index and the states of what is planned.

#ifndef CUSTODY_DAEMON_LEDGER_BATCH_PLANNER_H_
#define CUSTODY_DAEMON_LEDGER_BATCH_PLANNER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/known_damage.h"
#include "daemon/ledger/ledger_metrics.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/planned_batch.h"
#include "daemon/ledger/queue_item.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/signature_verifier.h"
#include "daemon/ledger/system_events.h"
#include "lifecycle/evaluate.h"

namespace custody {

class BatchPlanner {
 public:
  BatchPlanner(const LedgerOptions& options, RecoveredLedger recovered, SystemEvents system_events,
               const Clock& clock, SignatureVerifier& verifier, LedgerMetrics& metrics);

  // Decides one request and adds it to the open batch.
  void Plan(std::unique_ptr<QueueItem> item);
  // Refuses it with `status`, in its order among the others.
  void Refuse(std::unique_ptr<QueueItem> item, absl::Status status);

  // The open batch has something to say; it has reached a limit.
  bool has_work() const { return !answers_.empty() || builder_.write_bytes() > 0; }
  bool full() const;
  // Room for further events.
  std::size_t room() const;

  // Closes the batch: with a seal if it has entries, or if `seal` asks for one. Lapsed decisions
  // are dropped now and then.
  PlannedBatch Finish(bool seal);

  // The committer has made everything up to batch `number` durable; `snapshot` shows it.
  void AdvanceTo(std::uint64_t number, const std::shared_ptr<const LedgerSnapshot>& snapshot);

  // The store failed while planning.
  const absl::Status& failed() const { return failed_; }
  std::size_t pending_count() const;
  bool clock_healthy() const { return clock_healthy_; }
  std::int64_t last_recorded_ms() const { return recorded_at_ms_; }

 private:
  using Result = std::variant<absl::Status, RecordedAt, v1::PendingEvent>;
  // An event of a batch that is not known to be durable.
  struct InFlight {
    std::uint64_t batch = 0;
    std::uint64_t index = 0;
    std::shared_ptr<const ParsedEvent> event;
  };
  struct Durable {
    std::uint64_t number = 0;
    std::uint64_t index_sequence = 0;
    std::uint64_t states_batch = 0;
  };

  absl::StatusOr<Result> Decide(QueueItem* item);
  absl::StatusOr<Result> DecideEvent(QueueItem* item);
  absl::StatusOr<Result> DecideCosign(QueueItem* item);
  // Adds what is not there yet, and records the event when its sheet is complete.
  absl::StatusOr<Result> SignPending(v1::PendingEvent pending,
                                     std::span<const ParsedSignature> added);
  absl::StatusOr<Result> CosignRecorded(const QueueItem& item);
  absl::StatusOr<Result> Admit(const std::shared_ptr<ParsedEvent>& event, bool may_wait);
  absl::StatusOr<Result> KeepPending(const ParsedEvent& event, const Evaluation& evaluation);
  absl::StatusOr<Result> RefuseAttempt(const ParsedEvent& event, absl::Status refusal);

  // A recorded event with this id, whether durable or in flight.
  absl::StatusOr<std::optional<std::pair<Digest, std::uint64_t>>> FindId(
      const std::string& event_id) const;
  absl::StatusOr<std::optional<std::shared_ptr<const ParsedEvent>>> FindRecorded(
      const Digest& event_digest) const;
  absl::Status CheckKeys(const QueueItem& item);
  // Nothing that the event touches, and nothing that a decision was made from, is known to be
  // damaged. Everything that appending it reads can be read. Errors: kFailedPrecondition E_DAMAGED;
  // the store's.
  absl::Status CheckWhole(const ParsedEvent& event, const std::vector<SubjectKey>& read) const;
  absl::StatusOr<AppendedEntry> Append(const std::shared_ptr<const ParsedEvent>& event,
                                       const Acceptance& acceptance, int depth, int* budget);
  // Whether it was recorded; an event that cannot be made or is refused is not. Errors: the
  // store's.
  absl::StatusOr<bool> AppendConsequence(absl::StatusOr<ParsedEvent> made, int depth, int* budget);
  absl::Status AppendConsequences(const ParsedEvent& cause, const AppendedEntry& entry,
                                  const Acceptance& acceptance, int depth, int* budget);
  absl::Status RecordAttempt(const ParsedEvent& event, const absl::Status& refusal);
  absl::StatusOr<bool> AttemptIsDue(const ParsedEvent& event);
  absl::StatusOr<std::uint32_t> RulesVersion() const;
  void DropPending(const std::string& digest);
  void DropLapsed();
  std::int64_t Now();
  EvaluationInput Input(bool from_ledger) const;
  void Answer(QueueItem* item, Result result);

  const LedgerOptions options_;
  const std::string origin_;
  SystemEvents system_events_;
  SignatureVerifier& verifier_;
  LedgerMetrics& metrics_;
  ClockWatch clock_;
  bool clock_healthy_ = true;
  std::int64_t recorded_at_ms_;

  const std::shared_ptr<const KnownDamage> damage_;
  StateOverlay overlay_;
  LogBuilder builder_;
  absl::Status failed_;
  // The open request has changed the overlay: what fails now leaves it half done.
  bool appending_ = false;

  std::uint64_t number_ = 1;  // Of the open batch.
  std::vector<PlannedAnswer> answers_;
  std::uint64_t events_ = 0;                                    // Entries of the open batch.
  absl::flat_hash_map<std::string, InFlight> in_flight_;        // By event id.
  absl::flat_hash_map<Digest, std::string> in_flight_digests_;  // To event id.
  std::deque<std::pair<std::uint64_t, std::string>> in_flight_order_;
  std::deque<Durable> unconfirmed_;

  std::map<std::string, v1::PendingEvent> pending_;             // By digest.
  absl::flat_hash_map<std::string, std::string> reserved_ids_;  // Event id to digest.
  std::map<SubjectKey, std::int64_t> attempts_recorded_;        // When the last REC-08 was.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_BATCH_PLANNER_H_
