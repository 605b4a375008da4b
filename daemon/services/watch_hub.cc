#include "daemon/services/watch_hub.h"

#include <algorithm>
#include <utility>

#include "daemon/ledger/thread_name.h"

namespace custody {

WatchHub::WatchHub(Ledger& ledger) : ledger_(ledger) {
  listener_ = ledger_.AddSizeListener([this](std::uint64_t size) {
    const MutexLock lock(mutex_);
    size_ = std::max(size_, size);
    look_ = true;
    ring_.NotifyOne();
  });
  const std::uint64_t size = ledger_.Snapshot()->size();
  {
    const MutexLock lock(mutex_);
    size_ = std::max(size_, size);
  }
  thread_ = std::thread([this] { Run(); });
}

WatchHub::~WatchHub() {
  ledger_.RemoveSizeListener(listener_);
  Close();
  {
    const MutexLock lock(mutex_);
    ended_ = true;
    ring_.NotifyOne();
  }
  thread_.join();
}

std::uint64_t WatchHub::Register() {
  const MutexLock lock(mutex_);
  const std::uint64_t watcher = next_watcher_++;
  watchers_[watcher];
  return watcher;
}

void WatchHub::Release(std::uint64_t watcher) {
  const MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

void WatchHub::Wait(std::uint64_t watcher, std::uint64_t size, std::function<void()> wake) {
  const MutexLock lock(mutex_);
  Watcher& entry = watchers_[watcher];
  entry.size = size;
  entry.wake = std::move(wake);
  if (size_ > size || entry.woken || closed_) {
    look_ = true;
    ring_.NotifyOne();
  }
}

void WatchHub::Wake(std::uint64_t watcher) {
  const MutexLock lock(mutex_);
  const auto found = watchers_.find(watcher);
  if (found == watchers_.end()) return;
  found->second.woken = true;
  look_ = true;
  ring_.NotifyOne();
}

void WatchHub::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  look_ = true;
  ring_.NotifyOne();
}

bool WatchHub::closed() const {
  const MutexLock lock(mutex_);
  return closed_;
}

std::vector<std::function<void()>> WatchHub::TakeDue() {
  std::vector<std::function<void()>> due;
  for (auto& [name, watcher] : watchers_) {
    if (watcher.wake == nullptr) continue;
    if (size_ > watcher.size || watcher.woken || closed_) {
      due.push_back(std::exchange(watcher.wake, nullptr));
    }
  }
  return due;
}

void WatchHub::Run() {
  NameThread("watcher");
  MutexLock lock(mutex_);
  for (;;) {
    while (!look_ && !ended_) ring_.Wait(mutex_);
    look_ = false;
    std::vector<std::function<void()>> due = TakeDue();
    if (due.empty() && ended_) return;
    lock.Unlock();
    for (const std::function<void()>& wake : due) wake();
    due.clear();
    lock.Lock();
  }
}

}  // namespace custody
