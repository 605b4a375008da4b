#include "daemon/ledger/index_history.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "daemon/ledger/index_buckets.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kRecordBytes = 2 + 8 + Digest::kSizeBytes;

// All buckets are written again when so many times their number have changed. More costs whoever
// asks for an old checkpoint, less costs the disk.
constexpr std::size_t kWholeEvery = 4;
constexpr std::uint64_t kBuckets = std::uint64_t{1} << kIndexBucketBits;

constexpr std::size_t kClearedRowsMax = 1'024;
constexpr std::int64_t kClearEveryMs = 1'000;

// By bucket, as they were.
using Records = std::map<std::uint16_t, IndexBucketRecord>;

// Adds the records of one row; those that are there are older and stay.
absl::Status AddChange(std::string_view row, Records* records) {
  if (row.size() < kTimeBytes || (row.size() - kTimeBytes) % kRecordBytes != 0) {
    return absl::DataLossError("a row of the index's history is malformed");
  }
  for (row.remove_prefix(kTimeBytes); !row.empty(); row.remove_prefix(kRecordBytes)) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest root,
                             Digest::FromBytes(row.substr(2 + 8, Digest::kSizeBytes)));
    const std::uint16_t bucket = ReadBigEndian16(row);
    records->try_emplace(bucket, IndexBucketRecord{bucket, ReadBigEndian64(row.substr(2)), root});
  }
  return absl::OkStatus();
}

absl::Status NotKept(std::uint64_t size) {
  return absl::NotFoundError(absl::StrFormat(
      "the subject index at %d entries is not kept: no checkpoint has that size, or it is older "
      "than the history of the index; ask for a newer one",
      size));
}

struct WholeIndex {
  std::uint64_t size = 0;
  IndexSnapshot index;
};

// The first from `size` on; the newest if none is stored, or one that is damaged.
absl::StatusOr<WholeIndex> NearestWhole(const ReadView& view, WholeIndex newest,
                                        std::uint64_t size) {
  CUSTODY_ASSIGN_OR_RETURN(const auto stored,
                           view.First(KeyOfIndexBuckets(size), KeyOfIndexBuckets(newest.size)));
  if (!stored.has_value()) return newest;
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t at, IndexInKey(stored->key));
  const std::optional<IndexBuckets> buckets = DecodeIndexBuckets(stored->value);
  const bool whole = buckets.has_value() && buckets->log_size == at;
  return whole ? WholeIndex{at, buckets->index.Snapshot()} : newest;
}

}  // namespace

std::string EncodeIndexChange(std::int64_t ended_at_ms, const IndexSnapshot& before,
                              std::span<const IndexBucketRecord> changed) {
  std::string value;
  value.reserve(kTimeBytes + changed.size() * kRecordBytes);
  AppendBigEndian64(static_cast<std::uint64_t>(ended_at_ms), &value);
  for (const IndexBucketRecord& record : changed) {
    const IndexBucketRecord old = before.Bucket(record.bucket);
    AppendBigEndian16(old.bucket, &value);
    AppendBigEndian64(old.leaf_count, &value);
    value.append(old.root.view());
  }
  return value;
}

absl::StatusOr<IndexSnapshot> IndexAt(const ReadView& view, std::uint64_t newest_size,
                                      const IndexSnapshot& newest, std::uint64_t size) {
  if (size == newest_size) return newest;
  if (size > newest_size) return NotKept(size);
  CUSTODY_ASSIGN_OR_RETURN(const WholeIndex whole, NearestWhole(view, {newest_size, newest}, size));
  if (whole.size == size) return whole.index;
  Records records;
  absl::Status bad;
  bool is_kept = false;
  CUSTODY_RETURN_IF_ERROR(view.Scan(KeyOfIndexChange(size), KeyOfIndexChange(whole.size),
                                    [&](std::string_view key, std::string_view row) {
                                      is_kept = is_kept || key == KeyOfIndexChange(size);
                                      if (is_kept) bad = AddChange(row, &records);
                                      return is_kept && bad.ok();
                                    }));
  CUSTODY_RETURN_IF_ERROR(bad);
  if (!is_kept) return NotKept(size);
  std::vector<IndexBucketRecord> ascending;
  ascending.reserve(records.size());
  for (const auto& [bucket, record] : records) ascending.push_back(record);
  return whole.index.With(ascending);
}

