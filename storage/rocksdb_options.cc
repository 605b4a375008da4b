// How RocksDB is set up, and why. Safety first, then bounded memory, then speed.
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "storage/rocksdb_engine.h"

namespace custody {
namespace {

constexpr std::uint64_t kMebibyte = 1U << 20;
constexpr std::uint32_t kOpenFilesMin = 32;
constexpr std::uint64_t kBaseLevelBytes = 64 * kMebibyte;

// The best of two that this build of RocksDB has.
rocksdb::CompressionType Compression(rocksdb::CompressionType wanted) {
  const auto supported = rocksdb::GetSupportedCompressions();
  const bool found = std::find(supported.begin(), supported.end(), wanted) != supported.end();
  return found ? wanted : rocksdb::kNoCompression;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const RocksdbOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  // A key that is absent (a dose nobody recorded) costs no read: 3 us instead of 8.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Indexes and filters live in the cache, in small parts; so memory does not grow with the data.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_top_level_index_and_filter = true;

  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // The first byte of a key is its table. Insertions go on from the last one of their table, so a
  // batch that comes in the order of the keys costs a fraction of a search for each.
  family.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  family.write_buffer_size = std::max(options.write_buffer_bytes_max / 2, kMebibyte / 2);
  family.level_compaction_dynamic_level_bytes = true;
  // What is flushed, 4 MB at a time, is merged with the whole of the next level.
  family.max_bytes_for_level_base = kBaseLevelBytes;
  family.compression = Compression(rocksdb::kLZ4Compression);
  // Every new file is read back before the log that it replaces goes away.
  family.paranoid_file_checks = !options.without_log;
  family.force_consistency_checks = true;
  return family;
}

}  // namespace

absl::Status Validate(const RocksdbOptions& options) {
  if (options.path.empty()) {
    return absl::InvalidArgumentError("path is empty, want a folder");
  }
  if (options.block_cache_bytes_max < kMebibyte) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "block_cache_bytes_max is %d, want at least %d", options.block_cache_bytes_max, kMebibyte));
  }
  if (options.write_buffer_bytes_max < kMebibyte) {
    return absl::InvalidArgumentError(
        absl::StrFormat("write_buffer_bytes_max is %d, want at least %d",
                        options.write_buffer_bytes_max, kMebibyte));
  }
  if (options.open_files_max < kOpenFilesMin) {
    return absl::InvalidArgumentError(absl::StrFormat("open_files_max is %d, want at least %d",
                                                      options.open_files_max, kOpenFilesMin));
  }
  return absl::OkStatus();
}

rocksdb::DBOptions DatabaseOptions(const RocksdbOptions& options,
                                   std::shared_ptr<rocksdb::Logger> log,
                                   std::shared_ptr<CompactionGate> gate) {
  rocksdb::DBOptions database;
  if (options.env != nullptr) {
    database.env = options.env;
  }
  database.create_if_missing = options.create_if_missing;
  // A crash may fall between the making of the database and that of its families.
  database.create_missing_column_families = true;

  // Safety. Only a record that is cut short at the end of the log is forgiven: a crash leaves it,
  // and nobody was told that it is durable. What recovery accepts is flushed and synced by Open(),
  // so it is durable even if the sync before the crash had failed.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.avoid_flush_during_recovery = false;
  database.track_and_verify_wals_in_manifest = true;
  database.verify_sst_unique_id_in_manifest = true;
  database.recycle_log_file_num = 0;  // Old bytes behind a torn tail could pass for records.
  database.paranoid_checks = true;
  database.flush_verify_memtable_count = true;
  database.max_bgerror_resume_count = 0;  // The first error is final; see Store::Apply().
  database.allow_mmap_writes = false;
  database.atomic_flush = options.without_log;  // Else one family could be ahead after a crash.

  // Bounded memory, threads and files.
  database.db_write_buffer_size = options.write_buffer_bytes_max;
  database.max_total_wal_size = 4 * options.write_buffer_bytes_max;
  database.max_open_files =
      static_cast<int>(std::min<std::uint32_t>(options.open_files_max, 1U << 20));
  database.max_background_jobs = 2;
  database.rate_limiter = std::move(gate);
  database.max_file_opening_threads = 1;
  database.table_cache_numshardbits = 4;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  database.skip_stats_update_on_db_open = true;  // Start-up must not grow with the data.

  database.info_log = std::move(log);
  database.bytes_per_sync = kMebibyte;  // Spreads the write-back of large files.
  return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const RocksdbOptions& options) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(
      options.block_cache_bytes_max, /*num_shard_bits=*/4, /*strict_capacity_limit=*/false,
      /*high_pri_pool_ratio=*/0.5);
  const rocksdb::ColumnFamilyOptions small = FamilyOptions(options, cache);
  rocksdb::ColumnFamilyOptions bulk = FamilyOptions(options, cache);
  // What is to be kept for decades is worth more work than what can be made again.
  if (!options.without_log) bulk.compression = Compression(rocksdb::kZSTD);
  return {{rocksdb::kDefaultColumnFamilyName, small}, {kBulkFamilyName, bulk}};
}

}  // namespace custody
