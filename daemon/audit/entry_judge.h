// Judges one entry after the other by the rules, with the states as of its position, and folds it
// into them. Knows nothing of threads, files or signatures' arithmetic.
//
// Threads: one thread.

#ifndef CUSTODY_DAEMON_AUDIT_ENTRY_JUDGE_H_
#define CUSTODY_DAEMON_AUDIT_ENTRY_JUDGE_H_

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/record.pb.h"
#include "daemon/audit/worker_pool.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/state_overlay.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/parsed_event.h"
#include "storage/store.h"

namespace custody {

// Where the replay stands in its store.
struct ReplayStart {
  std::shared_ptr<const ReadView> view;
  TileTree tree;
  IndexTree index;
  std::int64_t recorded_at_ms = 0;
};

class EntryJudge {
 public:
  // `work` and `pool` must outlive it.
  EntryJudge(std::string origin, Store& work, ReplayStart start, WorkerPool& pool);

  // Before some events are judged: what the store knows of their ids, in one read.
  // Errors: those of the store, also of writing it.
  absl::Status Prepare(const std::vector<std::string_view>& event_ids);

  // Errors of both: kDataLoss "what is wrong"; those of the store. `entry_bytes` are the one
  // encoding of `entry`, `leaf_hash` is their hash, and the id of the event was prepared.
  absl::Status JudgeEvent(const std::shared_ptr<const ParsedEvent>& event, const v1::Entry& entry,
                          std::string_view entry_bytes, const Digest& leaf_hash);
  absl::Status JudgeSeal(const v1::Entry& entry, std::string_view entry_bytes);

  // Begins to write what is new to the store, beside the judging; one that was begun before is
  // waited for. Requires that the last entry was a seal. Errors: those of the store.
  absl::Status StartFlush(const WriteBatch& also);
  // Waits until everything that was begun is written. Errors: those of the store.
  absl::Status FinishFlush();
  std::size_t unwritten_bytes() const {
    return builder_.write_bytes() + kEventBytesAbout * new_.ids.size();
  }

  std::uint64_t size() const { return builder_.size(); }
  // After the last seal.
  const Checkpoint& sealed() const { return sealed_; }
  const StateOverlay& states() const { return overlay_; }

 private:
  // An event that the rules want next.
  struct Expected {
    std::string event_id;
    v1::Event body;
    std::string site_id;
    std::uint64_t cause = 0;
    int depth = 0;
  };

  // What one write holds, and a view opened after it.
  struct Flushed {
    std::uint64_t batches = 0;
    std::uint64_t index_sequence = 0;
    absl::flat_hash_map<std::string, std::uint64_t> ids;
    absl::flat_hash_map<Digest, std::string> events;  // Rows, work_rows.h.
    std::future<absl::Status> written;
  };

  static constexpr std::size_t kEventBytesAbout = 256;

  absl::Status WaitForWrite();
  // Reads from the store what is written, instead of holding it.
  absl::Status TakeWritten();
  absl::Status CheckTime(const v1::Entry& entry);
  absl::Status CheckNew(const ParsedEvent& event) const;
  absl::StatusOr<bool> IsFromLedger(const ParsedEvent& event) const;
  absl::StatusOr<Acceptance> CheckRules(const ParsedEvent& event, const v1::Entry& entry) const;
  // Takes the event off the list of expected ones; returns how deep it is below its first cause.
  absl::StatusOr<int> TakeExpected(const ParsedEvent* event, std::int64_t recorded_at_ms);
  // An expected event that is not there is right only where the rules would refuse it.
  absl::Status CheckAbsent(const Expected& expected, std::int64_t recorded_at_ms) const;
  void Expect(const ParsedEvent& event, const v1::Entry& entry, const Digest& leaf_hash,
              const std::vector<v1::Event>& consequences, int depth);
  absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const;

  const std::string origin_;
  const SubjectKey ledger_;
  Store& work_;
  WorkerPool& pool_;
  StateOverlay overlay_;
  LogBuilder builder_;
  Checkpoint sealed_;
  std::shared_ptr<const TileEdge> edge_;  // After the last seal; null: none in this run.
  std::uint64_t index_sequence_ = 0;
  std::int64_t recorded_at_ms_;
  // The next one stands last.
  std::vector<Expected> expected_;
  int consequences_left_ = 0;
  // Events that the view does not show yet, by id and by digest: those not yet written, behind
  // those that are or are about to be.
  Flushed new_;
  std::deque<Flushed> flushed_;
  // Prepared ids that the view knows.
  absl::flat_hash_map<std::string, std::uint64_t> known_ids_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_ENTRY_JUDGE_H_
