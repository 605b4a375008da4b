#include "daemon/services/tile_reads.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/ledger_reader.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kEntriesPrefix = "tile/entries/";
constexpr std::size_t kShownPathBytesMax = 80;

// A path as a message may show it.
std::string Shown(const std::string& path) {
  return absl::CHexEscape(path.substr(0, kShownPathBytesMax));
}

absl::Status Malformed(const std::string& message, std::string_view remedy) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_MALFORMED, message,
                       remedy);
}

absl::Status CheckMayReadBundles(const Principal& principal) {
  const bool may = principal.has(v1::PERMISSION_READ_ENTRIES) && principal.covers_all_sites();
  if (may) return absl::OkStatus();
  return RefusalStatus(
      absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
      absl::StrFormat("client \"%s\" may not read bundles of entries, which needs READ_ENTRIES for "
                      "all sites",
                      principal.label),
      "ask for tiles of hashes only, read the entries of your sites with ReadEntries, or have the "
      "enrolment of this client changed (GOV-05b)");
}

}  // namespace

absl::StatusOr<TileReads::Read> TileReads::Parse(const std::string& path, std::uint64_t tree_size) {
  const bool entries = path.starts_with(kEntriesPrefix);
  const absl::StatusOr<TileCoordinate> tile =
      entries ? ParseEntryBundlePath(path) : ParseTilePath(path);
  if (!tile.ok()) {
    return Malformed(absl::StrFormat("\"%s\" is not a path of a tile", Shown(path)),
                     "write tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>] with L 0 to 7, N in "
                     "groups of three digits (x001/067) and W 1 to 255");
  }
  const std::uint64_t full = FullTileCount(tile->level, tree_size);
  const std::uint32_t width = tile->index < full    ? kTileWidth
                              : tile->index == full ? PartialTileWidth(tile->level, tree_size)
                                                    : 0;
  if (tile->width > width) {
    return absl::OutOfRangeError(
        absl::StrFormat("%s wants %u of a tile that has %u in the tree of size %u", path,
                        tile->width, width, tree_size));
  }
  return Read{path, *tile, entries};
}

absl::StatusOr<TileReads> TileReads::Open(const Ledger& ledger, const Principal& principal,
                                          const v1::ReadTilesRequest& request) {
  if (request.paths().empty() || request.paths_size() > kTilesPerCallMax) {
    return Malformed(absl::StrFormat("%d paths are asked for, want 1 to %d", request.paths_size(),
                                     kTilesPerCallMax),
                     "ask for the others in further calls");
  }
  const std::uint64_t size = ledger.Snapshot()->size();
  if (request.tree_size() > size) {
    return absl::OutOfRangeError(
        absl::StrFormat("tree_size (%u) is beyond the log (%u)", request.tree_size(), size));
  }
  TileReads reads(ledger);
  for (const std::string& path : request.paths()) {
    CUSTODY_ASSIGN_OR_RETURN(Read read,
                             Parse(path, request.tree_size() == 0 ? size : request.tree_size()));
    if (read.entries) CUSTODY_RETURN_IF_ERROR(CheckMayReadBundles(principal));
    reads.reads_.push_back(std::move(read));
  }
  return reads;
}

absl::StatusOr<bool> TileReads::Next(v1::ReadTilesResponse* response) {
  if (position_ == reads_.size()) return false;
  const Read& read = reads_[position_++];
  const LedgerReader reader(ledger_->Snapshot());
  CUSTODY_ASSIGN_OR_RETURN(*response->mutable_data(), read.entries
                                                          ? reader.ReadEntryBundle(read.tile)
                                                          : reader.ReadTile(read.path));
  response->set_path(read.path);
  return true;
}

}  // namespace custody
