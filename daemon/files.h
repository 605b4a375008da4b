// Small files of the daemon: keys, certificates, the bound address.
//
// Threads: pure apart from the file system.

#ifndef CUSTODY_DAEMON_FILES_H_
#define CUSTODY_DAEMON_FILES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

inline constexpr std::size_t kSmallFileBytesMax = 1U << 20;

// Errors: kNotFound naming `what` and the path; kInvalidArgument beyond kSmallFileBytesMax.
absl::StatusOr<std::string> ReadSmallFile(std::string_view what, const std::string& path);
// A file that must not exist yet, readable by its owner only. It is there whole and synced, or not
// at all. Errors: kAlreadyExists; kUnavailable.
absl::Status WriteSecretFile(const std::string& path, std::string_view bytes);
// Written beside and renamed, so that a reader never sees half of it. Errors: kUnavailable.
absl::Status ReplaceSmallFile(const std::string& path, std::string_view bytes);
// Makes what was written to a file outlast a power cut. Errors: kUnavailable.
absl::Status SyncFile(const std::string& path);
// Makes a rename in the folder of `path` outlast a power cut. Errors: kUnavailable.
absl::Status SyncFolderOf(const std::string& path);
// Each takes the other's name, at one moment.
// Errors: kUnimplemented if the file system cannot; kUnavailable.
absl::Status ExchangeFolders(const std::string& first, const std::string& second);
// With its parents; only the owner may enter the last. Errors: kUnavailable.
absl::Status MakeDirectory(const std::string& path);

}  // namespace custody

#endif  // CUSTODY_DAEMON_FILES_H_
