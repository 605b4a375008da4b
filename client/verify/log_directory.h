// A whole log as a folder of files, as C2SP tlog-tiles lays it out: anybody's tools read it, any
// web server serves it.
//
//   checkpoint                     the signed note, written last
//   tile/<L>/<N>[.p/<W>]           hashes of the tree, 256 a file
//   tile/entries/<N>[.p/<W>]       256 entries a file: u16be length, bytes
//
// Threads: one thread.
// Limits:  65,535 bytes an entry.

#ifndef CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_
#define CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/tiles.h"

namespace custody {

class LogDirectoryWriter {
 public:
  // Makes the folder, or goes on with one that an earlier writer made, interrupted or not: full
  // files are kept, whatever else is there is written anew.
  // Errors: kInvalidArgument if the folder cannot be made; kDataLoss if its files are no such log;
  //         kUnavailable if the disk fails.
  static absl::StatusOr<LogDirectoryWriter> Open(const std::filesystem::path& folder);

  // Entries that are there; the next one to append.
  std::uint64_t size() const { return tree_.size(); }

  // Writes a file for each 256 entries; until then they are in memory.
  // Errors: kInvalidArgument if the entry is too long; kUnavailable if the disk fails.
  absl::Status Append(std::string_view entry);

  // Writes what is not full yet, and the checkpoint. Requires size() == checkpoint.size.
  // Errors: kDataLoss if the entries do not give the checkpoint's root: nothing is published then;
  //         kUnavailable if the disk fails.
  absl::Status Finish(const Checkpoint& checkpoint, std::string_view note);

 private:
  explicit LogDirectoryWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  absl::Status Write(const std::string& path, std::string_view content) const;
  // A partial file; older ones of the same place go.
  absl::Status WritePartial(const std::string& path, const std::string& full_path,
                            std::string_view content) const;

  std::filesystem::path folder_;
  TileTree tree_;
  std::string bundle_;  // Entries since the last full file.
  std::vector<FullTile> completed_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_
