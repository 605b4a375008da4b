// A whole log as a folder of files, as C2SP tlog-tiles lays it out: anybody's tools read it, any
// web server serves it.
//
//   checkpoint                     the signed note, replaced last and whole
//   tile/<L>/<N>[.p/<W>]           hashes of the tree, 256 a file
//   tile/entries/<N>[.p/<W>]       256 entries a file: u16be length, bytes
//
// At every moment, also when the machine stops, everything that the checkpoint in the folder stands
// on is there: what a longer log outgrows goes after the new checkpoint is on the disk.
//
// Threads: one thread.
// Limits:  65,535 bytes an entry; one writer a folder (a lock of the kernel on the folder).

#ifndef CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_
#define CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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
  // Errors: kInvalidArgument if the folder cannot be made; kAborted if another writer has it open;
  //         kDataLoss if its files are no such log; kUnavailable if the disk fails.
  static absl::StatusOr<LogDirectoryWriter> Open(const std::filesystem::path& folder);

  // Entries that are there; the next one to append.
  std::uint64_t size() const { return tree_.size(); }

  // Writes a file for each 256 entries; until then they are in memory.
  // Errors: kInvalidArgument if the entry is too long; kUnavailable if the disk fails, after which
  //         the writer is of no use.
  absl::Status Append(std::string_view entry);

  // Writes what is not full yet, and the checkpoint, synced. Requires size() == checkpoint.size.
  // More may be appended, and finished again. Errors: kDataLoss if the entries do not give the
  // checkpoint's root: nothing is published then;
  //         kUnavailable if the disk fails.
  absl::Status Finish(const Checkpoint& checkpoint, std::string_view note);

 private:
  explicit LogDirectoryWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  absl::Status Lock();
  absl::Status Write(const std::string& path, std::string_view content);
  absl::Status WritePartials();
  // The names in the folders that files were written to.
  absl::Status SyncFolders();
  // The partial files of a place that go when the checkpoint is there; "" keeps none of them.
  void Outgrown(const std::string& full_path, const std::string& kept);
  void RemoveOutgrown();

  std::filesystem::path folder_;
  std::shared_ptr<const int> lock_;
  TileTree tree_;
  std::string bundle_;  // Entries since the last full file.
  std::vector<FullTile> completed_;
  // Written to since the last sync.
  std::set<std::filesystem::path> touched_;
  // Folders of partial files, and the file in them that stays ("": none).
  std::vector<std::pair<std::filesystem::path, std::string>> outgrown_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_LOG_DIRECTORY_H_
