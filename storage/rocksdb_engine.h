// Private to storage/: what the sources of RocksdbStore share. Nothing outside may include it.

#ifndef CUSTODY_STORAGE_ROCKSDB_ENGINE_H_
#define CUSTODY_STORAGE_ROCKSDB_ENGINE_H_

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "storage/compaction_gate.h"
#include "storage/rocksdb_store.h"

namespace custody {

// The table whose values are large and are read one by one; part of the format of the folder.
inline constexpr char kBulkTable = 'e';
inline constexpr char kBulkFamilyName[] = "entries";

inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view FromSlice(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// The only place where a status of RocksDB becomes ours. `call` names what was tried.
absl::Status FromRocksdb(const rocksdb::Status& status, std::string_view call);

// How the database is set up; the reasons are in the source. `gate` may be null.
rocksdb::DBOptions DatabaseOptions(const RocksdbOptions& options,
                                   std::shared_ptr<rocksdb::Logger> log,
                                   std::shared_ptr<CompactionGate> gate = nullptr);
std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const RocksdbOptions& options);

// An open database; views share it, so a view that lives too long does no harm.
struct RocksdbStore::Engine {
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // The column family that holds `key`.
  rocksdb::ColumnFamilyHandle* FamilyOf(std::string_view key) const {
    return !key.empty() && key.front() == kBulkTable ? bulk_family : default_family;
  }

  std::string path;
  bool without_log = false;
  int lock = -1;                         // Of a store that is open for reading only.
  std::shared_ptr<CompactionGate> gate;  // May be null.
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::ColumnFamilyHandle* default_family = nullptr;
  rocksdb::ColumnFamilyHandle* bulk_family = nullptr;
};

// A snapshot of the database; its scans go through the column families in the order of the keys.
class RocksdbStore::View final : public ReadView {
 public:
  explicit View(std::shared_ptr<Engine> engine);
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() override;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const override;
  absl::Status Scan(std::string_view begin, std::string_view end,
                    const Visitor& visit) const override;
  absl::Status ScanReverse(std::string_view begin, std::string_view end,
                           const Visitor& visit) const override;

 private:
  // A part of a range that lies in one column family; an empty end is no end.
  struct Segment {
    rocksdb::ColumnFamilyHandle* family;
    std::string begin;
    std::string end;
  };
  enum class Direction { kAscending, kDescending };

  rocksdb::ReadOptions ReadOptions() const;
  std::vector<Segment> Segments(std::string_view begin, std::string_view end) const;
  absl::Status ScanSegment(const Segment& segment, Direction direction, const Visitor& visit,
                           bool* go_on) const;

  std::shared_ptr<Engine> engine_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace custody

#endif  // CUSTODY_STORAGE_ROCKSDB_ENGINE_H_
