// The log as the gateway believes it: the newest checkpoint that is signed by a key of trust.toml
// and continues everything that was believed before, with the edge of its tree.
//
// It moves forward only. A daemon that shows another history, or an older one, is not believed: the
// last good checkpoint stays, both notes go to an evidence file beside the checkpoint file, and
// health says so. The checkpoint file is all that outlives the process.
//
// Threads: Refresh() on one thread at a time; everything else from any.
// Owns:    the client's connection.

#ifndef CUSTODY_DAEMON_GATEWAY_BELIEVED_LOG_H_
#define CUSTODY_DAEMON_GATEWAY_BELIEVED_LOG_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/checkpoint.h"
#include "crypto/tiles.h"
#include "custody/client.h"

namespace custody {

// Immutable.
struct BelievedCheckpoint {
  std::string note;
  Checkpoint checkpoint;
  // Null until the daemon has answered once since the start.
  std::shared_ptr<const TileEdge> edge;
};

// How the last refresh went.
enum class LogHealth {
  kStarting,  // The daemon has not answered yet.
  kGood,
  kAway,      // The daemon does not answer; what is believed stays true.
  kConflict,  // The daemon's log is not the one that was believed.
};
std::string_view HealthName(LogHealth health);

class BelievedLog {
 public:
  // `options` have the ledger, its keys and the checkpoint file; nothing is asked of the daemon.
  // Errors: those of Client::Connect(); kDataLoss if the checkpoint file is not signed by a key.
  static absl::StatusOr<std::unique_ptr<BelievedLog>> Open(const ClientOptions& options);

  // Asks for the newest checkpoint and the edge of its tree, and believes both or neither.
  // Errors: kDataLoss on a conflict, naming the evidence; those of the calls.
  absl::Status Refresh();

  // Null before the first checkpoint ever.
  std::shared_ptr<const BelievedCheckpoint> current() const;

  struct State {
    LogHealth health = LogHealth::kStarting;
    // Why it is not good; empty if it is.
    std::string reason;
    std::uint64_t conflicts = 0;
    std::uint64_t refresh_failures = 0;
    // Since the daemon last showed a log that is believed; of the start if it never has.
    std::chrono::steady_clock::time_point good_at;
  };
  State state() const;

  // Tiles from the daemon, unverified (see VerifiedTiles).
  // Errors: kUnavailable also if its log is shorter than `tree_size`; those of the call.
  absl::StatusOr<std::vector<std::string>> FetchTiles(const std::vector<std::string>& paths,
                                                      std::uint64_t tree_size) const;

 private:
  explicit BelievedLog(std::unique_ptr<Client> client);

  absl::Status RefreshOnce();
  void Publish(BelievedCheckpoint checkpoint);
  void Note(const absl::Status& status);

  const std::unique_ptr<Client> client_;
  mutable Mutex mutex_;
  std::shared_ptr<const BelievedCheckpoint> current_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_BELIEVED_LOG_H_
