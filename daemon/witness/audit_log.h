// A log read from its first entry on, with everything recomputed that follows from the entries
// alone: leaf hashes and tree, the chains of subjects, the subject index of every seal.
//
// What is kept is what the next entry needs: the right edge of the tree, and the head of each
// subject's chain, in a store of its own; so it goes on where it stopped.
//
// Not recomputed: signatures of persons and devices, and the findings of the rules. Whoever audits
// those replays the log with the daemon's own `rebuild`, or verifies bundles.
//
// Threads: one thread.

#ifndef CUSTODY_DAEMON_WITNESS_AUDIT_LOG_H_
#define CUSTODY_DAEMON_WITNESS_AUDIT_LOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/index_tree.h"
#include "crypto/merkle.h"
#include "custody/v1/record.pb.h"
#include "storage/store.h"

namespace custody {

class AuditLog {
 public:
  // Goes on from what the store holds. The store must outlive it.
  // Errors: kDataLoss if what is kept contradicts itself or is of another log; those of the store.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(Store& store, std::string origin);

  // Entries taken: the index of the next one.
  std::uint64_t size() const { return tree_.size(); }
  Digest Root() const { return tree_.Root(); }

  // Takes the next entry.
  // Errors: kUnauthenticated if it contradicts what stood before it, with what is wrong: the log
  // lies, if its checkpoint covers these bytes. Then nothing has changed, and the entry is wrong
  // again after a restart. Those of the store.
  absl::Status Take(std::string_view entry_bytes);

  // OK if the entries so far are those of the checkpoint, after everything is synced.
  // Errors: kUnauthenticated if the checkpoint has another root; kFailedPrecondition if it has
  // another size, or its last entry is no seal; those of the store.
  absl::Status Confirm(const Checkpoint& checkpoint);

 private:
  AuditLog(Store& store, std::string origin) : store_(store), origin_(std::move(origin)) {}

  absl::Status Load();
  absl::Status TakeEvent(const v1::Entry& entry, const Digest& leaf_hash);
  absl::Status TakeSeal(const v1::Entry& entry);
  // Leaves that changed since the last seal are put into the index and written.
  absl::StatusOr<IndexUpdate> UpdateIndex();
  absl::StatusOr<std::optional<IndexValue>> HeadOf(const Digest& key) const;
  std::string EncodeProgress() const;

  Store& store_;
  const std::string origin_;
  CompactRange tree_;
  IndexTree index_;
  std::map<Digest, IndexValue> changed_;  // Since the last seal.
  std::uint64_t first_unsealed_ = 0;
  std::uint32_t rules_version_ = 0;
  std::int64_t recorded_at_ms_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_AUDIT_LOG_H_
