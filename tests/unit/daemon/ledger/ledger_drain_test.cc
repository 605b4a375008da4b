// Draining while callers go on calling.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/ledger/ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

// Drains in the middle of calls; returns how many events were recorded after the drain had said
// that everybody has an answer.
int RecordedAfterDrain(const LedgerKit& kit, Ledger& ledger, int seed) {
  constexpr int kCallers = 4;
  constexpr int kEvents = 8;
  std::vector<v1::SignedEvent> events;
  for (int i = 0; i < kCallers * kEvents; ++i) events.push_back(kit.Site(seed + i));
  std::atomic<bool> drained = false;
  std::atomic<int> late = 0;
  std::atomic<int> waiting = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kEvents; ++i) {
        ++waiting;
        ledger.Record(events[static_cast<std::size_t>(caller * kEvents + i)], Lane::kSingle,
                      [&](const absl::StatusOr<RecordOutcome>& outcome) {
                        if (outcome.ok() && drained) ++late;
                        --waiting;
                      });
      }
    });
  }
  while (waiting == 0) std::this_thread::yield();
  EXPECT_THAT(ledger.Drain(60'000), IsOk());
  drained = true;
  for (std::thread& caller : callers) caller.join();
  ledger.Shutdown();
  EXPECT_EQ(waiting, 0);
  return late;
}

// A drain that says OK while an event is on its way in makes the daemon end under it.
TEST(LedgerDrainTest, NothingIsAdmittedBehindIt) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  for (int round = 0; round < 20; ++round) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Ledger> ledger, kit.Open(disk));
    EXPECT_EQ(RecordedAfterDrain(kit, *ledger, round * 1'000), 0) << "round " << round;
  }
}

}  // namespace
}  // namespace custody
