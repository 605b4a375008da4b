#include "daemon/ledger/receipt_maker.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"

namespace custody {

absl::StatusOr<Digest> RememberingNodes::Node(std::uint32_t level, std::uint64_t index) const {
  const auto found = known_.find({level, index});
  if (found != known_.end()) return found->second;
  CUSTODY_ASSIGN_OR_RETURN(const Digest node, nodes_.Node(level, index));
  known_.emplace(std::pair{level, index}, node);
  return node;
}

absl::StatusOr<std::pair<std::uint64_t, std::string>> ReceiptMaker::CheckpointOver(
    std::uint64_t index) const {
  // The newest note is not in the store: it is written with the next batch.
  if (index < newest_begin_) {
    CUSTODY_ASSIGN_OR_RETURN(const auto stored,
                             snapshot_.view->First(KeyOfCheckpoint(index + 1),
                                                   PrefixEnd(PrefixOfTable(Table::kCheckpoint))));
    if (stored.has_value()) {
      CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t size, IndexInKey(stored->key));
      if (size < snapshot_.size()) return std::pair{size, stored->value};
    }
  }
  return std::pair{snapshot_.size(), snapshot_.note};
}

absl::StatusOr<v1::Receipt> ReceiptMaker::Make(std::uint64_t index, std::string entry) const {
  if (index >= snapshot_.size()) {
    return absl::OutOfRangeError(
        absl::StrFormat("entry %d of a log of %d", index, snapshot_.size()));
  }
  if (entry.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(auto stored, snapshot_.view->Get(KeyOfEntry(index)));
    if (!stored.has_value()) {
      return absl::DataLossError(absl::StrFormat("entry %d is missing", index));
    }
    entry = *std::move(stored);
  }
  CUSTODY_ASSIGN_OR_RETURN(auto checkpoint, CheckpointOver(index));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> proof,
                           InclusionProof(index, checkpoint.first, nodes_));
  v1::Receipt receipt;
  receipt.set_entry(std::move(entry));
  receipt.set_index(index);
  receipt.mutable_inclusion()->Reserve(static_cast<int>(proof.size()));
  for (const Digest& hash : proof) {
    receipt.add_inclusion(hash.view().data(), hash.view().size());
  }
  receipt.set_checkpoint(std::move(checkpoint.second));
  return receipt;
}

}  // namespace custody
