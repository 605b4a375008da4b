#include "daemon/ledger/scrub_checks.h"

#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/parsed_event.h"

namespace custody {
namespace {

// Met while `entry` was checked.
Damage ChainPlace(const SubjectKey& subject, std::uint64_t position, std::uint64_t entry) {
  return {absl::StrFormat("position %d of the chain of %s", position, Describe(subject)), "", entry,
          subject};
}

}  // namespace

Damage DamagedEntry(std::uint64_t index, std::string_view what) {
  return {absl::StrFormat("entry %d", index), std::string(what), index, std::nullopt};
}

std::string TileName(std::uint32_t level, std::uint64_t tile) {
  return absl::StrFormat("tile %d of level %d", tile, level);
}

void ScrubChecks::Report(Damage place, std::string_view what) {
  place.what = std::string(what);
  sink_(std::move(place));
}

absl::StatusOr<std::optional<std::string>> ScrubChecks::Read(const std::string& key,
                                                             const Damage& place) {
  absl::StatusOr<std::optional<std::string>> bytes = view_.Get(key);
  if (absl::IsDataLoss(bytes.status())) {
    Report(place, StdView(bytes.status().message()));
    return std::optional<std::string>();
  }
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value()) Report(place, "is missing");
  return bytes;
}

bool ScrubChecks::ContradictsItsTile(std::uint64_t index, const Digest& hash) const {
  const absl::StatusOr<std::string> tile = StoredTiles(view_).ReadFullTile(0, index / kTileWidth);
  return tile.ok() && tile->size() == kTileSizeBytes &&
         std::string_view(*tile).substr((index % kTileWidth) * Digest::kSizeBytes,
                                        Digest::kSizeBytes) != hash.view();
}

absl::Status ScrubChecks::CheckLink(std::uint64_t index, const SubjectKey& subject,
                                    const v1::Link& link) {
  const Damage own_place = ChainPlace(subject, link.position(), index);
  CUSTODY_ASSIGN_OR_RETURN(const auto own, Read(KeyOfChain(subject, link.position()), own_place));
  if (own.has_value()) {
    const absl::StatusOr<std::uint64_t> at = DecodeU64(*own);
    if (!at.ok() || *at != index) {
      Report(own_place, absl::StrFormat("does not lead to entry %d", index));
    }
  }
  if (link.position() == 0) {
    if (!link.previous().empty()) {
      Report(DamagedEntry(index, ""), "is first of a chain, but names an entry before it");
    }
    return absl::OkStatus();
  }
  const Damage before = ChainPlace(subject, link.position() - 1, index);
  CUSTODY_ASSIGN_OR_RETURN(const auto found,
                           Read(KeyOfChain(subject, link.position() - 1), before));
  if (!found.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::uint64_t> previous = DecodeU64(*found);
  if (!previous.ok() || *previous >= index) {
    Report(before, "does not lead to an entry before its successor");
    return absl::OkStatus();
  }
  // Missing, unreadable or changed, it is named when its own turn comes.
  const absl::StatusOr<std::optional<std::string>> bytes = view_.Get(KeyOfEntry(*previous));
  if (absl::IsDataLoss(bytes.status())) return absl::OkStatus();
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value()) return absl::OkStatus();
  const Digest hash = LeafHash(**bytes);
  if (hash.view() != link.previous() && !ContradictsItsTile(*previous, hash)) {
    Report(before,
           absl::StrFormat("leads to entry %d, which is not what the link of entry %d about "
                           "%s names",
                           *previous, index, Describe(subject)));
  }
  return absl::OkStatus();
}

absl::Status ScrubChecks::CheckContent(std::uint64_t index, std::string_view bytes) {
  const Damage place = DamagedEntry(index, "");
  v1::Entry entry;
  if (!entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    Report(place, "does not parse");
    return absl::OkStatus();
  }
  if (entry.index() != index) Report(place, absl::StrFormat("says that it is %d", entry.index()));
  if (entry.has_seal()) return absl::OkStatus();
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(entry.signed_event());
  if (!event.ok()) {
    Report(place, StdView(event.status().message()));
    return absl::OkStatus();
  }
  if (static_cast<std::size_t>(entry.links_size()) != event->subjects.size()) {
    Report(place, "has another number of links than of subjects");
    return absl::OkStatus();
  }
  for (int i = 0; i < entry.links_size(); ++i) {
    CUSTODY_RETURN_IF_ERROR(
        CheckLink(index, event->subjects[static_cast<std::size_t>(i)], entry.links(i)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<IndexBucketRecord>> ScrubChecks::CheckBucket(std::uint16_t bucket) {
  const Damage place{absl::StrFormat("bucket %d of the index", bucket), ""};
  std::vector<IndexLeaf> found;
  const absl::Status scanned =
      StoredIndexLeaves(view_).ScanBucket(bucket, [&](const Digest& key, const IndexValue& value) {
        found.push_back({key, value});
      });
  if (absl::IsDataLoss(scanned)) {
    Report(place, StdView(scanned.message()));
    return std::nullopt;
  }
  CUSTODY_RETURN_IF_ERROR(scanned);
  const absl::StatusOr<std::optional<std::string>> bytes = view_.Get(KeyOfIndexBucket(bucket));
  if (absl::IsDataLoss(bytes.status())) {
    Report(place, StdView(bytes.status().message()));
    return std::nullopt;
  }
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value() && found.empty()) return std::nullopt;
  const IndexBucketRecord computed{bucket, found.size(), IndexSubtreeRoot(found, kIndexBucketBits)};
  if (!bytes->has_value() || **bytes != EncodeIndexBucket(computed)) {
    Report(place, "does not match its leaves");
  }
  if (found.empty()) return std::nullopt;
  return computed;
}

}  // namespace custody
