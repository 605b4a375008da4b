// Loads: events of many lots posted to a daemon with a fixed number in flight, every answer
// checked.
//
// A place in flight belongs to one lot at a time, whose events go one after the other as its rules
// want; different lots go side by side.
//
// Threads: the functions wait for the end of the load; what they start are threads of gRPC.

#ifndef CUSTODY_TESTS_BENCH_LOAD_H_
#define CUSTODY_TESTS_BENCH_LOAD_H_

#include <grpcpp/channel.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "custody/v1/ledger_service.pb.h"
#include "custody/v1/provenance_service.pb.h"
#include "tests/bench/receipt_check.h"

namespace custody {

using Lot = std::vector<v1::SignedEvent>;
using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

// What a load did between the end of its warm-up and its own end.
struct LoadResult {
  std::uint64_t events = 0;
  double seconds = 0;
  std::vector<std::uint32_t> latency_us;  // One a call.
  std::uint64_t failures = 0;
  std::string first_failure;
};

struct LoadPlan {
  std::size_t in_flight = 1;
  double warmup_seconds = 0;
  // From the end of the warm-up. The load ends sooner when its events run out.
  double seconds = 1e9;
};

// Counts and times the answers of a load. Threads: any.
class LoadMeter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit LoadMeter(const LoadPlan& plan);

  bool over() const { return Clock::now() >= end_; }
  void Answered(Clock::time_point sent, std::size_t events, const absl::Status& status);
  // The result so far. After the last answer.
  LoadResult Take();

 private:
  const Clock::time_point begin_;
  const Clock::time_point end_;
  Mutex mutex_;
  LoadResult result_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point last_ ABSL_GUARDED_BY(mutex_);
};

// Hands out the events of lots to places in flight. Threads: a place from one thread at a time.
class LotFeed {
 public:
  LotFeed(std::vector<Lot>* lots, std::size_t places) : lots_(*lots), places_(places) {}
  // The next event of the place, taken out of its lot; nullptr when there is none left.
  v1::SignedEvent* Next(std::size_t place);

 private:
  struct Place {
    Lot* lot = nullptr;
    std::size_t next = 0;
  };
  std::vector<Lot>& lots_;
  std::atomic<std::size_t> next_lot_{0};
  std::vector<Place> places_;
};

LoadResult RunUnary(const Channels& channels, std::vector<Lot>* lots, const LoadPlan& plan,
                    ReceiptCheck* check);
LoadResult RunStreams(const Channels& channels, std::vector<Lot>* lots, const LoadPlan& plan,
                      ReceiptCheck* check);
// Calls with one batch statement each; `in_flight` of them at a time.
LoadResult RunBatches(const Channels& channels, std::vector<v1::RecordBatchRequest>* batches,
                      const LoadPlan& plan, ReceiptCheck* check);
// The same question again and again, one at a time. A verdict that differs from the first one is a
// failure.
LoadResult RunVerdicts(const Channels& channels, const v1::VerifyDoseRequest& question,
                       const LoadPlan& plan);

// Synced batches through storage/, without a daemon: the floor.
// Errors: those of opening the store.
absl::StatusOr<LoadResult> RunStore(const std::string& folder, std::size_t batch,
                                    const LoadPlan& plan);

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_LOAD_H_
