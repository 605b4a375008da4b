#include "crypto/merkle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace custody {
namespace {

constexpr std::array<std::uint8_t, 1> kLeafPrefix = {0x00};
constexpr std::uint8_t kNodePrefix = 0x01;

// The hash chain of a path below the border: bit i of `index` says on which side proof[i] stands.
Digest ChainInner(Digest hash, std::span<const Digest> proof, std::uint64_t index) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    hash = (index >> i & 1) == 0 ? NodeHash(hash, proof[i]) : NodeHash(proof[i], hash);
  }
  return hash;
}

// The same, but only the left siblings: what the smaller tree of a consistency proof has.
Digest ChainInnerRight(Digest hash, std::span<const Digest> proof, std::uint64_t index) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    if ((index >> i & 1) == 1) {
      hash = NodeHash(proof[i], hash);
    }
  }
  return hash;
}

// Up the right border, where every sibling is a left one.
Digest ChainBorder(Digest hash, std::span<const Digest> proof) {
  for (const Digest& left : proof) {
    hash = NodeHash(left, hash);
  }
  return hash;
}

absl::Status WrongLength(std::size_t got, std::size_t want) {
  return absl::InvalidArgumentError(absl::StrFormat("proof has %d hashes, want %d", got, want));
}

absl::Status CheckSizeLimit(std::uint64_t size) {
  if (size > kTreeSizeMax) {
    return absl::InvalidArgumentError(absl::StrFormat("tree size %d is above 2^63", size));
  }
  return absl::OkStatus();
}

}  // namespace

Digest EmptyRoot() { return Sha256(std::string_view()); }

Digest LeafHash(std::string_view entry) {
  return Sha256Hasher().Update(ByteView(kLeafPrefix)).Update(entry).Finish();
}

Digest NodeHash(const Digest& left, const Digest& right) {
  return Sha256Pair(kNodePrefix, left, right);
}

absl::StatusOr<CompactRange> CompactRange::FromSizeAndHashes(std::uint64_t size,
                                                             std::span<const Digest> hashes) {
  if (const absl::Status status = CheckSizeLimit(size); !status.ok()) {
    return status;
  }
  const auto want = static_cast<std::size_t>(std::popcount(size));
  if (hashes.size() != want) {
    return absl::InvalidArgumentError(
        absl::StrFormat("state of size %d has %d hashes, want %d", size, hashes.size(), want));
  }
  CompactRange range;
  range.size_ = size;
  range.hashes_.assign(hashes.begin(), hashes.end());
  return range;
}

void CompactRange::Append(const Digest& leaf_hash) {
  CUSTODY_CHECK(size_ < kTreeSizeMax);
  hashes_.push_back(leaf_hash);
  // Each trailing one bit of the old size is a complete subtree that now gets its right sibling.
  for (std::uint64_t rest = size_; (rest & 1) == 1; rest >>= 1) {
    const Digest right = hashes_.back();
    hashes_.pop_back();
    hashes_.back() = NodeHash(hashes_.back(), right);
  }
  ++size_;
}

Digest CompactRange::Root() const {
  if (hashes_.empty()) {
    return EmptyRoot();
  }
  Digest root = hashes_.back();
  for (std::size_t i = hashes_.size() - 1; i-- > 0;) {
    root = NodeHash(hashes_[i], root);
  }
  return root;
}

Digest MerkleRoot(std::span<const Digest> leaf_hashes) {
  CompactRange range;
  for (const Digest& leaf_hash : leaf_hashes) {
    range.Append(leaf_hash);
  }
  return range.Root();
}

InclusionProofShape ShapeOfInclusionProof(std::uint64_t index, std::uint64_t size) {
  CUSTODY_CHECK(index < size && size <= kTreeSizeMax);
  const auto inner = static_cast<std::size_t>(std::bit_width(index ^ (size - 1)));
  return {.inner = inner, .border = static_cast<std::size_t>(std::popcount(index >> inner))};
}

absl::StatusOr<Digest> RootFromInclusion(std::uint64_t index, std::uint64_t size,
                                         const Digest& leaf_hash, std::span<const Digest> proof) {
  if (const absl::Status status = CheckSizeLimit(size); !status.ok()) {
    return status;
  }
  if (index >= size) {
    return absl::InvalidArgumentError(
        absl::StrFormat("index %d is not below the tree size %d", index, size));
  }
  // The length first: it bounds the work and rejects padding.
  const InclusionProofShape shape = ShapeOfInclusionProof(index, size);
  if (proof.size() != shape.size()) {
    return WrongLength(proof.size(), shape.size());
  }
  return ChainBorder(ChainInner(leaf_hash, proof.first(shape.inner), index),
                     proof.subspan(shape.inner));
}

absl::Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf_hash,
                             std::span<const Digest> proof, const Digest& root) {
  const absl::StatusOr<Digest> computed = RootFromInclusion(index, size, leaf_hash, proof);
  if (!computed.ok()) {
    return computed.status();
  }
  if (*computed != root) {
    return absl::UnauthenticatedError(
        absl::StrFormat("inclusion proof of index %d leads to root %s, want %s", index,
                        computed->ToHex(), root.ToHex()));
  }
  return absl::OkStatus();
}

absl::Status VerifyConsistency(std::uint64_t size1, std::uint64_t size2,
                               std::span<const Digest> proof, const Digest& root1,
                               const Digest& root2) {
  if (const absl::Status status = CheckSizeLimit(size2); !status.ok()) {
    return status;
  }
  if (size1 == 0 || size1 > size2) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no consistency proof from size %d to size %d", size1, size2));
  }
  if (size1 == size2) {
    if (!proof.empty()) {
      return WrongLength(proof.size(), 0);
    }
    return root1 == root2 ? absl::OkStatus()
                          : absl::UnauthenticatedError("two roots for the same tree size");
  }
  // The proof is an inclusion proof of the smaller tree's last complete subtree. When that is the
  // whole smaller tree its hash is root1, and the proof leaves it out.
  InclusionProofShape shape = ShapeOfInclusionProof(size1 - 1, size2);
  const auto shift = static_cast<std::size_t>(std::countr_zero(size1));
  shape.inner -= shift;
  const bool seed_is_root = std::has_single_bit(size1);
  const std::size_t want = shape.size() + (seed_is_root ? 0 : 1);
  if (proof.size() != want) {
    return WrongLength(proof.size(), want);
  }
  const Digest seed = seed_is_root ? root1 : proof.front();
  const std::span<const Digest> path = proof.subspan(seed_is_root ? 0 : 1);
  const std::span<const Digest> inner = path.first(shape.inner);
  const std::span<const Digest> border = path.subspan(shape.inner);
  const std::uint64_t mask = (size1 - 1) >> shift;
  if (ChainBorder(ChainInnerRight(seed, inner, mask), border) != root1) {
    return absl::UnauthenticatedError("consistency proof does not lead to the smaller tree's root");
  }
  if (ChainBorder(ChainInner(seed, inner, mask), border) != root2) {
    return absl::UnauthenticatedError("consistency proof does not lead to the larger tree's root");
  }
  return absl::OkStatus();
}

}  // namespace custody
