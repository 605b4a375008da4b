// Wakes watchers when the log grows. The committer only rings; a thread of the hub does the waking,
// and a watcher that waits holds no thread.
//
// Threads: safe from any thread; `wake` functions run on the hub's thread and must be quick.
// Owns:    one thread. The ledger must outlive it.

#ifndef CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_
#define CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "base/mutex.h"
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
  std::vector<std::function<void()>> TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Ledger& ledger_;
  mutable Mutex mutex_;
  CondVar ring_;
  std::map<std::uint64_t, Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_watcher_ ABSL_GUARDED_BY(mutex_) = 1;
  std::uint64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  bool look_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t listener_ = 0;
  std::thread thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_WATCH_HUB_H_
