#include "daemon/ledger/scrub.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/index_tree.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/scrub_checks.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::uint64_t kProgressEvery = 1'024;

class Scrubber {
 public:
  explicit Scrubber(const ReadView& view)
      : view_(view),
        sink_([this](Damage damage) { Report(std::move(damage)); }),
        checks_(view, sink_) {}

  absl::StatusOr<ScrubReport> Run(const RebuildProgress& progress);

 private:
  void Report(Damage damage);
  // The hash of the leaf, as the stored tile has it; nullopt on the right edge.
  absl::StatusOr<std::optional<Digest>> LeafInTile(std::uint64_t index);
  absl::Status CheckEntry(std::uint64_t index);
  absl::Status CheckTile(const FullTile& tile);
  absl::Status CheckIndex(std::uint64_t size);

  const ReadView& view_;
  const DamageSink sink_;
  ScrubChecks checks_;
  ScrubReport report_;
  TileTree tree_;
  bool whole_ = true;  // Every leaf so far is known.
  std::uint64_t size_ = 0;
  std::optional<std::uint64_t> tile_index_;
  std::string tile_;  // Empty: missing or unreadable.
};

void Scrubber::Report(Damage damage) {
  ++report_.damage_count;
  if (report_.damage.size() < kScrubDamageMax) report_.damage.push_back(std::move(damage));
}

absl::StatusOr<std::optional<Digest>> Scrubber::LeafInTile(std::uint64_t index) {
  const std::uint64_t tile = index / kTileWidth;
  if (tile >= FullTileCount(0, size_)) return std::optional<Digest>();
  if (tile_index_ != tile) {
    tile_index_ = tile;
    tile_.clear();
    const std::string where = TileName(0, tile);
    CUSTODY_ASSIGN_OR_RETURN(auto bytes, checks_.Read(KeyOfTile(0, tile), {where, ""}));
    if (bytes.has_value() && bytes->size() == kTileSizeBytes) {
      tile_ = *std::move(bytes);
    } else if (bytes.has_value()) {
      Report({where, "has a wrong length"});
    }
  }
  if (tile_.empty()) return std::optional<Digest>();
  CUSTODY_ASSIGN_OR_RETURN(const Digest leaf,
                           Digest::FromBytes(std::string_view(tile_).substr(
                               (index % kTileWidth) * Digest::kSizeBytes, Digest::kSizeBytes)));
  return std::optional<Digest>(leaf);
}

absl::Status Scrubber::CheckTile(const FullTile& tile) {
  const std::string where = TileName(tile.level, tile.index);
  // A tile of level 0 that is missing was reported with its first entry.
  if (tile.level == 0 && tile_.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const auto stored,
                           checks_.Read(KeyOfTile(tile.level, tile.index), {where, ""}));
  if (stored.has_value() && *stored != tile.hashes) {
    Report({where, "does not match the hashes below it"});
  }
  return absl::OkStatus();
}

absl::Status Scrubber::CheckEntry(std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<Digest> known, LeafInTile(index));
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes,
                           checks_.Read(KeyOfEntry(index), DamagedEntry(index, "")));
  std::optional<Digest> leaf = known;
  if (bytes.has_value()) {
    const Digest hash = LeafHash(*bytes);
    if (!known.has_value()) leaf = hash;
    if (hash == *leaf) {
      CUSTODY_RETURN_IF_ERROR(checks_.CheckContent(index, *bytes));
    } else {
      Report(DamagedEntry(index, "does not hash to its leaf in the tree"));
    }
  }
  ++report_.entries;
  whole_ = whole_ && leaf.has_value();
  if (!whole_) return absl::OkStatus();
  std::vector<FullTile> completed;
  tree_.Append(*leaf, &completed);
  for (const FullTile& tile : completed) CUSTODY_RETURN_IF_ERROR(CheckTile(tile));
  return absl::OkStatus();
}

absl::Status Scrubber::CheckIndex(std::uint64_t size) {
  std::vector<IndexBucketRecord> buckets;
  for (std::uint32_t number = 0; number < (1U << kIndexBucketBits); ++number) {
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<IndexBucketRecord> bucket,
                             checks_.CheckBucket(static_cast<std::uint16_t>(number)));
    if (bucket.has_value()) buckets.push_back(*bucket);
  }
  const std::string where = absl::StrFormat("the seal at entry %d", size - 1);
  const absl::StatusOr<std::optional<v1::Entry>> seal = ReadEntry(view_, size - 1);
  if (absl::IsDataLoss(seal.status())) return absl::OkStatus();  // Named as an entry.
  CUSTODY_RETURN_IF_ERROR(seal.status());
  if (!seal->has_value()) return absl::OkStatus();
  const absl::StatusOr<IndexTree> index = IndexTree::Load(buckets);
  if (!(*seal)->has_seal()) {
    Report({where, "is not a seal"});
  } else if (!index.ok() || (*seal)->seal().index_root() != index->Root().view() ||
             (*seal)->seal().subject_count() != index->leaf_count()) {
    Report({where, "contradicts the leaves of the subject index"});
  }
  return absl::OkStatus();
}

absl::StatusOr<ScrubReport> Scrubber::Run(const RebuildProgress& progress) {
  const absl::StatusOr<Checkpoint> head = ReadHead(view_);
  if (absl::IsDataLoss(head.status())) {
    Report({"the head", std::string(head.status().message())});
    return report_;
  }
  CUSTODY_RETURN_IF_ERROR(head.status());
  size_ = head->size;
  for (std::uint64_t index = 0; index < size_; ++index) {
    CUSTODY_RETURN_IF_ERROR(CheckEntry(index));
    if (index % kProgressEvery == 0 && progress && !progress(index, size_)) {
      return absl::CancelledError("the scrub was given up");
    }
  }
  if (whole_ && tree_.Root() != head->root) {
    Report({"the head", absl::StrFormat("has another root than its %d entries", size_)});
  }
  CUSTODY_RETURN_IF_ERROR(CheckIndex(size_));
  return report_;
}

}  // namespace

absl::StatusOr<ScrubReport> ScrubLog(const ReadView& view, const RebuildProgress& progress) {
  return Scrubber(view).Run(progress);
}

}  // namespace custody
