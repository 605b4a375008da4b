#include "client/verify/log_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

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

absl::Status SyncFolder(const std::filesystem::path& folder) {
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return Failed(folder, "open");
  const absl::Status synced = fsync(file) == 0 ? absl::OkStatus() : Failed(folder, "sync");
  close(file);
  return synced;
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
  CUSTODY_RETURN_IF_ERROR(writer.Lock());
  const DirectoryTiles tiles(folder);
  const std::uint64_t size = CountFullTiles(folder) * kTileWidth;
  CUSTODY_ASSIGN_OR_RETURN(
      writer.tree_, TileTree::Restore(size, tiles, [](std::uint64_t index) {
        return absl::DataLossError(absl::StrFormat("leaf %d stands in no full tile", index));
      }));
  return writer;
}

absl::Status LogDirectoryWriter::Lock() {
  const int file = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return Failed(folder_, "open");
  lock_ = std::shared_ptr<const int>(new int(file), [](const int* held) {
    close(*held);
    delete held;
  });
  // A file system that has no locks for folders is as good as one before there were locks.
  if (flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return absl::OkStatus();
  return absl::AbortedError(absl::StrFormat(
      "another program is writing to %s; stop it, or name a folder of its own", folder_.string()));
}

absl::Status LogDirectoryWriter::Write(const std::string& path, std::string_view content) {
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
  if (error) {
    return absl::UnavailableError(
        absl::StrFormat("cannot rename %s to %s: %s", beside, target.string(), error.message()));
  }
  // A folder may be new, so those above it count, too.
  std::filesystem::path within(path);
  do {
    within = within.parent_path();
    touched_.insert(folder_ / within);
  } while (!within.empty());
  return absl::OkStatus();
}

absl::Status LogDirectoryWriter::SyncFolders() {
  for (const std::filesystem::path& folder : touched_) {
    CUSTODY_RETURN_IF_ERROR(SyncFolder(folder));
  }
  touched_.clear();
  return absl::OkStatus();
}

void LogDirectoryWriter::Outgrown(const std::string& full_path, const std::string& kept) {
  std::filesystem::path folder = folder_ / (full_path + ".p");
  std::error_code error;
  if (std::filesystem::exists(folder, error)) outgrown_.emplace_back(std::move(folder), kept);
}

// Best effort: a partial file that stays, here or because the program was stopped before, is as
// true as on the first day.
void LogDirectoryWriter::RemoveOutgrown() {
  std::error_code error;
  for (const auto& [folder, kept] : outgrown_) {
    if (kept.empty()) {
      std::filesystem::remove_all(folder, error);
      continue;
    }
    std::vector<std::filesystem::path> old;
    for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error)) {
      if (each->path().filename() != kept) old.push_back(each->path());
    }
    for (const std::filesystem::path& file : old) std::filesystem::remove(file, error);
  }
  outgrown_.clear();
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
  CUSTODY_RETURN_IF_ERROR(Write(path, bundle_));
  Outgrown(path, "");
  bundle_.clear();
  // Level 0 last: its tiles say how far a folder is.
  for (auto tile = completed_.rbegin(); tile != completed_.rend(); ++tile) {
    const std::string name = TilePath({.level = tile->level, .index = tile->index});
    CUSTODY_RETURN_IF_ERROR(Write(name, tile->hashes));
    Outgrown(name, "");
  }
  return absl::OkStatus();
}

absl::Status LogDirectoryWriter::WritePartials() {
  const auto edge = tree_.Snapshot();
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::uint32_t width = PartialTileWidth(level, size());
    if (width == 0) continue;
    const TileCoordinate full{.level = level, .index = FullTileCount(level, size())};
    const TileCoordinate partial{.level = level, .index = full.index, .width = width};
    const std::string kept = absl::StrFormat("%d", width);
    CUSTODY_RETURN_IF_ERROR(Write(TilePath(partial), edge->partial[level]));
    Outgrown(TilePath(full), kept);
    if (level > 0) continue;
    CUSTODY_RETURN_IF_ERROR(Write(EntryBundlePath(partial), bundle_));
    Outgrown(EntryBundlePath(full), kept);
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
  CUSTODY_RETURN_IF_ERROR(WritePartials());
  CUSTODY_RETURN_IF_ERROR(SyncFolders());
  CUSTODY_RETURN_IF_ERROR(Write("checkpoint", note));
  CUSTODY_RETURN_IF_ERROR(SyncFolders());
  RemoveOutgrown();
  return absl::OkStatus();
}

}  // namespace custody