absl::StatusOr<std::optional<std::uint64_t>> WitnessedSize(const ReadView& view) {
  CUSTODY_ASSIGN_OR_RETURN(const auto note, view.Get(KeyOfMeta(MetaKey::kWitnessed)));
  if (!note.has_value()) return std::nullopt;
  const absl::StatusOr<Note> parsed = ParseNote(*note);
  if (!parsed.ok()) return std::nullopt;
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpointText(parsed->text);
  if (!checkpoint.ok()) return std::nullopt;
  return checkpoint->size;
}

absl::StatusOr<WriteBatch> IndexHistoryKeeper::AfterBatch(const LedgerSnapshot& snapshot,
                                                          std::size_t index_buckets) {
  WriteBatch writes;
  changed_since_whole_ += index_buckets;
  const std::uint64_t buckets =
      std::clamp(snapshot.index.leaf_count(), whole_buckets_min_, kBuckets);
  if (changed_since_whole_ >= kWholeEvery * buckets) {
    writes.Put(KeyOfIndexBuckets(snapshot.size()),
               EncodeIndexBuckets(snapshot.size(), snapshot.index));
    changed_since_whole_ = 0;
  }
  if (snapshot.recorded_at_ms - cleared_at_ms_ >= kClearEveryMs) {
    cleared_at_ms_ = snapshot.recorded_at_ms;
    CUSTODY_RETURN_IF_ERROR(ClearAway(snapshot, &writes));
  }
  return writes;
}

absl::Status IndexHistoryKeeper::ClearAway(const LedgerSnapshot& snapshot, WriteBatch* writes) {
  const ReadView& view = *snapshot.view;
  const std::int64_t from_ms = snapshot.recorded_at_ms - history_ms_;
  std::vector<std::string> expired;
  std::uint64_t kept_from = snapshot.size();
  absl::Status bad;
  CUSTODY_RETURN_IF_ERROR(view.Scan(
      KeyOfIndexChange(cleared_to_), PrefixEnd(PrefixOfTable(Table::kIndexChange)),
      [&](std::string_view key, std::string_view row) {
        const bool has_time = row.size() >= kTimeBytes;
        if (has_time && static_cast<std::int64_t>(ReadBigEndian64(row)) < from_ms &&
            expired.size() < kClearedRowsMax) {
          expired.emplace_back(key);
          return true;
        }
        const absl::StatusOr<std::uint64_t> size = IndexInKey(key);
        if (size.ok()) kept_from = *size;
        bad = has_time ? size.status() : absl::DataLossError("a row of the index's history is cut");
        return false;
      }));
  CUSTODY_RETURN_IF_ERROR(bad);
  cleared_to_ = kept_from;
  if (expired.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> witnessed, WitnessedSize(view));
  for (const std::string& key : expired) {
    // The last moment at which the index can still be made from rows.
    if (witnessed.has_value() && key == KeyOfIndexChange(*witnessed)) {
      CUSTODY_ASSIGN_OR_RETURN(const IndexSnapshot index,
                               IndexAt(view, snapshot.size(), snapshot.index, *witnessed));
      writes->Put(KeyOfIndexBuckets(*witnessed), EncodeIndexBuckets(*witnessed, index));
    }
    writes->Delete(key);
  }
  return view.Scan(KeyOfIndexBuckets(0), KeyOfIndexBuckets(kept_from),
                   [&](std::string_view key, std::string_view) {
                     if (!witnessed.has_value() || key != KeyOfIndexBuckets(*witnessed)) {
                       writes->Delete(key);
                     }
                     return true;
                   });
}

}  // namespace custody
