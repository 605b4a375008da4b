#include "daemon/services/watch_hub.h"

#include <algorithm>
#include <utility>

#include "daemon/ledger/thread_name.h"

namespace custody {

WatchHub::WatchHub(Ledger& ledger) : ledger_(ledger) {
  listener_ = ledger_.AddSizeListener([this](std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    size_ = std::max(size_, size);
    look_ = true;
    ring_.notify_one();
  });
  const std::uint64_t size = ledger_.Snapshot()->size();
  {
    const std::lock_guard lock(mutex_);
    size_ = std::max(size_, size);
  }
  thread_ = std::thread([this] { Run(); });
}

WatchHub::~WatchHub() {
  ledger_.RemoveSizeListener(listener_);
  Close();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    ring_.notify_one();
  }
  thread_.join();
}

std::uint64_t WatchHub::Register() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t watcher = next_watcher_++;
  watchers_[watcher];
  return watcher;
}

void WatchHub::Release(std::uint64_t watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watcher);
}

void WatchHub::Wait(std::uint64_t watcher, std::uint64_t size, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  Watcher& entry = watchers_[watcher];
  entry.size = size;
  entry.wake = std::move(wake);
  if (size_ > size || entry.woken || closed_) {
    look_ = true;
    ring_.notify_one();
  }
}

void WatchHub::Wake(std::uint64_t watcher) {
  const std::lock_guard lock(mutex_);
  const auto found = watchers_.find(watcher);
  if (found == watchers_.end()) return;
  found->second.woken = true;
  look_ = true;
  ring_.notify_one();
}

void WatchHub::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  look_ = true;
  ring_.notify_one();
}

bool WatchHub::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

// Called with the lock held.
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
  std::unique_lock lock(mutex_);
  for (;;) {
    ring_.wait(lock, [this] { return look_ || ended_; });
    look_ = false;
    std::vector<std::function<void()>> due = TakeDue();
    if (due.empty() && ended_) return;
    lock.unlock();
    for (const std::function<void()>& wake : due) wake();
    due.clear();
    lock.lock();
  }
}

}  // namespace custody
