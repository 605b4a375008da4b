// A whole log copied into a folder (client/verify/log_directory.h), once or as it grows.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_LOG_EXPORT_H_
#define CUSTODY_CLIENT_CLI_LOG_EXPORT_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "client/verify/log_directory.h"

namespace custody {

// What one advance has brought.
struct LogAdvance {
  std::uint64_t size = 0;
  std::string root;  // Hexadecimal.
  std::uint64_t new_entries = 0;
};

class LogExport {
 public:
  // Goes on with what an earlier export left in the folder. Errors: those of LogDirectoryWriter.
  static absl::StatusOr<LogExport> Open(Session& session, const std::string& folder);

  // Entries that are there; the next one to fetch.
  std::uint64_t size() const { return writer_.size(); }

  // Fetches what the folder lacks of the newest checkpoint and publishes it; nothing if it is
  // there. Errors: kDataLoss if the ledger does not show what was signed, or less than the folder
  // has;
  //         kCancelled when asked to stop: entries that came are kept; those of client and disk.
  absl::StatusOr<std::optional<LogAdvance>> Advance(const std::stop_token& stop);

  // A write to the folder has failed: only a new export goes on.
  bool disk_failed() const { return disk_failed_; }

 private:
  LogExport(Session& session, std::string folder, LogDirectoryWriter writer)
      : session_(&session), folder_(std::move(folder)), writer_(std::move(writer)) {}

  absl::Status Kept(absl::Status written);

  Session* session_;
  std::string folder_;
  LogDirectoryWriter writer_;
  // Of the checkpoint that this program has put there; 0: none yet.
  std::uint64_t published_ = 0;
  bool disk_failed_ = false;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_LOG_EXPORT_H_
