// custodyd scrub: looks for bit rot in a store, and changes nothing.

#ifndef CUSTODY_DAEMON_SCRUB_COMMAND_H_
#define CUSTODY_DAEMON_SCRUB_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/ledger/scrub.h"

namespace custody {

// Every table file against its checksums, then ScrubLog(), then the size of the anchor, where one
// is configured. The daemon must not run. A store that is too damaged to be opened is a report too.
//
// Errors: kInvalidArgument (configuration); kNotFound if there is no store; kUnavailable if the
// daemon runs or the disk cannot be read; those of ScrubLog().
absl::StatusOr<ScrubReport> ScrubStore(const Config& config, const RebuildProgress& progress);

// One JSON object: entries, damage_count, damage (where, what).
std::string ScrubReportJson(const ScrubReport& report);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SCRUB_COMMAND_H_
