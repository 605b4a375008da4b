#include "storage/compaction_gate.h"

#include <limits>

namespace custody {

CompactionGate::CompactionGate(std::chrono::milliseconds delay_max)
    : RateLimiter(Mode::kAllIo), opens_at_(std::chrono::steady_clock::now() + delay_max) {}

void CompactionGate::Open() {
  {
    const MutexLock lock(mutex_);
    is_open_.store(true, std::memory_order_release);
  }
  opened_.NotifyAll();
}

void CompactionGate::Request(std::int64_t, rocksdb::Env::IOPriority priority,
                             rocksdb::Statistics*) {
  // Only compaction asks with the low priority; a flush asks with the high one, and compaction with
  // that of users once writes are held up for it.
  if (priority != rocksdb::Env::IO_LOW || is_open_.load(std::memory_order_acquire)) return;
  {
    const MutexLock lock(mutex_);
    while (!is_open_.load(std::memory_order_relaxed) && opened_.WaitUntil(mutex_, opens_at_)) {
    }
  }
  Open();
}

void CompactionGate::SetBytesPerSecond(std::int64_t) {}
std::int64_t CompactionGate::GetSingleBurstBytes() const {
  return std::numeric_limits<std::int64_t>::max();
}
std::int64_t CompactionGate::GetTotalBytesThrough(rocksdb::Env::IOPriority) const { return 0; }
std::int64_t CompactionGate::GetTotalRequests(rocksdb::Env::IOPriority) const { return 0; }
std::int64_t CompactionGate::GetBytesPerSecond() const { return 0; }

}  // namespace custody
