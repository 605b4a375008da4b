// One run of the benchmark: make the ledger, fill it, load it, measure the daemon meanwhile.
//
// Threads: one.

#ifndef CUSTODY_TESTS_BENCH_BENCH_RUN_H_
#define CUSTODY_TESTS_BENCH_BENCH_RUN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/load.h"
#include "tests/bench/memory_meter.h"

namespace custody {

struct BenchOptions {
  std::string folder;
  // A folder that --keep has left: its ledger is loaded again. Empty: one is made in `folder`.
  std::string kept;
  std::string programs;  // Folder of the build.
  std::string source;    // Root of the project.
  std::string mode = "unary";
  std::size_t in_flight = 256;
  std::size_t clients = 4;
  std::size_t batch = 64;
  double seconds = 10;
  double warmup = 2;
  std::size_t events_max = 250'000;
  std::uint64_t log_events = 0;
  std::string key = "p256";
  int port = 7790;
  std::vector<std::string> settings;
  // What the daemon allocates and copies is counted as well (memory_meter.h), which slows it.
  bool count_memory = false;
};

// What a ledger does with this much in its log, after a fresh start.
struct GrowthPoint {
  std::uint64_t log_events = 0;
  std::uint64_t subject_count = 0;
  double start_ms = 0;  // The best of three.
  LoadResult verdicts;
  LoadResult writes;
};

struct BenchReport {
  LoadResult load;
  // Microseconds of one verification with the signers' algorithm, on this machine, idle: OpenSSL's,
  // and that of a key which verifies often (crypto/p256_table.h).
  double verify_us = 0;
  double verify_often_us = 0;
  // Of the daemon, during the load.
  double server_cpu_us_per_event = 0;
  std::map<std::string, double> cpu_us_per_event_by_thread;
  std::map<std::string, MemoryUse> memory_per_event_by_thread;  // With count_memory.
  double signatures_per_event = 0;
  double signed_event_bytes = 0;
  // Files of the store over the whole load, warm-up included.
  double disk_bytes_per_event = 0;
  // Bytes handed to the disk for each byte of signed event.
  double write_amplification = 0;
  double idle_rss_mib = 0;
  double peak_rss_mib = 0;
  std::uint64_t log_events = 0;     // Before the load.
  std::uint64_t subject_count = 0;  // Behind it.
  double start_ms = 0;              // Of the daemon, with log_events in the log.
  double subjects_per_lot = 0;
  double events_per_lot = 0;
  std::string version;
  // Mode growth: with a small log, and with log_events.
  std::vector<GrowthPoint> growth;
};

absl::StatusOr<BenchReport> RunBench(const BenchOptions& options);

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_BENCH_RUN_H_
