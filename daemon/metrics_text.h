// The metrics of the daemon in the text form of Prometheus. Names: custody_<part>_<what>_<unit>. No
// label ever names a dose, a patient, a person or a site.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_METRICS_TEXT_H_
#define CUSTODY_DAEMON_METRICS_TEXT_H_

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "daemon/ledger/ledger.h"

namespace custody {

// Answers by method and status code.
class CallCounters {
 public:
  void Count(std::string_view method, absl::StatusCode code);
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;  // Guarded by mutex_.
};

std::string MetricsText(const Ledger& ledger, const CallCounters& calls, std::string_view version,
                        std::string_view commit);

}  // namespace custody

#endif  // CUSTODY_DAEMON_METRICS_TEXT_H_
