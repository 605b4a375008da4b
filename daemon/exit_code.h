// What the daemons tell their supervisor.

#ifndef CUSTODY_DAEMON_EXIT_CODE_H_
#define CUSTODY_DAEMON_EXIT_CODE_H_

#include "absl/status/status.h"

namespace custody {

// The exit code of the programs (0 ok, 2 usage or configuration, 3 cannot be done or verified, 4
// not permitted, 5 exists already, 70 a bug).
int ExitCodeOf(const absl::Status& status);

}  // namespace custody

#endif  // CUSTODY_DAEMON_EXIT_CODE_H_
