#include "daemon/audit/worker_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace custody {
namespace {

TEST(WorkerPoolTest, RunsInOrderWithOneThreadAndGivesResults) {
  WorkerPool pool(1);
  std::vector<int> order;
  std::vector<std::future<int>> results;
  for (int i = 0; i < 100; ++i) {
    results.push_back(pool.Run([&order, i] {
      order.push_back(i);
      return i * i;
    }));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

// Says where it was destroyed.
struct Grave {
  std::shared_ptr<std::thread::id> where;
  ~Grave() {
    if (where != nullptr) *where = std::this_thread::get_id();
  }
  explicit Grave(std::shared_ptr<std::thread::id> id) : where(std::move(id)) {}
  Grave(Grave&&) = default;
  Grave& operator=(Grave&&) = delete;
};

TEST(WorkerPoolTest, JoinWaitsForAllAndDiscardsElsewhere) {
  const auto where = std::make_shared<std::thread::id>();
  WorkerPool pool(3);
  std::future<void> first = pool.Run([] {});
  for (int i = 0; i < 50; ++i) pool.Discard(std::vector<int>(1000));
  pool.Discard(Grave(where));
  pool.Join();
  EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_NE(*where, std::thread::id());
  EXPECT_NE(*where, std::this_thread::get_id());
}

TEST(WorkerPoolTest, SlicesCoverTheirCountWithAFewForEachThread) {
  const WorkerPool pool(2);
  for (const std::size_t count : {0U, 1U, 5U, 6U, 512U}) {
    EXPECT_GE(pool.SliceOf(count), 1U);
    EXPECT_GT(pool.SliceOf(count) * 6, count);
  }
  EXPECT_LT(pool.SliceOf(512), 512U / 2);
}

}  // namespace
}  // namespace custody
