#include "daemon/restore_command.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "daemon/backup.h"
#include "daemon/entry_source.h"
#include "daemon/files.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/recovery.h"
#include "daemon/parts.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr char kRestoringSuffix[] = ".restoring";

constexpr char kWaysOn[] =
    "nothing was restored. Either restore the missing entries exactly: custodyd restore --from "
    "BACKUP "
    "--mirror DIR, where DIR is a log that custody log export wrote, a newer backup or a mirror of "
    "somebody else; or begin a new ledger with another origin that names this one: custodyd init "
    "--predecessor NOTE, where NOTE is the newest signed checkpoint that anybody has";

absl::Status WithWaysOn(const absl::Status& refusal) {
  return absl::Status(refusal.code(),
                      absl::StrFormat("%s; %s", StdView(refusal.message()), kWaysOn));
}

absl::Status DiskError(const std::string& path, const std::error_code& error) {
  return absl::UnavailableError(absl::StrFormat("%s: %s", path, error.message()));
}

absl::StatusOr<Checkpoint> OpenSigned(std::string_view what, std::string_view note,
                                      const LedgerKeys& keys) {
  const std::string& origin = keys.log.verifier().name();
  const absl::StatusOr<OpenedCheckpoint> opened = OpenCheckpoint(note, origin, keys.LogVerifiers());
  if (opened.ok()) return opened->checkpoint;
  return absl::DataLossError(absl::StrFormat("the checkpoint of %s is not one of %s: %s", what,
                                             origin, StdView(opened.status().message())));
}

class Restore {
 public:
  Restore(const Config& config, const RestoreArguments& arguments)
      : config_(config), arguments_(arguments), beside_(StoreFolder(config) + kRestoringSuffix) {}

  absl::StatusOr<RestoreResult> Run(const RebuildProgress& progress);

 private:
  absl::Status CheckPlace() const;
  absl::Status CopyBackup() const;
  absl::Status CheckBackup(const Store& store);
  absl::Status TakeFromMirror(Store& store, const RebuildProgress& progress);
  // Anchor and witnesses.
  absl::Status CheckNobodyHasSeenMore(const Store& store);
  absl::Status CheckAnchorFile(const LedgerSnapshot& snapshot) const;
  absl::Status PutInPlace() const;

  const Config& config_;
  const RestoreArguments& arguments_;
  const std::string beside_;
  std::optional<LedgerKeys> keys_;
  RestoreResult result_;
};

absl::Status Restore::CheckPlace() const {
  std::error_code error;
  if (fs::exists(StoreFolder(config_), error)) {
    return absl::AlreadyExistsError(absl::StrFormat(
        "%s is there already; put it aside first, it may hold what the backup lacks",
        StoreFolder(config_)));
  }
  fs::remove_all(beside_, error);  // Of a run that was cut short.
  return MakeDirectory(config_.ledger.data_directory);
}

absl::Status Restore::CopyBackup() const {
  std::error_code error;
  if (!fs::is_directory(BackupStore(arguments_.from), error)) {
    return absl::NotFoundError(
        absl::StrFormat("%s is no backup: it holds no folder \"store\"", arguments_.from));
  }
  fs::create_directory(beside_, error);
  if (!error) fs::permissions(beside_, fs::perms::owner_all, error);
  if (error) return DiskError(beside_, error);
  for (fs::directory_iterator each(BackupStore(arguments_.from), error);
       !error && each != fs::directory_iterator(); each.increment(error)) {
    const fs::path target = fs::path(beside_) / each->path().filename();
    if (!each->is_regular_file(error) || error) continue;
    fs::copy_file(each->path(), target, error);
    if (error) return DiskError(target, error);
    CUSTODY_RETURN_IF_ERROR(SyncFile(target.string()));
  }
  if (error) return DiskError(arguments_.from, error);
  return SyncFolderOf(beside_ + "/CURRENT");
}

absl::Status Restore::CheckBackup(const Store& store) {
  CUSTODY_ASSIGN_OR_RETURN(
      const std::string note,
      ReadSmallFile("the backup's checkpoint", BackupCheckpoint(arguments_.from)));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint stated, OpenSigned("the backup", note, *keys_));
  CUSTODY_ASSIGN_OR_RETURN(const RecoveredLedger recovered,
                           RecoverLedger(store, keys_->LogSigners()));
  const Checkpoint& head = recovered.snapshot->checkpoint;
  if (head.size != stated.size || head.root != stated.root) {
    return absl::DataLossError(absl::StrFormat(
        "the backup's store has %d entries and root %s, its signed checkpoint says %d and %s",
        head.size, head.root.ToHex(), stated.size, stated.root.ToHex()));
  }
  result_.backup_size = head.size;
  return absl::OkStatus();
}

