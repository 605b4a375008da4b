// Threads for answers that read the store, so that a long trace never holds a thread of gRPC.
//
// Threads: Post() from any thread, also from a job.
// Owns:    its threads; Stop() runs what is queued and ends them.

#ifndef CUSTODY_DAEMON_SERVICES_READ_POOL_H_
#define CUSTODY_DAEMON_SERVICES_READ_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace custody {

class ReadPool {
 public:
  ReadPool(std::uint32_t threads, std::size_t queue_max);
  ~ReadPool();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // Runs `job` soon. Never blocks.
  // Errors: kResourceExhausted E_OVERLOADED if queue_max jobs wait.
  absl::Status Post(std::function<void()> job);
  // The next step of a stream that has begun; not bounded by queue_max, since each stream has at
  // most one step.
  void PostStep(std::function<void()> job);

  // After it, jobs run in the caller's thread.
  void Stop();

 private:
  void Run();

  const std::size_t queue_max_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_READ_POOL_H_
