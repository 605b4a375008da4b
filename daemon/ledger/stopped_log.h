// The right edge of the tree and the buckets of the subject index as they were when the ledger
// stopped, in a file beside the store. So the start after a clean stop reads one file, while the
// store is being opened, instead of up to 255 tiles a level and 65,536 rows afterwards.
//
// A shortcut and nothing else: if it is missing, of another log or damaged, a start reads the
// store, and in either case compares the roots with the head and the last seal. So the file is not
// synced, and no backup needs it.
//
// File: size of the log u64; the hashes of its partial tiles, level by level; EncodeIndexBuckets().

#ifndef CUSTODY_DAEMON_LEDGER_STOPPED_LOG_H_
#define CUSTODY_DAEMON_LEDGER_STOPPED_LOG_H_

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "crypto/index_tree.h"
#include "crypto/tiles.h"

namespace custody {

struct LogAtStop {
  TileTree tree;
  IndexTree index;
};

std::string EncodeLogAtStop(const TileEdge& edge, const IndexSnapshot& index);
// Nothing unless it is whole. Whether its roots are those of the log is for the caller to say.
std::optional<LogAtStop> DecodeLogAtStop(std::string_view value);

// Threads: one at a time; it reads on a thread of its own.
class StoppedLog {
 public:
  // Begins to read at once.
  explicit StoppedLog(std::string path);

  // What the last stop has left, as DecodeLogAtStop(), if it is of a log of this size; waits for
  // the reading. A second call gives nothing.
  std::optional<LogAtStop> Take(std::uint64_t log_size);

  // Leaves it for the next start. Errors: kUnavailable if the file cannot be written.
  absl::Status Leave(const TileEdge& edge, const IndexSnapshot& index) const;

 private:
  const std::string path_;
  std::future<std::optional<LogAtStop>> left_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_STOPPED_LOG_H_
