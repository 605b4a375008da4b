// Keeps RocksDB's compaction waiting for a moment after the store was opened: what a stop has cut
// short would otherwise go on at once, and take a processor and the memory's bandwidth from the
// start that everybody waits for.
//
// RocksDB asks a rate limiter before it reads or writes for a compaction. This one limits no rate:
// it says yes, once it is open.
//
// Private to storage/. Threads: any.

#ifndef CUSTODY_STORAGE_COMPACTION_GATE_H_
#define CUSTODY_STORAGE_COMPACTION_GATE_H_

#include <rocksdb/rate_limiter.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/mutex.h"

namespace custody {

class CompactionGate final : public rocksdb::RateLimiter {
 public:
  // Opens by itself so long after its making, whatever happens: a ledger that has to wait for
  // compaction before it can write must not wait for ever.
  explicit CompactionGate(std::chrono::milliseconds delay_max);

  void Open();

  using RateLimiter::Request;
  void Request(std::int64_t bytes, rocksdb::Env::IOPriority priority,
               rocksdb::Statistics* statistics) override;

  // No rate: RocksDB then takes its own default where it wants one.
  void SetBytesPerSecond(std::int64_t bytes_per_second) override;
  std::int64_t GetSingleBurstBytes() const override;
  std::int64_t GetTotalBytesThrough(rocksdb::Env::IOPriority priority) const override;
  std::int64_t GetTotalRequests(rocksdb::Env::IOPriority priority) const override;
  std::int64_t GetBytesPerSecond() const override;

 private:
  const std::chrono::steady_clock::time_point opens_at_;
  std::atomic<bool> is_open_{false};
  Mutex mutex_;
  CondVar opened_;
};

}  // namespace custody

#endif  // CUSTODY_STORAGE_COMPACTION_GATE_H_
