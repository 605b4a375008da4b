// Private to storage/: where RocksDB's own messages go.
//
// RocksDB's own logger aborts the process at the second message after one could not be written,
// which is just when the disk fails and reads must go on. This one drops what it cannot write.
//
// Threads: any.
// Format:  lines of text, UTC; LOG, and LOG.old once LOG is full. Each at most 2 MiB.

#ifndef CUSTODY_STORAGE_ROCKSDB_LOG_H_
#define CUSTODY_STORAGE_ROCKSDB_LOG_H_

#include <rocksdb/env.h>

#include <memory>
#include <string>

namespace custody {

// Never fails: a log that cannot be written is empty.
std::shared_ptr<rocksdb::Logger> OpenRocksdbLog(const std::string& folder);

// Drops every message: for a folder in which nothing may be written.
std::shared_ptr<rocksdb::Logger> NoRocksdbLog();

}  // namespace custody

#endif  // CUSTODY_STORAGE_ROCKSDB_LOG_H_
