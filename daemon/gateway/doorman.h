// Who is let in: connections are counted, in all and by address.
//
// Threads: safe from any thread.
// Owns:    nothing; options and counters must outlive it.

#ifndef CUSTODY_DAEMON_GATEWAY_DOORMAN_H_
#define CUSTODY_DAEMON_GATEWAY_DOORMAN_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/mutex.h"
#include "daemon/gateway/http_server.h"

namespace custody {

class Doorman {
 public:
  enum class Verdict { kWelcome, kFull, kAddressFull };

  Doorman(const HttpServerOptions& options, HttpCounters* counters)
      : options_(options), counters_(*counters) {}

  Verdict Enter(const std::string& address) {
    const MutexLock lock(mutex_);
    if (total_ >= options_.connections_max) {
      ++counters_.refused_full;
      return Verdict::kFull;
    }
    std::uint32_t& count = by_address_[address];
    if (options_.connections_per_address_max != 0 &&
        count >= options_.connections_per_address_max) {
      ++counters_.refused_address;
      return Verdict::kAddressFull;
    }
    ++count;
    ++total_;
    ++counters_.connections_total;
    counters_.connections_open = total_;
    return Verdict::kWelcome;
  }

  void Leave(const std::string& address) {
    const MutexLock lock(mutex_);
    const auto found = by_address_.find(address);
    if (--found->second == 0) by_address_.erase(found);
    counters_.connections_open = --total_;
  }

 private:
  const HttpServerOptions& options_;
  HttpCounters& counters_;
  Mutex mutex_;
  std::uint32_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::uint32_t> by_address_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_DOORMAN_H_
