// Reads a whole log from a folder of C2SP tlog-tiles files, whoever wrote it, and compares every
// tile of the tree with the entries.
//
// Threads: one thread.
// Limits:  65,535 bytes an entry.

#ifndef CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_READER_H_
#define CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_READER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/tiles.h"

namespace custody {

class LogDirectoryReader {
 public:
  // Errors: kUnavailable without a readable file `checkpoint`; kInvalidArgument if that is no
  //         checkpoint.
  static absl::StatusOr<LogDirectoryReader> Open(const std::filesystem::path& folder);

  // As the folder states it; nothing here checks its signature.
  const std::string& note() const { return note_; }
  std::uint64_t size() const { return size_; }

  // Calls `visit` with every entry from `begin` on, until it returns an error, which is returned.
  // Entries before `begin` are read too: the tiles are compared with all of them.
  //
  // Errors: kDataLoss "entry N ..." or "tile/... ..." where files and entries disagree;
  //         kUnavailable for a missing file; those of `visit`.
  using Visitor = std::function<absl::Status(std::uint64_t index, std::string_view entry)>;
  absl::Status Read(std::uint64_t begin, const Visitor& visit) const;

 private:
  LogDirectoryReader(std::filesystem::path folder, std::string note, std::uint64_t size)
      : folder_(std::move(folder)), note_(std::move(note)), size_(size) {}

  absl::StatusOr<std::string> ReadFile(const std::string& path) const;
  absl::Status CompareTile(const TileCoordinate& tile, std::string_view hashes) const;
  absl::Status ComparePartialTiles(const TileTree& tree) const;

  std::filesystem::path folder_;
  std::string note_;
  std::uint64_t size_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_READER_H_
