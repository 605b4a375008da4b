#include "daemon/witness/audit_replay.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "daemon/files.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

// One call; a log that takes longer is read in several. So long it takes until it shows that the
// ledger cannot be reached.
constexpr std::chrono::milliseconds kReadMax(60'000);
// The replay reads the states that each entry touches.
constexpr std::uint64_t kCacheBytesMax = 32U << 20;
constexpr std::uint64_t kWriteBufferBytesMax = 8U << 20;

Trust TrustOf(const ReplayOptions& options) {
  Trust trust;
  trust.ledger = options.ledger;
  trust.entry0_leaf_hash = options.entry0_leaf_hash.value_or(Digest());
  return trust;
}

absl::Status RemoveAll(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrFormat("cannot remove %s: %s", folder, error.message()));
}

absl::Status Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrFormat("cannot rename %s to %s: %s", from, to, error.message()));
}

}  // namespace

AuditReplay::AuditReplay(ReplayOptions options)
    : options_(std::move(options)), trust_(TrustOf(options_)) {}

void AuditReplay::Close() {
  log_.reset();
  store_.reset();
}

absl::Status AuditReplay::Remove() {
  Close();
  CUSTODY_RETURN_IF_ERROR(RemoveAll(Aside()));
  return RemoveAll(options_.folder);
}

absl::Status AuditReplay::OpenFolder() {
  if (options_.begins_anew) CUSTODY_RETURN_IF_ERROR(Remove());
  RocksdbOptions folder;
  folder.path = options_.folder;
  folder.create_if_missing = true;
  folder.block_cache_bytes_max = kCacheBytesMax;
  folder.write_buffer_bytes_max = kWriteBufferBytesMax;
  CUSTODY_ASSIGN_OR_RETURN(store_, RocksdbStore::Open(folder));
  AuditOptions audit;
  audit.any_first_entry = !options_.entry0_leaf_hash.has_value();
  if (options_.hook) audit.judged_hook = [this] { options_.hook(AuditStep::kJudged); };
  CUSTODY_ASSIGN_OR_RETURN(log_, LogAudit::Open(audit, trust_, *store_));
  return absl::OkStatus();
}

absl::Status AuditReplay::Open() {
  Close();
  caught_.reset();
  absl::Status opened = OpenFolder();
  is_broken_ = !opened.ok();
  if (is_broken_) Close();
  return opened;
}

absl::Status AuditReplay::MoveTo(const std::string& folder) {
  CUSTODY_RETURN_IF_ERROR(RemoveAll(Aside()));
  CUSTODY_RETURN_IF_ERROR(Rename(folder, Aside()));
  CUSTODY_RETURN_IF_ERROR(Rename(options_.folder, folder));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(folder));
  return RemoveAll(Aside());
}

absl::Status AuditReplay::TakePlaceOf(AuditReplay* other) {
  Close();
  other->Close();
  absl::Status moved = MoveTo(other->options_.folder);
  other->is_broken_ = !moved.ok();
  return moved;
}

absl::Status AuditReplay::Judged(absl::Status judgement) {
  if (absl::IsDataLoss(judgement)) {
    caught_ = {std::string(StdView(judgement.message())), log_->wrong_entry(),
               std::string(log_->wrong_bytes())};
  } else {
    is_broken_ = !judgement.ok();
  }
  return judgement;
}

absl::Status AuditReplay::CheckRead(std::uint64_t index, std::string_view entry) const {
  if (index != log_->next()) {
    return absl::PermissionDeniedError(
        absl::StrFormat("entry %d is withheld: the principal of the audit must be allowed to read "
                        "the entries of every site",
                        log_->next()));
  }
  if (index != 0 || !options_.entry0_leaf_hash.has_value()) return absl::OkStatus();
  const Digest leaf_hash = LeafHash(entry);
  if (leaf_hash == *options_.entry0_leaf_hash) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("entry 0 has the leaf hash %s, audit.entry0_leaf_hash is %s: this is another "
                      "log, or the setting is wrong",
                      leaf_hash.ToHex(), options_.entry0_leaf_hash->ToHex()));
}

absl::Status AuditReplay::ReadTo(Client& client, const Checkpoint& checkpoint,
                                 const EntryObserver& observe, const std::stop_token& stop) {
  CallOptions call;
  call.deadline = kReadMax;
  call.stop = stop;
  while (log_->next() < checkpoint.size) {
    const std::uint64_t begin = log_->next();
    absl::Status taken;
    const absl::Status read = client.ReadEntries(
        begin, checkpoint.size,
        [&](std::uint64_t index, std::string_view entry) {
          taken = CheckRead(index, entry);
          if (!taken.ok()) return false;
          observe(index, entry);
          taken = Judged(log_->Add(std::string(entry)));
          return taken.ok();
        },
        call);
    CUSTODY_RETURN_IF_ERROR(taken);
    // A long log takes more than one call.
    if (absl::IsDeadlineExceeded(read) && log_->next() > begin) continue;
    CUSTODY_RETURN_IF_ERROR(read);
    if (log_->next() < checkpoint.size) {
      return absl::PermissionDeniedError(
          absl::StrFormat("the ledger hands out %d entries of %d", log_->next(), checkpoint.size));
    }
  }
  return absl::OkStatus();
}

absl::Status AuditReplay::AuditTo(Client& client, const Checkpoint& checkpoint,
                                  const EntryObserver& observe, const std::stop_token& stop) {
  if (log_ == nullptr || is_broken_) CUSTODY_RETURN_IF_ERROR(Open());
  // An older copy of the witness's own state beside a newer audit, for example: no lie.
  if (log_->size_min() > checkpoint.size) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d entries are read, the checkpoint has %d", log_->size_min(), checkpoint.size));
  }
  CUSTODY_RETURN_IF_ERROR(ReadTo(client, checkpoint, observe, stop));
  return Judged(log_->Confirm(checkpoint));
}

}  // namespace custody
