#include "storage/rocksdb_store.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "storage/rocksdb_engine.h"
#include "storage/rocksdb_log.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

// Syncs a folder, so that the names in it survive a power loss. RocksDB does it for its own
// folder, but not for the one that its folder is in.
absl::Status SyncFolder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return absl::InternalError(
        absl::StrFormat("cannot open %s: %s", folder.native(), std::strerror(errno)));
  }
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) {
    return absl::InternalError(
        absl::StrFormat("cannot sync %s: %s", folder.native(), std::strerror(error)));
  }
  return absl::OkStatus();
}

fs::path ParentOf(const std::string& path) {
  fs::path folder = fs::path(path).lexically_normal();
  if (!folder.has_filename()) {
    folder = folder.parent_path();  // "x/" means "x".
  }
  const fs::path parent = folder.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// Logs and tables, by RocksDB's names for them.
bool IsDataFile(const fs::path& file) {
  const std::string stem = file.stem().string();
  const bool numbered = !stem.empty() && std::all_of(stem.begin(), stem.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  return numbered && (file.extension() == ".sst" || file.extension() == ".log");
}

enum class Found { kNothing, kDatabase };

// What is at `path`. Errors: kDataLoss for data files without the CURRENT file that leads to them;
// RocksDB would make an empty database over them.
absl::StatusOr<Found> Inspect(const std::string& path) {
  std::error_code error;
  if (fs::exists(fs::path(path) / "CURRENT", error)) {
    return Found::kDatabase;
  }
  fs::directory_iterator files(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return Found::kNothing;
  }
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (IsDataFile(files->path())) {
      return absl::DataLossError(absl::StrFormat("%s has data files but no CURRENT file", path));
    }
  }
  if (error) {
    return absl::InternalError(absl::StrFormat("cannot read %s: %s", path, error.message()));
  }
  return Found::kNothing;
}

// Makes the folder, for its owner only.
absl::Status PrepareFolder(const RocksdbOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const Found found, Inspect(options.path));
  if (found == Found::kDatabase) {
    return absl::OkStatus();
  }
  if (!options.create_if_missing) {
    return absl::NotFoundError(absl::StrFormat("no store at %s", options.path));
  }
  std::error_code error;
  if (fs::create_directory(options.path, error)) {
    fs::permissions(options.path, fs::perms::owner_all, error);
  }
  if (error) {
    return absl::InternalError(
        absl::StrFormat("cannot make %s: %s", options.path, error.message()));
  }
  return SyncFolder(ParentOf(options.path));
}

// RocksDB has no code of its own for a lock that another process (or this one) holds.
bool IsLockHeld(const rocksdb::Status& status) {
  return status.IsIOError() && status.ToString().find("/LOCK: ") != std::string::npos;
}

// Keeps writers out without writing: a shared lock on the file that RocksDB locks for itself.
// Returns the descriptor that holds it, -1 if there is no such file and so no writer.
// Errors: kUnavailable if a writer has it; kInternal.
absl::StatusOr<int> LockOutWriters(const std::string& path) {
  const std::string file = path + "/LOCK";
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return -1;
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (descriptor >= 0 && ::fcntl(descriptor, F_SETLK, &lock) == 0) return descriptor;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (error == EACCES || error == EAGAIN) {
    return absl::UnavailableError(absl::StrFormat("%s is open in another process", path));
  }
  return absl::InternalError(absl::StrFormat("cannot lock %s: %s", file, std::strerror(error)));
}

// As for writing, but without anything that leaves a trace in the folder.
rocksdb::DBOptions ReadOnlyDatabaseOptions(const RocksdbOptions& options) {
  rocksdb::DBOptions database = DatabaseOptions(options, NoRocksdbLog());
  database.create_if_missing = false;
  database.create_missing_column_families = false;
  return database;
}

}  // namespace

absl::Status FromRocksdb(const rocksdb::Status& status, std::string_view call) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  const std::string message = absl::StrFormat("rocksdb %s: %s", call, status.ToString());
  if (status.IsCorruption()) {
    return absl::DataLossError(message);
  }
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(message);
  }
  if (status.IsBusy() || status.IsTryAgain()) {
    return absl::UnavailableError(message);
  }
  return absl::InternalError(message);
}

