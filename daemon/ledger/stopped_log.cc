#include "daemon/ledger/stopped_log.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "daemon/ledger/index_buckets.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

// What the largest log and a full index need is some 2.9 MB.
constexpr std::uintmax_t kBytesMax = 4U << 20;

// Takes the partial tiles of a log of this size from the front.
std::optional<TileTree> DecodeTree(std::uint64_t log_size, std::string_view* rest) {
  std::array<std::string, kTileLevels> partial;
  for (std::uint32_t level = 0; level < kTileLevels; ++level) {
    const std::size_t bytes = PartialTileWidth(level, log_size) * Digest::kSizeBytes;
    if (rest->size() < bytes) return std::nullopt;
    partial[level] = rest->substr(0, bytes);
    rest->remove_prefix(bytes);
  }
  absl::StatusOr<TileTree> tree = TileTree::FromPartialTiles(log_size, std::move(partial));
  if (!tree.ok()) return std::nullopt;
  return *std::move(tree);
}

}  // namespace

std::string EncodeLogAtStop(const TileEdge& edge, const IndexSnapshot& index) {
  std::string value;
  AppendBigEndian64(edge.size, &value);
  for (const std::string& partial : edge.partial) value.append(partial);
  return value + EncodeIndexBuckets(edge.size, index);
}

std::optional<LogAtStop> DecodeLogAtStop(std::string_view value) {
  std::string_view rest = value;
  if (rest.size() < sizeof(std::uint64_t)) return std::nullopt;
  const std::uint64_t log_size = ReadBigEndian64(rest);
  rest.remove_prefix(sizeof(std::uint64_t));
  std::optional<TileTree> tree = DecodeTree(log_size, &rest);
  if (!tree.has_value()) return std::nullopt;
  std::optional<IndexBuckets> buckets = DecodeIndexBuckets(rest);
  if (!buckets.has_value() || buckets->log_size != log_size) return std::nullopt;
  return LogAtStop{*std::move(tree), std::move(buckets->index)};
}

namespace {

std::optional<LogAtStop> ReadFile(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > kBytesMax) return std::nullopt;
  std::string value(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(value.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return DecodeLogAtStop(value);
}

}  // namespace

StoppedLog::StoppedLog(std::string path)
    : path_(std::move(path)),
      left_(std::async(std::launch::async, [this] { return ReadFile(path_); })) {}

std::optional<LogAtStop> StoppedLog::Take(std::uint64_t log_size) {
  if (!left_.valid()) return std::nullopt;
  std::optional<LogAtStop> left = left_.get();
  if (!left.has_value() || left->tree.size() != log_size) return std::nullopt;
  return left;
}

absl::Status StoppedLog::Leave(const TileEdge& edge, const IndexSnapshot& index) const {
  const std::string beside = path_ + ".new";
  std::error_code error;
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << EncodeLogAtStop(edge, index);
    file.close();
    if (!file) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) fs::rename(beside, path_, error);
  if (!error) return absl::OkStatus();
  std::error_code ignored;
  fs::remove(beside, ignored);
  return absl::UnavailableError(absl::StrFormat("cannot write %s: %s", path_, error.message()));
}

}  // namespace custody
