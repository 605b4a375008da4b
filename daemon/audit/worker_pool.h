// Threads that live as long as the audit, for what needs no order: parsing, signatures, writing,
// giving memory back. A thread of its own for each piece of work would cost more than the work's
// own allocations: what an allocator keeps for a thread goes away with it.
//
// Threads: one thread calls; what it hands over runs on those of the pool.
// Owns:    the threads; Join() and the destructor wait for all that was handed over.

#ifndef CUSTODY_DAEMON_AUDIT_WORKER_POOL_H_
#define CUSTODY_DAEMON_AUDIT_WORKER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace custody {

class WorkerPool {
 public:
  // 0: as many as there are cores.
  explicit WorkerPool(std::uint32_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // How many of `count` alike pieces to hand over at a time: a few times for each thread, so that
  // none waits long for the last one.
  std::size_t SliceOf(std::size_t count) const {
    return count / (kSlicesEach * threads_.size()) + 1;
  }

  // Ends the threads; afterwards nothing may be handed over.
  void Join();

  // In the order of the calls, as threads become free.
  template <typename Work>
  auto Run(Work work) -> std::future<decltype(work())> {
    auto task = std::make_shared<std::packaged_task<decltype(work())()>>(std::move(work));
    auto result = task->get_future();
    Post([task] { (*task)(); });
    return result;
  }

  // Destroys it on one of the threads.
  template <typename Value>
  void Discard(Value value) {
    Post([held = std::make_shared<Value>(std::move(value))] {});
  }

 private:
  static constexpr std::size_t kSlicesEach = 3;

  void Post(std::function<void()> work);
  // Nothing: there is no more, and none will come.
  std::function<void()> Next();
  void Serve();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_WORKER_POOL_H_
