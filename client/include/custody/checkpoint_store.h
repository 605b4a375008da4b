// The newest checkpoint that a client has seen, kept in a file.
//
// It is the client's memory: whoever shows it another history later is caught. Several processes
// may share the file; it only ever grows.
//
// Threads: every call is safe from any thread.
// Format:  the signed note (C2SP tlog-checkpoint) and nothing else; "<path>.lock" serializes
// writers.
//          Evidence: "<path>.evidence-<size>-<size>.txt".

#ifndef CUSTODY_CLIENT_CHECKPOINT_STORE_H_
#define CUSTODY_CLIENT_CHECKPOINT_STORE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

class CheckpointStore {
 public:
  ~CheckpointStore();

  // Reads the file if it is there; an empty path keeps the checkpoint in memory only.
  // Errors: kPermissionDenied, kUnavailable (cannot be read); kDataLoss over 64 KiB.
  static absl::StatusOr<std::unique_ptr<CheckpointStore>> Open(std::string path);

  // The note, or empty when none was seen. Looks at the file, which another process may have
  // advanced. Errors: as Open().
  absl::StatusOr<std::string> Newest();

  // Replaces `known` (what Newest() returned, and what the caller compared with) by `note`, synced.
  // Errors: kAborted if the newest is no longer `known`: compare again; kUnavailable if it cannot
  // be written.
  absl::Status Advance(std::string_view known, std::string_view note);

  // Keeps two notes that contradict each other, with what was found, and returns the file's path.
  // Empty when the store is in memory.
  absl::StatusOr<std::string> WriteEvidence(std::string_view file_tag, std::string_view text);

 private:
  struct Memory;

  explicit CheckpointStore(std::string path);

  const std::string path_;
  const std::unique_ptr<Memory> memory_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CHECKPOINT_STORE_H_
