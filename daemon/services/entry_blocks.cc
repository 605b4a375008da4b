#include "daemon/services/entry_blocks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "daemon/services/site_scope.h"

namespace custody {

EntryBlocks::EntryBlocks(const Ledger& ledger, PrincipalPtr principal, std::uint64_t begin,
                         std::uint64_t end)
    : ledger_(ledger), principal_(std::move(principal)), next_(begin), end_(end) {}

absl::StatusOr<bool> EntryBlocks::Next(v1::ReadEntriesResponse* response) {
  while (position_ == block_.size()) {
    if (next_ >= end_) return false;
    CUSTODY_RETURN_IF_ERROR(ReadBlock());
  }
  StoredEntry& entry = block_[position_++];
  response->set_index(entry.index);
  response->set_entry(std::move(entry.bytes));
  return true;
}

absl::Status EntryBlocks::ReadBlock() {
  block_.clear();
  position_ = 0;
  const std::uint64_t stop = next_ + std::min(kReadBlockEntries, end_ - next_);
  const LedgerReader reader(ledger_.Snapshot());
  CUSTODY_RETURN_IF_ERROR(
      reader.ReadEntries(next_, stop, [this](std::uint64_t index, std::string_view entry) {
        if (EntryVisible(*principal_, entry)) block_.push_back({index, std::string(entry)});
        return true;
      }));
  next_ = stop;
  return absl::OkStatus();
}

}  // namespace custody
