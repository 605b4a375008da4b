#include "client/cli/stop_signals.h"

#include <csignal>
#include <ctime>

namespace custody {
namespace {

// How late the end of the command may be noticed.
constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 50'000'000};

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  listener_ = std::thread([this] { Listen(); });
}

StopSignals::~StopSignals() {
  {
    const MutexLock lock(mutex_);
    over_ = true;
  }
  listener_.join();
}

void StopSignals::Listen() {
  const sigset_t set = Signals();
  while (true) {
    const bool came = sigtimedwait(&set, nullptr, &kLook) > 0;
    const MutexLock lock(mutex_);
    if (over_) return;
    if (!came) continue;
    came_ = true;
    break;
  }
  changed_.NotifyAll();
  stop_.request_stop();
}

bool StopSignals::Wait(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  const MutexLock lock(mutex_);
  while (!came_ && changed_.WaitUntil(mutex_, end)) {
  }
  return !came_;
}

}  // namespace custody
