#include "daemon/ledger/entry_lists.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::size_t kDistanceBytes = 4;

absl::StatusOr<std::vector<std::uint64_t>> ReadBlock(std::string_view key, std::string_view value) {
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t first, IndexInKey(key));
  if (value.size() % kDistanceBytes != 0) {
    return absl::DataLossError("a block of a list of entries is malformed");
  }
  std::vector<std::uint64_t> indices = {first};
  for (std::size_t at = 0; at < value.size(); at += kDistanceBytes) {
    indices.push_back(first + ReadBigEndian32(value.substr(at, kDistanceBytes)));
  }
  return indices;
}

}  // namespace

void EntryLists::Write(WriteBatch* writes) {
  for (const auto& [prefix, indices] : blocks_) {
    std::string value;
    value.reserve((indices.size() - 1) * kDistanceBytes);
    for (std::size_t i = 1; i < indices.size(); ++i) {
      AppendBigEndian32(static_cast<std::uint32_t>(indices[i] - indices.front()), &value);
    }
    writes->Put(prefix + EncodeU64(indices.front()), value);
  }
  blocks_.clear();
}

absl::StatusOr<std::vector<std::uint64_t>> ReadEntryList(const ReadView& view,
                                                         const std::string& prefix,
                                                         std::uint64_t begin, std::uint64_t end,
                                                         bool newest_first, std::size_t count_max) {
  std::vector<std::uint64_t> found;
  // The block that begins before the range may reach into it.
  std::string from = prefix + EncodeU64(begin);
  CUSTODY_ASSIGN_OR_RETURN(const auto before, view.Last(prefix, from));
  if (before.has_value()) from = before->key;
  absl::Status bad;
  const auto visit = [&](std::string_view key, std::string_view value) {
    absl::StatusOr<std::vector<std::uint64_t>> block = ReadBlock(key, value);
    if (!block.ok()) {
      bad = block.status();
      return false;
    }
    if (newest_first) std::reverse(block->begin(), block->end());
    for (const std::uint64_t index : *block) {
      if (index >= begin && index < end && found.size() < count_max) found.push_back(index);
    }
    return found.size() < count_max;
  };
  const std::string to = prefix + EncodeU64(end);
  CUSTODY_RETURN_IF_ERROR(newest_first ? view.ScanReverse(from, to, visit)
                                       : view.Scan(from, to, visit));
  CUSTODY_RETURN_IF_ERROR(bad);
  return found;
}

}  // namespace custody
