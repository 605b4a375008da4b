#include "daemon/audit/worker_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace custody {
namespace {

// Everybody waits for the thread that calls, so these give way to it. Linux has a niceness for each
// thread; where it cannot be set, all share alike.
constexpr int kNiceness = 10;

}  // namespace

WorkerPool::WorkerPool(std::uint32_t threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

WorkerPool::~WorkerPool() { Join(); }

void WorkerPool::Join() {
  {
    const MutexLock lock(mutex_);
    ends_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::Post(std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.NotifyOne();
}

std::function<void()> WorkerPool::Next() {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !ends_) changed_.Wait(mutex_);
  if (waiting_.empty()) return nullptr;
  std::function<void()> next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

void WorkerPool::Serve() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  // Each piece is destroyed before the next one begins, and here.
  while (const std::function<void()> work = Next()) work();
}

}  // namespace custody
