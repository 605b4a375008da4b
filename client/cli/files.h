// Files of the command line: read whole, written so that they are there whole or not at all.
//
// Threads: any.
// Limits:  64 MiB a file.

#ifndef CUSTODY_CLIENT_CLI_FILES_H_
#define CUSTODY_CLIENT_CLI_FILES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

// "-" reads standard input. Errors: kNotFound; kInvalidArgument if it is too large or a folder.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes beside the target, syncs, renames. "-" writes to standard output. Creates the folder.
//   secret   mode 0600, else 0644
// Errors, naming the path and the cause: kInvalidArgument; kUnavailable if the disk is full or
// fails.
absl::Status WriteFileAtomically(const std::string& path, std::string_view content, bool secret);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_FILES_H_
