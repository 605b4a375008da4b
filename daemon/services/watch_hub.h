// Wakes watchers when the log grows. The committer only rings; a thread of the hub does the waking,
// and a watcher that waits holds no thread.
//
// Threads: safe from any thread; `wake` functions run on the hub's thread and must be quick.
// Owns:    one thread. The ledger must outlive it.

#ifndef CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_
#define CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/ledger/ledger.h"

namespace custody {

class WatchHub {
 public:
  explicit WatchHub(Ledger& ledger);
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // A watcher's name, until Release().
  std::uint64_t Register();
  void Release(std::uint64_t watcher);

  // Calls `wake` once: as soon as the log has more than `size` entries, Wake() was called for this
  // watcher at any time, or the hub is closed. A watcher waits once at a time.
  void Wait(std::uint64_t watcher, std::uint64_t size, std::function<void()> wake);
  // From now on this watcher never waits.
  void Wake(std::uint64_t watcher);

  // Wakes everybody for good; the daemon is stopping.
  void Close();
  bool closed() const;

 private:
  struct Watcher {
    bool woken = false;
    std::uint64_t size = 0;
    std::function<void()> wake;  // Empty while it does not wait.
  };

  void Run();
  std::vector<std::function<void()>> TakeDue();

  Ledger& ledger_;
  mutable std::mutex mutex_;
  std::condition_variable ring_;
  std::map<std::uint64_t, Watcher> watchers_;  // This and all below: guarded by mutex_.
  std::uint64_t next_watcher_ = 1;
  std::uint64_t size_ = 0;
  bool look_ = false;
  bool closed_ = false;
  bool ended_ = false;
  std::uint64_t listener_ = 0;
  std::thread thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_
