// Signs and records drafts, or asks the ledger what it would say to them.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_RECORDING_H_
#define CUSTODY_CLIENT_CLI_RECORDING_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/session.h"

namespace custody {

struct RecordOptions {
  // Files with detached signatures, and further local signers ("NAME as ROLE/MEANING").
  std::vector<std::string> signatures;
  std::vector<std::string> signers;
  // Only says what would happen; opens no key.
  bool dry_run = false;
  bool keep_going = false;
  // Passes over the documents that begin before this line.
  int from_line = 0;
  // "witnessed": each event is answered when a quorum of witnesses has cosigned.
  std::string wait;
  // As --format; empty: by the file's ending.
  std::string format;
};

// Records the documents of a text, or of a file in any format, one after the other. Prints each.
// Returns the worst exit code. Errors end the work, except refusals with keep_going.
//   source   file for messages and for relative "@file:" paths; "-": standard input
absl::StatusOr<int> RecordDrafts(Session& session, const RecordOptions& options,
                                 std::string_view text, const std::string& source);
absl::StatusOr<int> RecordFile(Session& session, const RecordOptions& options,
                               const std::string& path);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_RECORDING_H_
