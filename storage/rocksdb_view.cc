#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "storage/rocksdb_engine.h"

namespace custody {
namespace {

// True if nothing lies between them; an empty `end` is no end.
bool IsEmptyRange(std::string_view begin, std::string_view end) {
  return !end.empty() && begin >= end;
}

// The lower of two ends, where empty is no end.
std::string_view LowerEnd(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) {
    return a.empty() ? b : a;
  }
  return std::min(a, b);
}

}  // namespace

RocksdbStore::View::View(std::shared_ptr<Engine> engine)
    : engine_(std::move(engine)), snapshot_(engine_->db->GetSnapshot()) {}

RocksdbStore::View::~View() { engine_->db->ReleaseSnapshot(snapshot_); }

rocksdb::ReadOptions RocksdbStore::View::ReadOptions() const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  return options;
}

absl::StatusOr<std::optional<std::string>> RocksdbStore::View::Get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      engine_->db->Get(ReadOptions(), engine_->FamilyOf(key), ToSlice(key), &value);
  if (status.IsNotFound()) {
    return std::optional<std::string>();
  }
  CUSTODY_RETURN_IF_ERROR(FromRocksdb(status, "get"));
  return std::optional<std::string>(std::move(value));
}

absl::StatusOr<std::vector<std::optional<std::string>>> RocksdbStore::View::MultiGet(
    std::span<const std::string> keys) const {
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::vector<rocksdb::Slice> slices;
  families.reserve(keys.size());
  slices.reserve(keys.size());
  for (const std::string& key : keys) {
    families.push_back(engine_->FamilyOf(key));
    slices.push_back(ToSlice(key));
  }
  std::vector<std::string> found;
  const std::vector<rocksdb::Status> statuses =
      engine_->db->MultiGet(ReadOptions(), families, slices, &found);
  std::vector<std::optional<std::string>> values(keys.size());
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (statuses[at].IsNotFound()) {
      continue;
    }
    CUSTODY_RETURN_IF_ERROR(FromRocksdb(statuses[at], "multi-get"));
    values[at] = std::move(found[at]);
  }
  return values;
}

std::vector<RocksdbStore::View::Segment> RocksdbStore::View::Segments(std::string_view begin,
                                                                      std::string_view end) const {
  static constexpr char kBulk[] = {kBulkTable};
  static constexpr char kBulkEnd[] = {kBulkTable + 1};
  const std::string_view bulk(kBulk, 1);
  const std::string_view bulk_end(kBulkEnd, 1);
  const Segment parts[] = {
      {engine_->default_family, std::string(begin), std::string(LowerEnd(bulk, end))},
      {engine_->bulk_family, std::string(std::max(begin, bulk)),
       std::string(LowerEnd(bulk_end, end))},
      {engine_->default_family, std::string(std::max(begin, bulk_end)), std::string(end)},
  };
  std::vector<Segment> segments;
  for (const Segment& part : parts) {
    if (!IsEmptyRange(part.begin, part.end)) {
      segments.push_back(part);
    }
  }
  return segments;
}

absl::Status RocksdbStore::View::ScanSegment(const Segment& segment, Direction direction,
                                             const Visitor& visit, bool* go_on) const {
  const rocksdb::Slice lower = ToSlice(segment.begin);
  const rocksdb::Slice upper = ToSlice(segment.end);
  rocksdb::ReadOptions options = ReadOptions();
  options.iterate_lower_bound = &lower;
  if (!segment.end.empty()) {
    options.iterate_upper_bound = &upper;
  }
  const bool ascending = direction == Direction::kAscending;
  const std::unique_ptr<rocksdb::Iterator> at(engine_->db->NewIterator(options, segment.family));
  for (ascending ? at->SeekToFirst() : at->SeekToLast(); at->Valid();
       ascending ? at->Next() : at->Prev()) {
    if (!visit(FromSlice(at->key()), FromSlice(at->value()))) {
      *go_on = false;
      return absl::OkStatus();
    }
  }
  return FromRocksdb(at->status(), "scan");
}

absl::Status RocksdbStore::View::Scan(std::string_view begin, std::string_view end,
                                      const Visitor& visit) const {
  bool go_on = true;
  for (const Segment& segment : Segments(begin, end)) {
    CUSTODY_RETURN_IF_ERROR(ScanSegment(segment, Direction::kAscending, visit, &go_on));
    if (!go_on) {
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status RocksdbStore::View::ScanReverse(std::string_view begin, std::string_view end,
                                             const Visitor& visit) const {
  bool go_on = true;
  const std::vector<Segment> segments = Segments(begin, end);
  for (auto segment = segments.rbegin(); go_on && segment != segments.rend(); ++segment) {
    CUSTODY_RETURN_IF_ERROR(ScanSegment(*segment, Direction::kDescending, visit, &go_on));
  }
  return absl::OkStatus();
}

}  // namespace custody
