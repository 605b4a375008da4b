// The openings of the commitments that were made on this computer: one a line of
// <name book>.openings.jsonl, and one for each signer's printed name beside its key. Nobody else
// has them: without its opening a commitment says nothing for ever.
//
// Threads: one thread.
// Limits:  64 MiB a file.

#ifndef CUSTODY_CLIENT_CLI_OPENING_FILE_H_
#define CUSTODY_CLIENT_CLI_OPENING_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "custody/v1/bundle.pb.h"

namespace custody {

// Appends the openings made while reading a draft (mode 0600) and forgets them.
// Errors: kUnavailable, kInvalidArgument.
absl::Status KeepOpenings(Session& session, DraftContext* context);

// Everything that this computer keeps, and what `further_files` (JSON lines) hold.
// Errors: kInvalidArgument with file and line; kNotFound for a named file.
absl::StatusOr<std::vector<v1::Opening>> KeptOpenings(
    Session& session, const std::vector<std::string>& further_files);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_OPENING_FILE_H_
