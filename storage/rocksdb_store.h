// The default engine: one RocksDB database in a folder of its own on a local disk.
//
// A batch is acknowledged after its record in the write-ahead log was synced. The first error of
// the engine is final; the process is expected to end and to be started again, and an abort inside
// of RocksDB (Debian's package has its assertions on) is as safe as an exit.
//
// Threads: as Store. RocksDB runs two background threads.
// Owns:    the folder, by a lock file: a second opener is refused.
// Format:  storage/README.md. Table 'e' has a column family of its own.

#ifndef CUSTODY_STORAGE_ROCKSDB_STORE_H_
#define CUSTODY_STORAGE_ROCKSDB_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace custody {

struct RocksdbOptions {
  // The folder. Its parent must exist.
  std::string path;

  // Whether an absent database is made. Data files without their CURRENT file are never taken for
  // an absent database.
  bool create_if_missing = false;

  // Unpacked blocks, indexes and filters kept in memory. At least 1 MiB.
  std::uint64_t block_cache_bytes_max = 32U << 20;

  // Writes kept in memory before they are sorted into a file, all tables together. At least 1 MiB.
  // Recovery after a crash replays about four times as much log at most.
  std::uint64_t write_buffer_bytes_max = 32U << 20;

  // Files kept open. At least 32.
  std::uint32_t open_files_max = 256;

  // Without a write-ahead log, for what can be made again from elsewhere. After a crash the store
  // holds a beginning of what was applied, whole batches, at least up to the last synced one; each
  // synced batch costs a file.
  bool without_log = false;

  // Compaction waits for StartCompaction(), so long after Open() was called at most; 0: it does
  // not. Reads, writes and flushes do not wait, nor does a compaction that writes wait for.
  std::int64_t compaction_delay_ms_max = 0;

  // Only for tests that make the disk fail; must outlive the store.
  rocksdb::Env* env = nullptr;
};

// Errors: kInvalidArgument, naming the option and both values.
absl::Status Validate(const RocksdbOptions& options);

struct DamagedFile {
  std::string name;  // Within the folder.
  std::string reason;
};

class RocksdbStore final : public Store {
 public:
  // Opens the database and replays its log. A record at the end of the log that was cut short by a
  // crash is dropped, since it was never acknowledged; anything else that is damaged is an error.
  //
  // Errors: kInvalidArgument (options); kNotFound if there is no database and create_if_missing is
  //         off; kUnavailable if another process (or this one) has it open; kDataLoss if it is
  //         damaged; kResourceExhausted if the disk is full; kInternal otherwise.
  static absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const RocksdbOptions& options);
  // For reading only: no file in the folder is changed or made, and what the log holds is replayed
  // into memory. While it is open, nobody can open the store for writing. Apply() fails.
  //
  // Errors: as Open(); create_if_missing is ignored.
  static absl::StatusOr<std::unique_ptr<RocksdbStore>> OpenReadOnly(const RocksdbOptions& options);
  ~RocksdbStore() override;

  // Compares the blocks of every table file in the folder with their checksums, each file by
  // itself, so that all damaged ones are named, also where the database cannot be opened any more.
  // Slow: reads all of them. The store must not be open for writing.
  // Errors: kInternal if the folder cannot be read.
  static absl::StatusOr<std::vector<DamagedFile>> FindDamagedTables(const RocksdbOptions& options);

  // One table file of a store that may be open: its blocks are read from the disk, past every
  // cache, and compared with their checksums. Tables are never changed once written. Errors:
  // kDataLoss if it is damaged; kNotFound if it is gone, since RocksDB removes what it has sorted
  // into others.
  static absl::Status CheckTable(const RocksdbOptions& options, const std::string& name);
  // The names of the table files, in the order in which they were begun. Errors: kInternal.
  static absl::StatusOr<std::vector<std::string>> TableFiles(const RocksdbOptions& options);

  // Forgets blocks that are kept in memory, so that what is damaged on the disk is noticed by
  // reads.
  void ForgetCache() const;

  // Ends the wait of compaction_delay_ms_max.
  void StartCompaction() const;

  absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const override;
  // The lock file is held since Open(), so this never fails.
  absl::Status AcquireWriter() override;
  absl::StatusOr<std::uint64_t> FreeBytes() const override;
  absl::StatusOr<std::uint64_t> ApproximateBytes() const override;

  // Copies the database as it is now into a new folder that does not exist yet, for backups: files
  // are linked where the folder is on the same disk, copied otherwise, and synced. Writing goes on.
  // Errors: kAlreadyExists if the folder exists; kResourceExhausted; kInternal.
  absl::Status CopyTo(const std::string& folder) const;

  // Reads every file and compares its blocks with their checksums. Slow: reads all data.
  // Errors: kDataLoss if anything differs; kInternal.
  absl::Status VerifyFiles() const;

 private:
  struct Engine;
  class View;
  explicit RocksdbStore(std::shared_ptr<Engine> engine);

  absl::Status DoApply(const WriteBatch& batch, Durability durability) override;

  std::shared_ptr<Engine> engine_;
};

}  // namespace custody

#endif  // CUSTODY_STORAGE_ROCKSDB_STORE_H_
