// custodyd rebuild: replays the log into a fresh store and compares it with the one that is there.

#ifndef CUSTODY_DAEMON_REBUILD_COMMAND_H_
#define CUSTODY_DAEMON_REBUILD_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "storage/store.h"

namespace custody {

struct StoreDifference {
  std::uint64_t count = 0;
  // Of the first few keys that differ, in hexadecimal.
  std::vector<std::string> keys;
};

// Compares every key and value. Errors: those of the views.
absl::StatusOr<StoreDifference> CompareStores(const ReadView& first, const ReadView& second);

// Puts a rebuilt store in place of the old one, which gets the first free name `store` + suffix;
// returns that name. At every moment one of the two has the store's name; only a file system that
// cannot exchange names leaves a gap. Errors: kUnavailable.
absl::StatusOr<std::string> PutStoreInPlace(const std::string& store, const std::string& rebuilt,
                                            std::string_view suffix);

// OK unless the store is missing while a made one lies beside it, left by a run that was cut short
// when it put that one in place. Errors: kFailedPrecondition saying what to rename.
absl::Status CheckNoStoreIsBetween(const std::string& store, const std::string& beside);

struct RebuildResult {
  std::uint64_t tree_size = 0;
  StoreDifference difference;
  // The old store was put aside under this name and the rebuilt one took its place; empty if not.
  std::string replaced;
};

// The daemon must not run. With `replace`, a store that differs is exchanged for the rebuilt one;
// otherwise the rebuilt one is removed again.
// Errors: kDataLoss naming the first entry that contradicts the log; kUnavailable if the daemon
// runs; those of the stores.
absl::StatusOr<RebuildResult> RebuildStore(const Config& config, bool replace);

}  // namespace custody

#endif  // CUSTODY_DAEMON_REBUILD_COMMAND_H_
