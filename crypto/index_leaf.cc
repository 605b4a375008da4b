#include "crypto/index_leaf.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr std::array<std::uint8_t, 1> kKeySeparator = {0x00};
constexpr std::array<std::uint8_t, 1> kIndexLeafPrefix = {0x02};
constexpr std::uint8_t kIndexNodePrefix = 0x03;

}  // namespace

std::string IndexValue::ToBytes() const {
  std::string bytes;
  AppendBigEndian64(event_count, &bytes);
  bytes.append(head.view());
  return bytes;
}

absl::StatusOr<IndexValue> IndexValue::FromBytes(std::string_view bytes) {
  if (bytes.size() != kSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("index value has %d bytes, want %d", bytes.size(), kSizeBytes));
  }
  IndexValue value;
  value.event_count = ReadBigEndian64(bytes);
  if (value.event_count == 0) {
    return absl::InvalidArgumentError("index value counts no event");
  }
  CUSTODY_ASSIGN_OR_RETURN(value.head, Digest::FromBytes(bytes.substr(8)));
  return value;
}

Digest IndexKey(std::string_view kind_name, std::string_view id) {
  CUSTODY_CHECK(kind_name.find('\0') == std::string_view::npos);
  return Sha256Hasher().Update(kind_name).Update(ByteView(kKeySeparator)).Update(id).Finish();
}

Digest IndexLeafHash(const IndexLeaf& leaf) {
  return Sha256Hasher()
      .Update(ByteView(kIndexLeafPrefix))
      .Update(leaf.key)
      .Update(leaf.value.ToBytes())
      .Finish();
}

Digest IndexNodeHash(const Digest& left, const Digest& right) {
  return Sha256Pair(kIndexNodePrefix, left, right);
}

std::uint16_t IndexBucketOf(const Digest& key) { return ReadBigEndian16(key.view()); }

bool IndexKeyBit(const Digest& key, std::uint32_t depth) {
  CUSTODY_CHECK(depth < kIndexDepthMax);
  return (key.bytes()[depth / 8] >> (7 - depth % 8) & 1) == 1;
}

std::size_t IndexSplit(std::span<const IndexLeaf> leaves, std::uint32_t depth) {
  const auto middle = std::partition_point(
      leaves.begin(), leaves.end(),
      [depth](const IndexLeaf& leaf) { return !IndexKeyBit(leaf.key, depth); });
  return static_cast<std::size_t>(middle - leaves.begin());
}

Digest IndexSubtreeRoot(std::span<const IndexLeaf> leaves, std::uint32_t depth) {
  if (leaves.empty()) {
    return Digest();
  }
  if (leaves.size() == 1) {
    return IndexLeafHash(leaves.front());
  }
  const std::size_t split = IndexSplit(leaves, depth);
  return IndexNodeHash(IndexSubtreeRoot(leaves.first(split), depth + 1),
                       IndexSubtreeRoot(leaves.subspan(split), depth + 1));
}

}  // namespace custody