absl::Status Restore::TakeFromMirror(Store& store, const RebuildProgress& progress) {
  if (arguments_.mirror.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const auto mirror, EntrySource::Open(config_, arguments_.mirror));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint end, OpenSigned("the mirror", mirror->note(), *keys_));
  if (end.size < result_.backup_size) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the mirror has %d entries, the backup %d already; leave --mirror out",
                        end.size, result_.backup_size));
  }
  const EntryReader read = [&mirror](std::uint64_t index) { return mirror->Read(index); };
  return ContinueFromMirror(store, keys_->LogSigners(), end, read, progress).status();
}

absl::Status Restore::CheckAnchorFile(const LedgerSnapshot& snapshot) const {
  const absl::StatusOr<std::string> anchor = ReadAnchor(AnchorFile(config_));
  if (!absl::IsNotFound(anchor.status())) {
    return CheckAnchor(AnchorFile(config_), snapshot, keys_->LogVerifiers());
  }
  if (arguments_.anchor_is_lost) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "there is no anchor at %s, so nothing here tells how long the log was. Put it back, or name "
      "where it is in ledger.anchor_file. If it is lost, ask the witnesses and clients for the "
      "newest checkpoint that they have seen, and say --anchor-is-lost if none has more than %d "
      "entries",
      AnchorFile(config_), snapshot.size()));
}

absl::Status Restore::CheckNobodyHasSeenMore(const Store& store) {
  CUSTODY_ASSIGN_OR_RETURN(const RecoveredLedger recovered,
                           RecoverLedger(store, keys_->LogSigners()));
  const LedgerSnapshot& snapshot = *recovered.snapshot;
  CUSTODY_RETURN_IF_ERROR(CheckAnchorFile(snapshot));
  const SystemClock clock;
  CUSTODY_ASSIGN_OR_RETURN(const auto witnesses, MakeWitnessKeeper(config_, *keys_, clock));
  if (witnesses != nullptr) CUSTODY_RETURN_IF_ERROR(witnesses->CheckBeforeWriting(snapshot));
  result_.tree_size = snapshot.size();
  result_.note = snapshot.note;
  return absl::OkStatus();
}

// The anchor last: until it is there, nothing is signed.
absl::Status Restore::PutInPlace() const {
  std::error_code error;
  fs::rename(beside_, StoreFolder(config_), error);
  if (error) return DiskError(StoreFolder(config_), error);
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(StoreFolder(config_)));
  fs::remove(ScrubStateFile(config_), error);
  const std::string folder = fs::path(AnchorFile(config_)).parent_path().string();
  if (!folder.empty()) CUSTODY_RETURN_IF_ERROR(MakeDirectory(folder));
  return WriteAnchor(AnchorFile(config_), result_.note);
}

absl::StatusOr<RestoreResult> Restore::Run(const RebuildProgress& progress) {
  CUSTODY_RETURN_IF_ERROR(CheckPlace());
  CUSTODY_ASSIGN_OR_RETURN(keys_, LoadKeys(config_));
  CUSTODY_RETURN_IF_ERROR(CopyBackup());
  {
    RocksdbOptions options = StoreOptionsOf(config_);
    options.path = beside_;
    CUSTODY_ASSIGN_OR_RETURN(const auto store, RocksdbStore::Open(options));
    CUSTODY_RETURN_IF_ERROR(CheckBackup(*store));
    CUSTODY_RETURN_IF_ERROR(TakeFromMirror(*store, progress));
    const absl::Status seen = CheckNobodyHasSeenMore(*store);
    if (absl::IsUnavailable(seen)) return WithWaysOn(seen);
    CUSTODY_RETURN_IF_ERROR(seen);
  }
  CUSTODY_RETURN_IF_ERROR(PutInPlace());
  return result_;
}

}  // namespace

absl::StatusOr<RestoreResult> RestoreStore(const Config& config, const RestoreArguments& arguments,
                                           const RebuildProgress& progress) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  absl::StatusOr<RestoreResult> result = Restore(config, arguments).Run(progress);
  if (result.ok()) return result;
  std::error_code error;
  fs::remove_all(StoreFolder(config) + kRestoringSuffix, error);
  // A disk that fails is no bug of the program.
  if (absl::IsInternal(result.status())) {
    return absl::UnavailableError(result.status().message());
  }
  return result;
}

}  // namespace custody
