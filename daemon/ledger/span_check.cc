#include "daemon/ledger/span_check.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

constexpr char kWrongLeaf[] = "does not hash to its leaf in the tree";

// Hash `place` of a tile.
Digest HashAt(std::string_view hashes, std::uint64_t place) {
  return *Digest::FromBytes(hashes.substr(place * Digest::kSizeBytes, Digest::kSizeBytes));
}

Digest RootOf(std::string_view hashes) {
  std::vector<Digest> leaves;
  for (std::uint64_t place = 0; place < hashes.size() / Digest::kSizeBytes; ++place) {
    leaves.push_back(HashAt(hashes, place));
  }
  return MerkleRoot(leaves);
}

// Whether the entries themselves have this root, whatever their tile says.
bool HaveRoot(const std::vector<std::optional<Digest>>& found, const std::optional<Digest>& root) {
  std::vector<Digest> leaves;
  for (const std::optional<Digest>& leaf : found) {
    if (!leaf.has_value()) return false;
    leaves.push_back(*leaf);
  }
  return root.has_value() && MerkleRoot(leaves) == *root;
}

}  // namespace

SpanCheck::SpanCheck(std::shared_ptr<const LedgerSnapshot> snapshot, const DamageSink& sink)
    : snapshot_(std::move(snapshot)),
      sink_(sink),
      tiles_(*snapshot_->view),
      checks_(*snapshot_->view, sink) {}

std::uint64_t SpanCheck::span_count() const {
  return (snapshot_->size() + kTileWidth - 1) / kTileWidth;
}

absl::StatusOr<std::string> SpanCheck::HashesOf(std::uint64_t span) {
  if (span >= FullTileCount(0, snapshot_->size())) return snapshot_->edge->partial[0];
  const std::string where = TileName(0, span);
  CUSTODY_ASSIGN_OR_RETURN(auto bytes, checks_.Read(KeyOfTile(0, span), {where, ""}));
  if (!bytes.has_value()) return std::string();
  if (bytes->size() == kTileSizeBytes) return *std::move(bytes);
  sink_({where, "has a wrong length"});
  return std::string();
}

std::optional<Digest> SpanCheck::RootAbove(std::uint32_t level, std::uint64_t tile) const {
  const TileNodeReader nodes(tiles_, snapshot_->edge);
  const std::uint64_t place = tile % kTileWidth;
  const absl::StatusOr<std::string> above =
      nodes.ReadTile({level + 1, tile / kTileWidth, static_cast<std::uint32_t>(place + 1)});
  if (!above.ok() || above->size() != (place + 1) * Digest::kSizeBytes) return std::nullopt;
  return HashAt(*above, place);
}

absl::StatusOr<std::optional<Digest>> SpanCheck::HashEntry(std::uint64_t index,
                                                           std::optional<Digest> expected) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes,
                           checks_.Read(KeyOfEntry(index), DamagedEntry(index, "")));
  if (!bytes.has_value()) return std::optional<Digest>();
  const Digest hash = LeafHash(*bytes);
  if (expected.has_value() && hash == *expected) {
    CUSTODY_RETURN_IF_ERROR(checks_.CheckContent(index, *bytes));
  }
  return std::optional<Digest>(hash);
}

absl::Status SpanCheck::CheckSpan(std::uint64_t span, const GoOn& go_on) {
  const bool full = span < FullTileCount(0, snapshot_->size());
  CUSTODY_ASSIGN_OR_RETURN(const std::string hashes, HashesOf(span));
  const std::optional<Digest> root = full ? RootAbove(0, span) : std::nullopt;
  const bool tile_is_right = !hashes.empty() && (!root.has_value() || RootOf(hashes) == *root);
  const std::uint64_t begin = span * kTileWidth;
  const std::uint64_t end = std::min(begin + kTileWidth, snapshot_->size());
  std::vector<std::optional<Digest>> found;
  for (std::uint64_t index = begin; index < end; ++index) {
    std::optional<Digest> expected;
    if (!hashes.empty()) expected = HashAt(hashes, index - begin);
    CUSTODY_ASSIGN_OR_RETURN(const auto hash, HashEntry(index, expected));
    found.push_back(hash);
    if (go_on && !go_on()) return absl::CancelledError("the scrub was given up");
  }
  if (!tile_is_right && !hashes.empty()) {
    sink_({TileName(0, span), "does not match the hash in the tile above"});
  }
  // A wrong tile accuses nobody if its entries have the root that it should have.
  if (tile_is_right || !HaveRoot(found, root)) ReportOthersThan(hashes, begin, found);
  return full ? CheckInnerTiles(span) : absl::OkStatus();
}

void SpanCheck::ReportOthersThan(std::string_view hashes, std::uint64_t begin,
                                 const std::vector<std::optional<Digest>>& found) {
  if (hashes.empty()) return;
  for (std::size_t place = 0; place < found.size(); ++place) {
    if (found[place].has_value() && *found[place] != HashAt(hashes, place)) {
      sink_(DamagedEntry(begin + place, kWrongLeaf));
    }
  }
}

absl::Status SpanCheck::CheckInnerTiles(std::uint64_t span) {
  std::uint64_t tile = span;
  for (std::uint32_t level = 1; level < kTileLevels; ++level) {
    if (tile % kTileWidth != kTileWidth - 1) return absl::OkStatus();
    tile /= kTileWidth;
    const std::string where = TileName(level, tile);
    CUSTODY_ASSIGN_OR_RETURN(const auto stored, checks_.Read(KeyOfTile(level, tile), {where, ""}));
    if (!stored.has_value()) continue;
    const std::optional<Digest> root = RootAbove(level, tile);
    if (stored->size() != kTileSizeBytes) {
      sink_({where, "has a wrong length"});
    } else if (root.has_value() && RootOf(*stored) != *root) {
      sink_({where, "does not match the hash in the tile above"});
    }
  }
  return absl::OkStatus();
}

absl::Status SpanCheck::CheckEntry(std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string hashes, HashesOf(index / kTileWidth));
  if (hashes.empty()) return HashEntry(index, std::nullopt).status();
  const Digest expected = HashAt(hashes, index % kTileWidth);
  CUSTODY_ASSIGN_OR_RETURN(const auto hash, HashEntry(index, expected));
  if (hash.has_value() && *hash != expected) sink_(DamagedEntry(index, kWrongLeaf));
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> SpanCheck::CheckBucket(std::uint16_t bucket) {
  CUSTODY_ASSIGN_OR_RETURN(const auto record, checks_.CheckBucket(bucket));
  return record.has_value() ? record->leaf_count : 0;
}

absl::Status SpanCheck::CheckHead() {
  const absl::Status restored = RestoreLog(*snapshot_->view, snapshot_->checkpoint).status();
  if (!absl::IsDataLoss(restored) && !absl::IsNotFound(restored)) return restored;
  sink_({"the head", std::string(restored.message())});
  return absl::OkStatus();
}

}  // namespace custody
