// The metrics of the daemon in the text form of Prometheus. Names: custody_<part>_<what>_<unit>. No
// label ever names a dose, a patient, a person or a site.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_METRICS_TEXT_H_
#define CUSTODY_DAEMON_METRICS_TEXT_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "daemon/ledger/ledger.h"
#include "daemon/witnessing/witness_keeper.h"

namespace custody {

// Answers by method and status code.
class CallCounters {
 public:
  // `method` is a literal: it is kept as it is.
  void Count(std::string_view method, absl::StatusCode code);
  // By method and name of the code.
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts() const;

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<std::pair<std::string_view, absl::StatusCode>, std::uint64_t> counts_
      ABSL_GUARDED_BY(mutex_);
};

// `witnesses`: null if none are configured.
std::string MetricsText(const Ledger& ledger, const CallCounters& calls,
                        const WitnessKeeper* witnesses, std::string_view version,
                        std::string_view commit);

}  // namespace custody

#endif  // CUSTODY_DAEMON_METRICS_TEXT_H_
