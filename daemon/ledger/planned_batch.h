// A batch on its way from the sequencer to the committer.

#ifndef CUSTODY_DAEMON_LEDGER_PLANNED_BATCH_H_
#define CUSTODY_DAEMON_LEDGER_PLANNED_BATCH_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/log_builder.h"
#include "storage/store.h"

namespace custody {

// An entry of the log, to be answered with its receipt.
struct RecordedAt {
  std::uint64_t index = 0;
  bool already_recorded = false;
  // Its bytes, when they are at hand; else empty.
  std::string entry;
};

// What a caller hears once the batch is durable. Refusals wait too: they may rest on states that
// are not durable yet.
struct PlannedAnswer {
  ProposeCallback done;
  std::chrono::steady_clock::time_point admitted_at;
  std::variant<absl::Status, RecordedAt, v1::PendingEvent> result;
};

struct PlannedBatch {
  std::uint64_t number = 0;  // 1, 2, 3 ... in the order of planning.
  WriteBatch writes;         // Empty: only answers.
  std::optional<SealedLog> sealed;
  std::int64_t recorded_at_ms = 0;
  std::uint64_t entries = 0;  // Seal included.
  std::uint64_t states_batch = 0;
  std::uint64_t pending_count = 0;
  std::vector<PlannedAnswer> answers;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_PLANNED_BATCH_H_
