#include "tests/bench/receipt_check.h"

#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

constexpr std::size_t kKnownMax = 10'000;

}  // namespace

absl::StatusOr<Checkpoint> ReceiptCheck::Open(const std::string& note) {
  {
    const MutexLock lock(mutex_);
    const auto found = known_.find(note);
    if (found != known_.end()) return found->second;
  }
  CUSTODY_ASSIGN_OR_RETURN(const OpenedCheckpoint opened, OpenCheckpoint(note, origin_, log_keys_));
  const MutexLock lock(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_[note] = opened.checkpoint;
  return opened.checkpoint;
}

absl::Status ReceiptCheck::Check(const v1::Receipt& receipt, std::string_view event_bytes) {
  v1::Entry entry;
  if (!entry.ParseFromString(receipt.entry())) return absl::DataLossError("no entry in a receipt");
  if (entry.signed_event().event() != event_bytes) {
    return absl::DataLossError("a receipt for another event");
  }
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Open(receipt.checkpoint()));
  std::vector<Digest> proof;
  proof.reserve(static_cast<std::size_t>(receipt.inclusion_size()));
  for (const std::string& hash : receipt.inclusion()) {
    CUSTODY_ASSIGN_OR_RETURN(proof.emplace_back(), Digest::FromBytes(hash));
  }
  return VerifyInclusion(entry.index(), checkpoint.size, LeafHash(receipt.entry()), proof,
                         checkpoint.root);
}

}  // namespace custody
