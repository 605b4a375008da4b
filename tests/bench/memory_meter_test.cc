// What libcustody-memory-meter.so counts for a thread is what the thread has done. Runs with the
// library loaded before it (CMakeLists.txt).

#include "tests/bench/memory_meter.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <thread>

namespace custody {
namespace {

// Where the compiler cannot see what becomes of the memory.
void* volatile kept = nullptr;

std::map<std::string, MemoryUse> Read() {
  return ReadMemoryMeter(std::getenv(kMemoryMeterVariable), ::getpid());
}

TEST(MemoryMeterTest, CountsWhatAThreadAllocatesAndCopies) {
  std::map<std::string, MemoryUse> before;
  std::map<std::string, MemoryUse> after;
  std::thread worker([&] {
    ::prctl(PR_SET_NAME, "worker7");
    volatile std::size_t size = 3'000;
    kept = ::operator new(1);  // From here on the thread has a slot.
    ::operator delete(kept);
    before["worker"] = Read()["worker"];
    const MemoryUse reading = Read()["worker"];
    // What one reading costs itself is known from the second.
    for (int i = 0; i < 1'000; ++i) {
      kept = ::operator new(size);
      std::memset(kept, i, size);
      void* other = std::malloc(size);
      std::memcpy(other, kept, size);
      std::free(other);
      ::operator delete(kept);
    }
    after["worker"] = Read()["worker"];
    const MemoryUse cost = {reading.allocations - before["worker"].allocations,
                            reading.allocated_bytes - before["worker"].allocated_bytes,
                            reading.copies - before["worker"].copies,
                            reading.copied_bytes - before["worker"].copied_bytes};
    EXPECT_NEAR(after["worker"].allocations - reading.allocations - cost.allocations, 2'000, 20);
    EXPECT_NEAR(after["worker"].allocated_bytes - reading.allocated_bytes - cost.allocated_bytes,
                2'000 * 3'000, 20'000);
    EXPECT_NEAR(after["worker"].copies - reading.copies - cost.copies, 1'000, 20);
    EXPECT_NEAR(after["worker"].copied_bytes - reading.copied_bytes - cost.copied_bytes,
                1'000 * 3'000, 20'000);
  });
  worker.join();
}

TEST(MemoryMeterTest, AThreadThatHasEndedKeepsItsCounts) {
  const MemoryUse before = Read()["ended"];
  std::thread([] {
    for (int i = 0; i < 500; ++i) {
      kept = std::malloc(100);
      std::free(kept);
    }
  }).join();
  EXPECT_GE(Read()["ended"].allocations - before.allocations, 500);
}

TEST(MemoryMeterTest, NoFileIsNoCounts) {
  EXPECT_TRUE(ReadMemoryMeter("/nonexistent/meter", ::getpid()).empty());
}

}  // namespace
}  // namespace custody
