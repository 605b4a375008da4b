#include "base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace custody {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct Counter {
  Mutex mutex;
  CondVar changed;
  int value ABSL_GUARDED_BY(mutex) = 0;
};

TEST(MutexTest, OneAtATime) {
  constexpr int kRounds = 20'000;
  Counter counter;
  const auto count = [&counter] {
    for (int i = 0; i < kRounds; ++i) {
      const MutexLock lock(counter.mutex);
      ++counter.value;
    }
  };
  std::thread other(count);
  count();
  other.join();
  const MutexLock lock(counter.mutex);
  EXPECT_EQ(counter.value, 2 * kRounds);
}

// In the gap another thread gets in, and the lock is held again afterwards.
TEST(MutexLockTest, OpensAGap) {
  Counter counter;
  MutexLock lock(counter.mutex);
  lock.Unlock();
  std::thread other([&counter] {
    const MutexLock theirs(counter.mutex);
    counter.value = 7;
  });
  other.join();
  lock.Lock();
  EXPECT_EQ(counter.value, 7);
}

TEST(MutexLockTest, MayEndUnlocked) {
  Counter counter;
  {
    MutexLock lock(counter.mutex);
    lock.Unlock();
  }
  const MutexLock again(counter.mutex);  // Would wait for ever, or twice unlocked is undefined.
  EXPECT_EQ(counter.value, 0);
}

TEST(CondVarTest, WaitsForAChangeAndHoldsTheLockAfterwards) {
  Counter counter;
  std::thread other([&counter] {
    const MutexLock theirs(counter.mutex);
    ++counter.value;
    counter.changed.NotifyAll();
  });
  {
    const MutexLock lock(counter.mutex);
    while (counter.value == 0) counter.changed.Wait(counter.mutex);
    EXPECT_EQ(counter.value, 1);
    ++counter.value;
  }
  other.join();
}

TEST(CondVarTest, SaysThatTheDeadlineHasPassed) {
  Counter counter;
  const auto begin = steady_clock::now();
  const MutexLock lock(counter.mutex);
  while (counter.changed.WaitUntil(counter.mutex, begin + milliseconds(30))) {
  }
  EXPECT_GE(steady_clock::now() - begin, milliseconds(30));
  EXPECT_FALSE(counter.changed.WaitUntil(counter.mutex, begin));
}

TEST(CondVarTest, ANoticeComesBeforeALateDeadline) {
  Counter counter;
  std::thread other([&counter] {
    const MutexLock theirs(counter.mutex);
    ++counter.value;
    counter.changed.NotifyOne();
  });
  {
    const MutexLock lock(counter.mutex);
    bool in_time = true;
    while (counter.value == 0 && in_time) {
      in_time = counter.changed.WaitUntil(counter.mutex, steady_clock::now() + seconds(60));
    }
    EXPECT_TRUE(in_time);
  }
  other.join();
}

}  // namespace
}  // namespace custody
