// Hears of every answer of the services: for the log and the metrics of the program.
//
// Threads: OnAnswer() may be called from any thread and must be quick.

#ifndef CUSTODY_DAEMON_SERVICES_CALL_OBSERVER_H_
#define CUSTODY_DAEMON_SERVICES_CALL_OBSERVER_H_

#include <string_view>

#include "absl/status/status.h"
#include "daemon/services/authorization.h"

namespace custody {

class CallObserver {
 public:
  virtual ~CallObserver() = default;

  // `principal` is null where the caller was not known. Called for each unary call and each stream
  // of answers at its end, and for each event of a RecordStream. The message of a refusal holds no
  // personal data.
  virtual void OnAnswer(std::string_view method, const Principal* principal,
                        const absl::Status& status) = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_CALL_OBSERVER_H_
