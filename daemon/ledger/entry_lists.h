// Lists of entries by something that many of them share: catalogue code, site, signer.
//
// A list is written in blocks, one for each batch that adds to it, so that an event costs no write
// of its own for each list that it is on:
//
//   key    prefix of the list, first index:u64 of the block
//   value  distance of each further index from the first, u32 each, ascending
//
// Blocks end with their batch, at the seal, so a replay of the log writes the same blocks.
//
// Threads: one owner at a time.

#ifndef CUSTODY_DAEMON_LEDGER_ENTRY_LISTS_H_
#define CUSTODY_DAEMON_LEDGER_ENTRY_LISTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace custody {

// What the open batch adds to lists.
class EntryLists {
 public:
  // Indices of one list come ascending.
  void Add(std::string prefix, std::uint64_t index) { blocks_[std::move(prefix)].push_back(index); }
  // Writes the blocks and begins anew.
  void Write(WriteBatch* writes);

 private:
  std::map<std::string, std::vector<std::uint64_t>> blocks_;
};

// The indices of a list in [begin, end), ascending or, `newest_first`, descending; at most
// `count_max`. Errors: the view's; kDataLoss on a malformed block.
absl::StatusOr<std::vector<std::uint64_t>> ReadEntryList(const ReadView& view,
                                                         const std::string& prefix,
                                                         std::uint64_t begin, std::uint64_t end,
                                                         bool newest_first, std::size_t count_max);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ENTRY_LISTS_H_
