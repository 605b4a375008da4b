#include "client/verify/log_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

constexpr std::size_t kEntryBytesMax = 0xFFFF;

class DirectoryTiles final : public TileSource {
 public:
  explicit DirectoryTiles(const std::filesystem::path& folder) : folder_(folder) {}

  absl::StatusOr<std::string> ReadFullTile(std::uint32_t level,
                                           std::uint64_t index) const override {
    const std::filesystem::path path = folder_ / TilePath({.level = level, .index = index});
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return absl::NotFoundError(absl::StrFormat("there is no %s", path.string()));
    std::string content(std::istreambuf_iterator<char>(stream), {});
    if (content.size() != kTileSizeBytes) {
      return absl::DataLossError(absl::StrFormat("%s has %d bytes, want %d", path.string(),
                                                 content.size(), kTileSizeBytes));
    }
    return content;
  }

 private:
  const std::filesystem::path& folder_;
};

// Full tiles of level 0, which are written after everything that they complete.
std::uint64_t CountFullTiles(const std::filesystem::path& folder) {
  const auto exists = [&](std::uint64_t index) {
    std::error_code error;
    return std::filesystem::exists(folder / TilePath({.level = 0, .index = index}), error);
  };
  std::uint64_t above = 1;
  while (exists(above - 1)) above *= 2;
  // Those below above / 2 are there, the one at above - 1 is not.
  std::uint64_t below = above / 2;
  while (below < above) {
    const std::uint64_t middle = below + (above - below) / 2;
    if (exists(middle)) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  return below;
}

absl::Status Failed(const std::filesystem::path& path, const char* what) {
  return absl::UnavailableError(absl::StrFormat("cannot %s %s: %s", what, path.string(),
                                                std::generic_category().message(errno)));
}

}  // namespace

absl::StatusOr<LogDirectoryWriter> LogDirectoryWriter::Open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder / "tile" / "entries", error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrFormat("cannot make %s: %s", folder.string(), error.message()));
  }
  LogDirectoryWriter writer(folder);
  const DirectoryTiles tiles(folder);
  const std::uint64_t size = CountFullTiles(folder) * kTileWidth;
  CUSTODY_ASSIGN_OR_RETURN(
      writer.tree_, TileTree::Restore(size, tiles, [](std::uint64_t index) {
        return absl::DataLossError(absl::StrFormat("leaf %d stands in no full tile", index));
      }));
  return writer;
}

absl::Status LogDirectoryWriter::Write(const std::string& path, std::string_view content) const {
  const std::filesystem::path target = folder_ / path;
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  const std::string beside = target.string() + ".new";
  const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return Failed(beside, "create");
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0) {
      const absl::Status failed = Failed(beside, "write");
      close(file);
      return failed;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool synced = fdatasync(file) == 0;
  close(file);
  if (!synced) return Failed(beside, "sync");
  std::filesystem::rename(beside, target, error);
  return error ? Failed(target, "rename") : absl::OkStatus();
}

absl::Status LogDirectoryWriter::WritePartial(const std::string& path, const std::string& full_path,
                                              std::string_view content) const {
  std::error_code error;
  std::filesystem::remove_all(folder_ / (full_path + ".p"), error);
  return content.empty() ? absl::OkStatus() : Write(path, content);
}

absl::Status LogDirectoryWriter::Append(std::string_view entry) {
  if (entry.size() > kEntryBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("entry %d has %d bytes, at most %d", size(), entry.size(), kEntryBytesMax));
  }
  AppendBigEndian16(static_cast<std::uint16_t>(entry.size()), &bundle_);
  bundle_.append(entry);
  completed_.clear();
  tree_.Append(LeafHash(entry), &completed_);
  if (completed_.empty()) return absl::OkStatus();
  const std::uint64_t index = size() / kTileWidth - 1;
  const std::string path = EntryBundlePath({.level = 0, .index = index});
  CUSTODY_RETURN_IF_ERROR(WritePartial("", path, ""));
  CUSTODY_RETURN_IF_ERROR(Write(path, bundle_));
  bundle_.clear();
  // Level 0 last: its tiles say how far a folder is.
  for (auto tile = completed_.rbegin(); tile != completed_.rend(); ++tile) {
    const std::string name = TilePath({.level = tile->level, .index = tile->index});
    CUSTODY_RETURN_IF_ERROR(WritePartial("", name, ""));
    CUSTODY_RETURN_IF_ERROR(Write(name, tile->hashes));
  }
  return absl::OkStatus();
}

absl::Status LogDirectoryWriter::Finish(const Checkpoint& checkpoint, std::string_view note) {
  if (checkpoint.size != size() || checkpoint.root != tree_.Root()) {
    return absl::DataLossError(absl::StrFormat(
        "%d entries give root %s, the checkpoint has size %d and root %s: the folder or the log is "
        "not what was signed",
        size(), tree_.Root().ToHex(), checkpoint.size, checkpoint.root.ToHex()));
  }
  const auto edge = tree_.Snapshot();
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::uint32_t width = PartialTileWidth(level, size());
    const std::uint64_t index = FullTileCount(level, size());
    const TileCoordinate partial{.level = level, .index = index, .width = width};
    if (width == 0) continue;
    CUSTODY_RETURN_IF_ERROR(WritePartial(
        TilePath(partial), TilePath({.level = level, .index = index}), edge->partial[level]));
    if (level > 0) continue;
    CUSTODY_RETURN_IF_ERROR(WritePartial(EntryBundlePath(partial),
                                         EntryBundlePath({.level = 0, .index = index}), bundle_));
  }
  return Write("checkpoint", note);
}

}  // namespace custody
