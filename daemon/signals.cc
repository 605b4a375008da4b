#include "daemon/signals.h"

#include <csignal>
#include <ctime>

namespace custody {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int WaitForSignal(int timeout_ms) {
  const sigset_t set = StopSignals();
  const timespec timeout{timeout_ms / 1'000, (timeout_ms % 1'000) * 1'000'000L};
  const int signal = sigtimedwait(&set, nullptr, &timeout);
  return signal < 0 ? 0 : signal;
}

}  // namespace custody
