#include "daemon/ledger/index_buckets.h"

#include <utility>
#include <vector>

#include "base/bytes.h"

namespace custody {
namespace {

constexpr std::size_t kSizeBytes = 8;
constexpr std::size_t kRecordBytes = 2 + 8 + Digest::kSizeBytes;

}  // namespace

std::string EncodeIndexBuckets(std::uint64_t log_size, const IndexSnapshot& index) {
  const std::vector<IndexBucketRecord> buckets = index.Buckets();
  std::string value;
  value.reserve(kSizeBytes + buckets.size() * kRecordBytes);
  AppendBigEndian64(log_size, &value);
  for (const IndexBucketRecord& record : buckets) {
    AppendBigEndian16(record.bucket, &value);
    AppendBigEndian64(record.leaf_count, &value);
    value.append(record.root.view());
  }
  value.append(Sha256(value).view());
  return value;
}

std::optional<IndexBuckets> DecodeIndexBuckets(std::string_view value) {
  std::string_view rest = value;
  if (rest.size() < kSizeBytes + Digest::kSizeBytes) return std::nullopt;
  const std::string_view digest = rest.substr(rest.size() - Digest::kSizeBytes);
  rest.remove_suffix(Digest::kSizeBytes);
  if (Sha256(rest).view() != digest) return std::nullopt;
  IndexBuckets decoded;
  decoded.log_size = ReadBigEndian64(rest);
  rest.remove_prefix(kSizeBytes);
  if (rest.size() % kRecordBytes != 0) return std::nullopt;
  std::vector<IndexBucketRecord> buckets;
  buckets.reserve(rest.size() / kRecordBytes);
  for (; !rest.empty(); rest.remove_prefix(kRecordBytes)) {
    const absl::StatusOr<Digest> root = Digest::FromBytes(rest.substr(10, Digest::kSizeBytes));
    if (!root.ok()) return std::nullopt;
    buckets.push_back({ReadBigEndian16(rest), ReadBigEndian64(rest.substr(2)), *root});
  }
  absl::StatusOr<IndexTree> index = IndexTree::Load(buckets);
  if (!index.ok()) return std::nullopt;
  decoded.index = *std::move(index);
  return decoded;
}

}  // namespace custody
