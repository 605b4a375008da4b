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
#include "lifecycle/parsed_event.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::uint64_t kProgressEvery = 1'024;

class Scrubber {
 public:
  explicit Scrubber(const ReadView& view) : view_(view), tiles_(view) {}

  absl::StatusOr<ScrubReport> Run(const RebuildProgress& progress);

 private:
  void Report(std::string where, std::string_view what);
  // A value; nullopt if it is missing or cannot be read, which is reported.
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key, const std::string& where);
  // The hash of the leaf, as the stored tile has it; nullopt on the right edge.
  absl::StatusOr<std::optional<Digest>> LeafInTile(std::uint64_t index);
  absl::Status CheckEntry(std::uint64_t index);
  absl::Status CheckContent(std::uint64_t index, std::string_view bytes);
  absl::Status CheckLink(std::uint64_t index, const SubjectKey& subject, const v1::Link& link);
  absl::Status CheckTile(const FullTile& tile);
  // What its leaves give; nothing if it has none or cannot be read.
  absl::StatusOr<std::optional<IndexBucketRecord>> CheckBucket(std::uint16_t bucket);
  absl::Status CheckIndex(std::uint64_t size);

  const ReadView& view_;
  const StoredTiles tiles_;
  ScrubReport report_;
  TileTree tree_;
  bool whole_ = true;  // Every leaf so far is known.
  std::uint64_t size_ = 0;
  std::optional<std::uint64_t> tile_index_;
  std::string tile_;  // Empty: missing or unreadable.
};

void Scrubber::Report(std::string where, std::string_view what) {
  ++report_.damage_count;
  if (report_.damage.size() < kScrubDamageMax) {
    report_.damage.push_back({std::move(where), std::string(what)});
  }
}

absl::StatusOr<std::optional<std::string>> Scrubber::Read(const std::string& key,
                                                          const std::string& where) {
  absl::StatusOr<std::optional<std::string>> bytes = view_.Get(key);
  if (absl::IsDataLoss(bytes.status())) {
    Report(where, StdView(bytes.status().message()));
    return std::optional<std::string>();
  }
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value()) Report(where, "is missing");
  return bytes;
}

absl::StatusOr<std::optional<Digest>> Scrubber::LeafInTile(std::uint64_t index) {
  const std::uint64_t tile = index / kTileWidth;
  if (tile >= FullTileCount(0, size_)) return std::optional<Digest>();
  if (tile_index_ != tile) {
    tile_index_ = tile;
    tile_.clear();
    const std::string where = absl::StrFormat("tile %d of level 0", tile);
    CUSTODY_ASSIGN_OR_RETURN(auto bytes, Read(KeyOfTile(0, tile), where));
    if (bytes.has_value() && bytes->size() == kTileSizeBytes) {
      tile_ = *std::move(bytes);
    } else if (bytes.has_value()) {
      Report(where, "has a wrong length");
    }
  }
  if (tile_.empty()) return std::optional<Digest>();
  CUSTODY_ASSIGN_OR_RETURN(const Digest leaf,
                           Digest::FromBytes(std::string_view(tile_).substr(
                               (index % kTileWidth) * Digest::kSizeBytes, Digest::kSizeBytes)));
  return std::optional<Digest>(leaf);
}

