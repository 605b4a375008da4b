// What each thread of a process has allocated and copied, counted in the process itself by
// libcustody-memory-meter.so, which LD_PRELOAD puts before the allocator and the C library.
//
// Counted are calls of malloc and its kin and of the operators new that throw, with the bytes asked
// for, and calls of memcpy and memmove with their bytes. Not counted are copies of a known small
// size, which the compiler makes without a call, and what the C library does within itself.
// Counting costs time, so a run with it says nothing about speed.
//
// The counts lie in a file that the process maps, named by the variable CUSTODY_MEMORY_METER: one
// MemorySlot for each thread, in the order of their first allocation.
//
// Threads: pure functions.

#ifndef CUSTODY_TESTS_BENCH_MEMORY_METER_H_
#define CUSTODY_TESTS_BENCH_MEMORY_METER_H_

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace custody {

inline constexpr char kMemoryMeterVariable[] = "CUSTODY_MEMORY_METER";

// Threads that come later share the last slot.
inline constexpr std::size_t kMemorySlots = 512;

struct MemorySlot {
  std::atomic<std::uint64_t> tid;  // 0: free.
  std::atomic<std::uint64_t> allocations;
  std::atomic<std::uint64_t> allocated_bytes;
  std::atomic<std::uint64_t> copies;
  std::atomic<std::uint64_t> copied_bytes;
};

struct MemoryUse {
  double allocations = 0;
  double allocated_bytes = 0;
  double copies = 0;
  double copied_bytes = 0;
};

// By the name of the thread, numbers at its end left out; threads that have ended are "ended".
// Empty if there is no such file.
std::map<std::string, MemoryUse> ReadMemoryMeter(const std::string& path, pid_t pid);

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_MEMORY_METER_H_
