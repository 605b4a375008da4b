// The log of the daemon: one record a line, as text or JSON, with real escaping.
//
//   error    someone should look
//   warning  it may heal
//   info     rarer than one a second in normal running, and every refused event
//   debug    every call
//
// Never personal data, never secrets, never bytes of events.
//
// Threads: Log() from any thread after SetUpLogging(); before it, records go to stderr as text.

#ifndef CUSTODY_DAEMON_LOGGING_H_
#define CUSTODY_DAEMON_LOGGING_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/config.h"

namespace custody {

enum class LogLevel { kError, kWarning, kInfo, kDebug };
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

// Errors: kUnavailable if the file cannot be opened.
absl::Status SetUpLogging(const LogSection& options);
void Log(LogLevel level, std::string_view message, const LogFields& fields = {});
bool LogEnabled(LogLevel level);

// One record without its end of line. `time` is RFC 3339.
std::string FormatRecord(bool json, std::string_view time, LogLevel level, std::string_view message,
                         const LogFields& fields);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LOGGING_H_
