#include "daemon/ledger/ledger_metrics.h"

#include <bit>

namespace custody {

void Histogram::Observe(std::uint64_t value) {
  const std::size_t bucket = value <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(value - 1));
  counts_[bucket < kBuckets ? bucket : kBuckets - 1].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::CumulativeCount(std::size_t bucket) const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bucket && i < kBuckets; ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
  }
  return total;
}

}  // namespace custody
