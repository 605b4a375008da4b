// The scrub while the daemon serves: one pass over the log after the other, slowly, on a thread of
// its own that yields to everything else. What is damaged goes to KnownDamage, which holds back
// what rests on it, and to the log.
//
//   pass:  table files against their checksums, read past every cache; if one is damaged, the cache
//   is
//          forgotten, so that what follows meets the damage
//          spans of 256 entries in their order (daemon/ledger/span_check.h), the buckets of the
//          index, the head
//
// Each span is read at the newest snapshot, so no old one is kept open. Where the pass is, and what
// it found, stands in a file of the data directory: a restart goes on there, also after a kill, and
// what was damaged is held back again before anything is served, unless it is whole by now.
//
// Threads: Start() and Stop() from one; the thread is its own.
// Limits:  one span's hashes and one entry in memory.

#ifndef CUSTODY_DAEMON_BACKGROUND_SCRUB_H_
#define CUSTODY_DAEMON_BACKGROUND_SCRUB_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "daemon/ledger/ledger.h"
#include "storage/rocksdb_store.h"

namespace custody {

struct BackgroundScrubOptions {
  // 0: no pass is made. What an earlier one found is held back all the same.
  std::uint32_t entries_per_second_max = 500;
  std::int64_t pass_interval_ms_min = 3'600'000;
  std::string state_file;
  // Of the store, for reading its files.
  RocksdbOptions files;
  // How much of a pass a kill may cost.
  std::int64_t save_interval_ms = 5'000;
};

class BackgroundScrub {
 public:
  // Reads the state file and looks at what it calls damaged; a file that is missing or not of this
  // log's size begins anew. `ledger` and `store` must outlive it.
  BackgroundScrub(Ledger& ledger, const RocksdbStore& store, BackgroundScrubOptions options);
  // Stop().
  ~BackgroundScrub();
  BackgroundScrub(const BackgroundScrub&) = delete;
  BackgroundScrub& operator=(const BackgroundScrub&) = delete;

  void Start();
  void Stop();

 private:
  // What the file holds.
  struct State {
    std::uint64_t pass = 1;
    std::string file;  // The last one that was read; kFilesDone behind the last.
    std::uint64_t span = 0;
    std::uint64_t spans = 0;  // When the pass began; what came since is for the next one.
    std::uint32_t bucket = 0;
    std::int64_t pass_began_at_ms = 0;
    std::int64_t pass_finished_at_ms = 0;
  };

  void Load();
  void Save();
  void LookAgain(const std::vector<DamagedPlace>& places);
  void Found(Damage damage, std::int64_t found_at_ms);
  void Run();
  // Both: false if it is to stop.
  bool BeginPassWhenDue();
  bool StepAndSave();
  // One file, one span, some buckets, or the head. Errors: kCancelled.
  absl::Status Step();
  absl::Status StepFile();
  absl::Status StepSpanOrLater();
  absl::Status StepBuckets(std::uint64_t leaves_max);
  void EndPass();
  void ShowProgress() const;
  // Waits until `entries` more may be read; false if it is to stop.
  bool Pace(std::uint64_t entries);
  bool WaitMs(std::int64_t ms);

  Ledger& ledger_;
  const RocksdbStore& store_;
  const BackgroundScrubOptions options_;
  State state_;
  std::uint64_t checked_ = 0;
  std::uint64_t passes_ = 0;
  std::chrono::steady_clock::time_point due_;
  std::chrono::steady_clock::time_point saved_at_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_BACKGROUND_SCRUB_H_
