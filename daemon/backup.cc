#include "daemon/backup.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "daemon/files.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/recovery.h"
#include "daemon/parts.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameBytesMax = 100;
// For the commit that the copy has caught between its write and its signature.
constexpr std::int64_t kSignedWaitMs = 60'000;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

absl::Status CheckName(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), IsNameByte);
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("\"%s\" is no name of a backup: 1 to %d letters, digits, \"-\", \"_\" and "
                      "\".\", not beginning "
                      "with a dot",
                      name.substr(0, kNameBytesMax), kNameBytesMax));
}

absl::Status DiskError(const std::string& path, const std::error_code& error) {
  return absl::UnavailableError(absl::StrFormat("%s: %s", path, error.message()));
}

// On the same disk RocksDB links its files: the backup would rot with the store.
absl::StatusOr<std::uint64_t> OwnFiles(const std::string& folder) {
  std::error_code error;
  std::uint64_t bytes = 0;
  std::vector<fs::path> files;
  for (fs::directory_iterator each(folder, error); !error && each != fs::directory_iterator();
       each.increment(error)) {
    files.push_back(each->path());
  }
  if (error) return DiskError(folder, error);
  for (const fs::path& file : files) {
    bytes += fs::file_size(file, error);
    if (error) return DiskError(file, error);
    if (fs::hard_link_count(file, error) < 2) continue;
    const fs::path copy = file.string() + ".copy";
    if (!error) fs::copy_file(file, copy, error);
    if (error) return DiskError(copy, error);
    CUSTODY_RETURN_IF_ERROR(SyncFile(copy.string()));
    fs::rename(copy, file, error);
    if (error) return DiskError(file, error);
  }
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(folder + "/CURRENT"));
  return bytes;
}

absl::StatusOr<Checkpoint> HeadOfCopy(const Config& config, const std::string& folder) {
  RocksdbOptions options = StoreOptionsOf(config);
  options.path = BackupStore(folder);
  CUSTODY_ASSIGN_OR_RETURN(const auto copy, RocksdbStore::OpenReadOnly(options));
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, copy->OpenView());
  CUSTODY_ASSIGN_OR_RETURN(Checkpoint head, ReadHead(*view));
  CUSTODY_RETURN_IF_ERROR(RestoreLog(*view, head).status());
  return head;
}

// `note_of` gives the signed note of the head that the copy holds.
template <typename NoteOf>
absl::StatusOr<BackupMade> CopyStore(const Config& config, const std::string& folder,
                                     const RocksdbStore& store, const NoteOf& note_of) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    if (error) return DiskError(folder, error);
    return absl::AlreadyExistsError(absl::StrFormat("%s exists already", folder));
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  CUSTODY_RETURN_IF_ERROR(store.CopyTo(BackupStore(folder)));
  BackupMade made;
  CUSTODY_ASSIGN_OR_RETURN(made.bytes, OwnFiles(BackupStore(folder)));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, HeadOfCopy(config, folder));
  CUSTODY_ASSIGN_OR_RETURN(made.note, note_of(head));
  CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(BackupCheckpoint(folder), made.note));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(folder));
  return made;
}

// A backup that is not whole is none.
template <typename NoteOf>
absl::StatusOr<BackupMade> CopyOrClear(const Config& config, const std::string& folder,
                                       const RocksdbStore& store, const NoteOf& note_of) {
  absl::StatusOr<BackupMade> made = CopyStore(config, folder, store, note_of);
  if (!made.ok() && !absl::IsAlreadyExists(made.status())) {
    std::error_code error;
    fs::remove_all(folder, error);
  }
  return made;
}

absl::StatusOr<std::string> NoteFromLedger(const Ledger& ledger, const Checkpoint& head) {
  if (ledger.WaitForSize(head.size, kSignedWaitMs) < head.size) {
    return absl::UnavailableError("the batch that the copy ends with was not signed");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::string> note,
                           LedgerReader(ledger.Snapshot()).CheckpointAt(head.size));
  if (note.has_value()) return *note;
  return absl::DataLossError(absl::StrFormat("no checkpoint of %d entries is kept", head.size));
}

}  // namespace

std::string BackupStore(const std::string& folder) { return folder + "/store"; }
std::string BackupCheckpoint(const std::string& folder) { return folder + "/checkpoint"; }

absl::StatusOr<BackupMade> BackUpRunning(const Config& config, const std::string& name,
                                         const RocksdbStore& store, const Ledger& ledger) {
  if (config.backup.directory.empty()) {
    return absl::FailedPreconditionError(
        "backup.directory is empty: this daemon makes no backups; name a folder there, or stop it "
        "and run custodyd backup");
  }
  CUSTODY_RETURN_IF_ERROR(CheckName(name));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(config.backup.directory));
  return CopyOrClear(config, config.backup.directory + "/" + name, store,
                     [&ledger](const Checkpoint& head) { return NoteFromLedger(ledger, head); });
}

absl::StatusOr<BackupMade> BackUpStopped(const Config& config, const std::string& folder) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  CUSTODY_ASSIGN_OR_RETURN(const LedgerKeys keys, LoadKeys(config));
  CUSTODY_ASSIGN_OR_RETURN(const auto store, RocksdbStore::Open(StoreOptionsOf(config)));
  return CopyOrClear(config, folder, *store, [&keys](const Checkpoint& head) {
    return SignCheckpoint(head, keys.LogSigners());
  });
}

}  // namespace custody
