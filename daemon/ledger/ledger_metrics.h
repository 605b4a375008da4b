// Counters of the write path, for whoever exports them.
//
// Threads: safe from any thread; values read together may be a moment apart.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_METRICS_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace custody {

// Counts of values in buckets whose upper bounds double: 1, 2, 4 ... 2^26, and all above.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 28;

  void Observe(std::uint64_t value);

  // Observations <= 2^bucket; the last bucket counts all.
  std::uint64_t CumulativeCount(std::size_t bucket) const;
  static std::uint64_t UpperBound(std::size_t bucket) { return std::uint64_t{1} << bucket; }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_{0};
};

struct LedgerMetrics {
  using Counter = std::atomic<std::uint64_t>;

  // Reason codes are below this number (reason.proto).
  static constexpr std::size_t kReasonsMax = 256;

  Counter events_admitted{0};        // Entered the queue.
  Counter events_overloaded{0};      // Turned away, queue full.
  Counter events_recorded{0};        // Planned as entries, without consequences.
  Counter consequences_recorded{0};  // Planned as entries.
  Counter consequences_refused{0};   // The rules did not accept what the rules asked for: a bug.
  Counter events_duplicate{0};       // Answered with their first receipt.
  Counter events_refused{0};         // Any refusal after admission.
  std::array<Counter, kReasonsMax> refused_by_reason{};
  Counter findings_recorded{0};
  Counter proposals_recorded{0};  // Left pending.
  Counter proposals_lapsed{0};
  Counter signatures_verified{0};
  Counter signatures_bad{0};
  Counter keys_rechecked{0};  // Unknown to a worker, looked up again by the sequencer.
  Counter batches_committed{0};
  Counter seals_committed{0};
  Counter commit_failures{0};  // At most 1: the first is final.
  Counter anchor_failures{0};
  Counter clock_unhealthy{0};  // Readings.
  Counter state_cache_hits{0};
  Counter state_cache_misses{0};

  Histogram batch_events;  // Entries a batch, seal included.
  Histogram batch_bytes;
  Histogram commit_sync_us;  // The synced write.
  Histogram plan_us;         // Rules and entry of one event, consequences included.
  Histogram record_us;       // From admission to the answer.
  Histogram verify_us;       // Parsing and signatures of one event.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_METRICS_H_