RocksdbStore::Engine::~Engine() {
  if (db == nullptr) {
    if (lock >= 0) ::close(lock);
    return;
  }
  // Close() waits for a compaction that waits at the gate; it ends there.
  if (gate != nullptr) {
    rocksdb::CancelAllBackgroundWork(db.get(), /*wait=*/false);
    gate->Open();
  }
  // After an error there is nothing to save: what was acknowledged is in the log.
  db->DestroyColumnFamilyHandle(default_family).PermitUncheckedError();
  db->DestroyColumnFamilyHandle(bulk_family).PermitUncheckedError();
  db->Close().PermitUncheckedError();
  if (lock >= 0) ::close(lock);
}

RocksdbStore::RocksdbStore(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
RocksdbStore::~RocksdbStore() = default;

absl::StatusOr<std::unique_ptr<RocksdbStore>> RocksdbStore::Open(const RocksdbOptions& options) {
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  CUSTODY_RETURN_IF_ERROR(PrepareFolder(options));
  std::shared_ptr<CompactionGate> gate;
  if (options.compaction_delay_ms_max > 0) {
    gate = std::make_shared<CompactionGate>(
        std::chrono::milliseconds(options.compaction_delay_ms_max));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(DatabaseOptions(options, OpenRocksdbLog(options.path), gate), options.path,
                        FamilyDescriptors(options), &families, &db);
  if (IsLockHeld(status)) {
    return absl::UnavailableError(
        absl::StrFormat("%s is open in another process: %s", options.path, status.ToString()));
  }
  CUSTODY_RETURN_IF_ERROR(FromRocksdb(status, "open"));
  auto engine = std::make_shared<Engine>();
  engine->path = options.path;
  engine->without_log = options.without_log;
  engine->gate = std::move(gate);
  engine->db.reset(db);
  engine->default_family = families[0];
  engine->bulk_family = families[1];
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(engine)));
}

absl::StatusOr<std::unique_ptr<RocksdbStore>> RocksdbStore::OpenReadOnly(
    const RocksdbOptions& options) {
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  CUSTODY_ASSIGN_OR_RETURN(const Found found, Inspect(options.path));
  if (found == Found::kNothing) {
    return absl::NotFoundError(absl::StrFormat("no store at %s", options.path));
  }
  auto engine = std::make_shared<Engine>();
  engine->path = options.path;
  CUSTODY_ASSIGN_OR_RETURN(engine->lock, LockOutWriters(options.path));
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  CUSTODY_RETURN_IF_ERROR(
      FromRocksdb(rocksdb::DB::OpenForReadOnly(ReadOnlyDatabaseOptions(options), options.path,
                                               FamilyDescriptors(options), &families, &db),
                  "open for reading"));
  engine->db.reset(db);
  engine->default_family = families[0];
  engine->bulk_family = families[1];
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(engine)));
}

