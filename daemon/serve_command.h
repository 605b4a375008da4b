// custodyd serve: opens the ledger and answers until a signal.

#ifndef CUSTODY_DAEMON_SERVE_COMMAND_H_
#define CUSTODY_DAEMON_SERVE_COMMAND_H_

#include "absl/status/status.h"
#include "daemon/config.h"

namespace custody {

// On SIGTERM or SIGINT it takes no new events, answers everybody who was admitted (at most
// stop.drain_ms_max) and returns; a second signal ends the waiting. Signals must be blocked.
// A drain that is cut short, by the limit or by the signal, ends the process at once with exit
// code 3. Errors: those of the parts, each naming its step.
absl::Status Serve(const Config& config);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVE_COMMAND_H_
