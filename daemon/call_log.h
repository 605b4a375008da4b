// What the daemon notes of the answers of its services: a record for each refusal, a count for each
// answer.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_CALL_LOG_H_
#define CUSTODY_DAEMON_CALL_LOG_H_

#include <string_view>

#include "absl/status/status.h"
#include "daemon/metrics_text.h"
#include "daemon/services/call_observer.h"

namespace custody {

class CallLog final : public CallObserver {
 public:
  void OnAnswer(std::string_view method, const Principal* principal,
                const absl::Status& status) override;

  const CallCounters& counters() const { return counters_; }

 private:
  CallCounters counters_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_CALL_LOG_H_