absl::StatusOr<std::vector<std::string>> RocksdbStore::TableFiles(const RocksdbOptions& options) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator files(options.path, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (files->path().extension() == ".sst") names.push_back(files->path().filename().string());
  }
  if (error) {
    return absl::InternalError(
        absl::StrFormat("cannot read %s: %s", options.path, error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status RocksdbStore::CheckTable(const RocksdbOptions& options, const std::string& name) {
  const rocksdb::Options file_options(ReadOnlyDatabaseOptions(options),
                                      FamilyDescriptors(options).front().options);
  const fs::path path = fs::path(options.path) / name;
  rocksdb::SstFileReader reader(file_options);
  rocksdb::Status status = reader.Open(path.string());
  if (status.ok()) status = reader.VerifyChecksum();
  if (status.ok()) return absl::OkStatus();
  std::error_code error;
  if (!fs::exists(path, error)) return absl::NotFoundError(absl::StrFormat("%s is gone", name));
  return absl::DataLossError(status.ToString());
}

absl::StatusOr<std::vector<DamagedFile>> RocksdbStore::FindDamagedTables(
    const RocksdbOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> names, TableFiles(options));
  std::vector<DamagedFile> damaged;
  for (const std::string& name : names) {
    const absl::Status status = CheckTable(options, name);
    if (absl::IsDataLoss(status)) damaged.push_back({name, std::string(status.message())});
  }
  return damaged;
}

void RocksdbStore::ForgetCache() const {
  // The families share one cache.
  const auto* table = engine_->db->GetOptions(engine_->default_family)
                          .table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
  if (table != nullptr && table->block_cache != nullptr) table->block_cache->EraseUnRefEntries();
}

void RocksdbStore::StartCompaction() const {
  if (engine_->gate != nullptr) engine_->gate->Open();
}

absl::StatusOr<std::unique_ptr<ReadView>> RocksdbStore::OpenView() const {
  return std::unique_ptr<ReadView>(std::make_unique<View>(engine_));
}

absl::Status RocksdbStore::AcquireWriter() { return absl::OkStatus(); }

absl::Status RocksdbStore::DoApply(const WriteBatch& batch, Durability durability) {
  constexpr std::size_t kChecksumBytesPerKey = 8;  // Guards the batch on its way through memory.
  rocksdb::WriteBatch rocks(/*reserved_bytes=*/batch.bytes() + 16 * batch.size(), /*max_bytes=*/0,
                            kChecksumBytesPerKey, /*default_cf_ts_sz=*/0);
  // In the order of the keys each insertion begins where the last one ended, which halves its cost.
  // Of writes to one key the later one stays behind the earlier one.
  std::vector<const WriteBatch::Write*> sorted;
  sorted.reserve(batch.size());
  for (const WriteBatch::Write& write : batch) sorted.push_back(&write);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->key < b->key; });
  for (const WriteBatch::Write* write : sorted) {
    rocksdb::ColumnFamilyHandle* const family = engine_->FamilyOf(write->key);
    const rocksdb::Status added =
        write->value ? rocks.Put(family, ToSlice(write->key), ToSlice(*write->value))
                     : rocks.Delete(family, ToSlice(write->key));
    CUSTODY_RETURN_IF_ERROR(FromRocksdb(added, "batch"));
  }
  rocksdb::WriteOptions options;
  const bool synced = durability == Durability::kSynced;
  options.disableWAL = engine_->without_log;
  options.sync = synced && !engine_->without_log;
  CUSTODY_RETURN_IF_ERROR(FromRocksdb(engine_->db->Write(options, &rocks), "write"));
  if (!synced || !engine_->without_log) return absl::OkStatus();
  return FromRocksdb(
      engine_->db->Flush(rocksdb::FlushOptions(), {engine_->default_family, engine_->bulk_family}),
      "flush");
}

absl::StatusOr<std::uint64_t> RocksdbStore::FreeBytes() const {
  std::error_code error;
  const fs::space_info space = fs::space(engine_->path, error);
  if (error) {
    return absl::InternalError(
        absl::StrFormat("cannot ask for the space at %s: %s", engine_->path, error.message()));
  }
  return space.available;
}

absl::StatusOr<std::uint64_t> RocksdbStore::ApproximateBytes() const {
  std::error_code error;
  std::uint64_t bytes = 0;
  fs::directory_iterator files(engine_->path, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    std::error_code gone;  // RocksDB removes files while we look.
    const std::uintmax_t size = files->file_size(gone);
    bytes += gone ? 0 : size;
  }
  if (error) {
    return absl::InternalError(
        absl::StrFormat("cannot read %s: %s", engine_->path, error.message()));
  }
  return bytes;
}

absl::Status RocksdbStore::CopyTo(const std::string& folder) const {
  std::error_code error;
  if (fs::exists(folder, error)) {
    return absl::AlreadyExistsError(absl::StrFormat("%s exists already", folder));
  }
  rocksdb::Checkpoint* made = nullptr;
  CUSTODY_RETURN_IF_ERROR(
      FromRocksdb(rocksdb::Checkpoint::Create(engine_->db.get(), &made), "checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  CUSTODY_RETURN_IF_ERROR(FromRocksdb(checkpoint->CreateCheckpoint(folder), "checkpoint"));
  return SyncFolder(ParentOf(folder));
}

absl::Status RocksdbStore::VerifyFiles() const {
  return FromRocksdb(engine_->db->VerifyChecksum(), "verify");
}

}  // namespace custody
