#include "client/verify/log_directory_reader.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/note.h"

namespace custody {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{kTileWidth} * (2 + 0xFFFF);

// Takes one entry off a bundle.
absl::StatusOr<std::string_view> TakeEntry(const std::string& path, std::string_view* bundle) {
  if (bundle->size() < 2 || bundle->size() - 2 < ReadBigEndian16(*bundle)) {
    return absl::DataLossError(absl::StrFormat("%s ends within an entry", path));
  }
  const std::string_view entry = bundle->substr(2, ReadBigEndian16(*bundle));
  bundle->remove_prefix(2 + entry.size());
  return entry;
}

}  // namespace

absl::StatusOr<std::string> LogDirectoryReader::ReadFile(const std::string& path) const {
  std::ifstream stream(folder_ / path, std::ios::binary | std::ios::ate);
  if (!stream) {
    return absl::UnavailableError(
        absl::StrFormat("there is no %s; export the log again", (folder_ / path).string()));
  }
  const std::streamoff size = stream.tellg();
  if (size > static_cast<std::streamoff>(kFileBytesMax)) {
    return absl::DataLossError(absl::StrFormat("%s is too long", path));
  }
  std::string content(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  stream.seekg(0);
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  // A disk that does not give the bytes says nothing about the log.
  if (size >= 0 && stream.good()) return content;
  return absl::UnavailableError(absl::StrFormat("%s cannot be read", (folder_ / path).string()));
}

absl::StatusOr<LogDirectoryReader> LogDirectoryReader::Open(const std::filesystem::path& folder) {
  LogDirectoryReader reader(folder, {}, 0);
  CUSTODY_ASSIGN_OR_RETURN(reader.note_, reader.ReadFile("checkpoint"));
  CUSTODY_ASSIGN_OR_RETURN(const Note note, ParseNote(reader.note_));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpointText(note.text));
  reader.size_ = checkpoint.size;
  return reader;
}

absl::Status LogDirectoryReader::CompareTile(const TileCoordinate& tile,
                                             std::string_view hashes) const {
  const std::string path = TilePath(tile);
  CUSTODY_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  if (content == hashes) return absl::OkStatus();
  if (content.size() != hashes.size()) {
    return absl::DataLossError(
        absl::StrFormat("%s has %d bytes, want %d", path, content.size(), hashes.size()));
  }
  const auto differs = std::mismatch(hashes.begin(), hashes.end(), content.begin()).first;
  const std::uint64_t place =
      static_cast<std::uint64_t>(differs - hashes.begin()) / Digest::kSizeBytes;
  if (tile.level == 0) {
    return absl::DataLossError(absl::StrFormat("entry %d: does not hash to its leaf in %s",
                                               tile.index * kTileWidth + place, path));
  }
  return absl::DataLossError(
      absl::StrFormat("%s: hash %d is not that of the tile below it", path, place));
}

absl::Status LogDirectoryReader::ComparePartialTiles(const TileTree& tree) const {
  const std::shared_ptr<const TileEdge> edge = tree.Snapshot();
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::uint32_t width = PartialTileWidth(level, size_);
    if (width == 0) continue;
    CUSTODY_RETURN_IF_ERROR(
        CompareTile({level, FullTileCount(level, size_), width}, edge->partial[level]));
  }
  return absl::OkStatus();
}

absl::Status LogDirectoryReader::Read(std::uint64_t begin, const Visitor& visit) const {
  TileTree tree;
  while (tree.size() < size_) {
    TileCoordinate bundle{.level = 0, .index = tree.size() / kTileWidth};
    bundle.width =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(kTileWidth, size_ - tree.size()));
    const std::string path = EntryBundlePath(bundle);
    CUSTODY_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
    std::string_view rest = content;
    std::vector<FullTile> completed;
    std::vector<std::string_view> entries;
    for (std::uint32_t i = 0; i < bundle.width; ++i) {
      CUSTODY_ASSIGN_OR_RETURN(entries.emplace_back(), TakeEntry(path, &rest));
      tree.Append(LeafHash(entries.back()), &completed);
    }
    if (!rest.empty()) {
      return absl::DataLossError(absl::StrFormat("%s goes on behind its entries", path));
    }
    for (const FullTile& tile : completed) {
      CUSTODY_RETURN_IF_ERROR(CompareTile({.level = tile.level, .index = tile.index}, tile.hashes));
    }
    if (bundle.width < kTileWidth) CUSTODY_RETURN_IF_ERROR(ComparePartialTiles(tree));
    for (std::uint64_t index = tree.size() - bundle.width; const std::string_view entry : entries) {
      if (index >= begin) CUSTODY_RETURN_IF_ERROR(visit(index, entry));
      ++index;
    }
  }
  if (size_ % kTileWidth == 0) return ComparePartialTiles(tree);
  return absl::OkStatus();
}

}  // namespace custody