absl::Status Scrubber::CheckLink(std::uint64_t index, const SubjectKey& subject,
                                 const v1::Link& link) {
  const std::string where = absl::StrFormat("entry %d", index);
  const std::string chain =
      absl::StrFormat("position %d of the chain of %s", link.position(), Describe(subject));
  CUSTODY_ASSIGN_OR_RETURN(const auto own, Read(KeyOfChain(subject, link.position()), chain));
  if (own.has_value()) {
    const absl::StatusOr<std::uint64_t> at = DecodeU64(*own);
    if (!at.ok() || *at != index)
      Report(chain, absl::StrFormat("does not lead to entry %d", index));
  }
  if (link.position() == 0) {
    if (!link.previous().empty())
      Report(where, "is first of a chain, but names an entry before it");
    return absl::OkStatus();
  }
  const std::string before =
      absl::StrFormat("position %d of the chain of %s", link.position() - 1, Describe(subject));
  CUSTODY_ASSIGN_OR_RETURN(const auto found,
                           Read(KeyOfChain(subject, link.position() - 1), before));
  if (!found.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::uint64_t> previous = DecodeU64(*found);
  if (!previous.ok() || *previous >= index) {
    Report(before, "does not lead to an entry before its successor");
    return absl::OkStatus();
  }
  // Missing or unreadable, it is named when its own turn comes.
  const absl::StatusOr<std::optional<std::string>> bytes = view_.Get(KeyOfEntry(*previous));
  if (absl::IsDataLoss(bytes.status())) return absl::OkStatus();
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (bytes->has_value() && LeafHash(**bytes).view() != link.previous()) {
    Report(where, absl::StrFormat("its link to entry %d about %s does not match that entry",
                                  *previous, Describe(subject)));
  }
  return absl::OkStatus();
}

absl::Status Scrubber::CheckContent(std::uint64_t index, std::string_view bytes) {
  const std::string where = absl::StrFormat("entry %d", index);
  v1::Entry entry;
  if (!entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    Report(where, "does not parse");
    return absl::OkStatus();
  }
  if (entry.index() != index) Report(where, absl::StrFormat("says that it is %d", entry.index()));
  if (entry.has_seal()) return absl::OkStatus();
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(entry.signed_event());
  if (!event.ok()) {
    Report(where, StdView(event.status().message()));
    return absl::OkStatus();
  }
  if (static_cast<std::size_t>(entry.links_size()) != event->subjects.size()) {
    Report(where, "has another number of links than of subjects");
    return absl::OkStatus();
  }
  for (int i = 0; i < entry.links_size(); ++i) {
    CUSTODY_RETURN_IF_ERROR(
        CheckLink(index, event->subjects[static_cast<std::size_t>(i)], entry.links(i)));
  }
  return absl::OkStatus();
}

absl::Status Scrubber::CheckTile(const FullTile& tile) {
  const std::string where = absl::StrFormat("tile %d of level %d", tile.index, tile.level);
  // A tile of level 0 that is missing was reported with its first entry.
  if (tile.level == 0 && tile_.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const auto stored, Read(KeyOfTile(tile.level, tile.index), where));
  if (stored.has_value() && *stored != tile.hashes) {
    Report(where, "does not match the hashes below it");
  }
  return absl::OkStatus();
}

absl::Status Scrubber::CheckEntry(std::uint64_t index) {
  const std::string where = absl::StrFormat("entry %d", index);
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<Digest> known, LeafInTile(index));
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, Read(KeyOfEntry(index), where));
  std::optional<Digest> leaf = known;
  if (bytes.has_value()) {
    const Digest hash = LeafHash(*bytes);
    if (!known.has_value()) leaf = hash;
    if (hash == *leaf) {
      CUSTODY_RETURN_IF_ERROR(CheckContent(index, *bytes));
    } else {
      Report(where, "does not hash to its leaf in the tree");
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

absl::StatusOr<std::optional<IndexBucketRecord>> Scrubber::CheckBucket(std::uint16_t bucket) {
  const std::string where = absl::StrFormat("bucket %d of the index", bucket);
  std::vector<IndexLeaf> found;
  const absl::Status scanned =
      StoredIndexLeaves(view_).ScanBucket(bucket, [&](const Digest& key, const IndexValue& value) {
        found.push_back({key, value});
      });
  if (absl::IsDataLoss(scanned)) {
    Report(where, StdView(scanned.message()));
    return std::nullopt;
  }
  CUSTODY_RETURN_IF_ERROR(scanned);
  const absl::StatusOr<std::optional<std::string>> bytes = view_.Get(KeyOfIndexBucket(bucket));
  if (absl::IsDataLoss(bytes.status())) {
    Report(where, StdView(bytes.status().message()));
    return std::nullopt;
  }
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value() && found.empty()) return std::nullopt;
  const IndexBucketRecord computed{bucket, found.size(), IndexSubtreeRoot(found, kIndexBucketBits)};
  if (!bytes->has_value() || **bytes != EncodeIndexBucket(computed)) {
    Report(where, "does not match its leaves");
  }
  if (found.empty()) return std::nullopt;
  return computed;
}

absl::Status Scrubber::CheckIndex(std::uint64_t size) {
  std::vector<IndexBucketRecord> buckets;
  for (std::uint32_t number = 0; number < (1U << kIndexBucketBits); ++number) {
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<IndexBucketRecord> bucket,
                             CheckBucket(static_cast<std::uint16_t>(number)));
    if (bucket.has_value()) buckets.push_back(*bucket);
  }
  const std::string where = absl::StrFormat("the seal at entry %d", size - 1);
  const absl::StatusOr<std::optional<v1::Entry>> seal = ReadEntry(view_, size - 1);
  if (absl::IsDataLoss(seal.status())) return absl::OkStatus();  // Named as an entry.
  CUSTODY_RETURN_IF_ERROR(seal.status());
  if (!seal->has_value()) return absl::OkStatus();
  const absl::StatusOr<IndexTree> index = IndexTree::Load(buckets);
  if (!(*seal)->has_seal()) {
    Report(where, "is not a seal");
  } else if (!index.ok() || (*seal)->seal().index_root() != index->Root().view() ||
             (*seal)->seal().subject_count() != index->leaf_count()) {
    Report(where, "contradicts the leaves of the subject index");
  }
  return absl::OkStatus();
}

absl::StatusOr<ScrubReport> Scrubber::Run(const RebuildProgress& progress) {
  const absl::StatusOr<Checkpoint> head = ReadHead(view_);
  if (absl::IsDataLoss(head.status())) {
    Report("the head", StdView(head.status().message()));
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
    Report("the head", absl::StrFormat("has another root than its %d entries", size_));
  }
  CUSTODY_RETURN_IF_ERROR(CheckIndex(size_));
  return report_;
}

}  // namespace

absl::StatusOr<ScrubReport> ScrubLog(const ReadView& view, const RebuildProgress& progress) {
  return Scrubber(view).Run(progress);
}

}  // namespace custody
