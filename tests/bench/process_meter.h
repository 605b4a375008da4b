// What a process has used: processor time whole and by thread, memory, bytes written. Read from
// /proc.
//
// Threads: pure functions.

#ifndef CUSTODY_TESTS_BENCH_PROCESS_METER_H_
#define CUSTODY_TESTS_BENCH_PROCESS_METER_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace custody {

struct ProcessUse {
  double cpu_us = 0;  // User and system.
  // By the name of the thread, numbers at its end left out. The kernel's tick makes each figure 10
  // ms coarse.
  std::map<std::string, double> cpu_us_by_thread;
  double rss_mib = 0;
  double peak_rss_mib = 0;
  std::uint64_t written_bytes = 0;  // Handed to the disk.
};

// Zeros if the process is gone.
ProcessUse MeasureProcess(pid_t pid);

// The name of a running thread without numbers at its end, empty if it is gone.
std::string NameOfThread(pid_t pid, pid_t tid);

// Bytes that the files of a folder occupy on the disk.
std::uint64_t DiskBytes(const std::filesystem::path& folder);

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_PROCESS_METER_H_
