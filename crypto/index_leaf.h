// A leaf of the subject index, and how leaves are hashed to a root.
//
//   key    SHA-256(kind name || 0x00 || id)          leaf   SHA-256(0x02 || key || value)
//   value  event count u64be || head leaf hash       node   SHA-256(0x03 || left || right)
//   An empty subtree is 32 zero bytes; a subtree with one leaf is that leaf.
//
// Threads: pure functions.

#ifndef CUSTODY_CRYPTO_INDEX_LEAF_H_
#define CUSTODY_CRYPTO_INDEX_LEAF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

inline constexpr std::uint32_t kIndexBucketBits = 16;
inline constexpr std::uint32_t kIndexDepthMax = 256;

struct IndexValue {
  static constexpr std::size_t kSizeBytes = 40;

  std::uint64_t event_count = 0;  // Entries that touch the subject, at least 1.
  Digest head;                    // Leaf hash of the newest of them.

  std::string ToBytes() const;
  // Errors: kInvalidArgument if it is not 40 bytes or the count is 0.
  static absl::StatusOr<IndexValue> FromBytes(std::string_view bytes);

  friend bool operator==(const IndexValue&, const IndexValue&) = default;
};

struct IndexLeaf {
  Digest key;
  IndexValue value;

  friend bool operator==(const IndexLeaf&, const IndexLeaf&) = default;
};

// `kind_name` is the subject kind in ASCII as in the catalogue ("container"), without zero bytes.
Digest IndexKey(std::string_view kind_name, std::string_view id);
Digest IndexLeafHash(const IndexLeaf& leaf);
Digest IndexNodeHash(const Digest& left, const Digest& right);
std::uint16_t IndexBucketOf(const Digest& key);

// The bit of the key that decides at `depth` between left (0) and right (1); depth < 256.
bool IndexKeyBit(const Digest& key, std::uint32_t depth);

// Where the keys begin whose bit at `depth` is 1; the keys are as for IndexSubtreeRoot().
std::size_t IndexSplit(std::span<const IndexLeaf> leaves, std::uint32_t depth);

// The root of a subtree at `depth` (bits already consumed, 0..256). `leaves` have ascending keys
// that agree in their first `depth` bits. O(n).
Digest IndexSubtreeRoot(std::span<const IndexLeaf> leaves, std::uint32_t depth);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_INDEX_LEAF_H_
