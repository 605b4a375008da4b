// SIGINT and SIGTERM as a wish to stop, for commands that run until somebody ends them.
//
// Threads: make it before any other thread exists, since they inherit what it blocks; then every
// call is safe from any thread.

#ifndef CUSTODY_CLIENT_CLI_STOP_SIGNALS_H_
#define CUSTODY_CLIENT_CLI_STOP_SIGNALS_H_

#include <chrono>
#include <stop_token>
#include <thread>

#include "base/mutex.h"

namespace custody {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  // Waits to the end, or until a signal comes; false if one has come.
  bool Wait(std::chrono::milliseconds duration);

 private:
  void Listen();

  std::stop_source stop_;
  Mutex mutex_;
  CondVar changed_;
  bool came_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread listener_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_STOP_SIGNALS_H_
