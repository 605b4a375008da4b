#include "daemon/entry_source.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/tiles.h"
#include "daemon/backup.h"
#include "daemon/files.h"
#include "daemon/ledger/schema.h"
#include "daemon/parts.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBundleBytesMax = std::size_t{kTileWidth} * (2 + 65'535);

// The entries of a bundle file, each after its length in two bytes; what is cut short is left out.
std::vector<std::string> SplitBundle(std::string_view bytes) {
  std::vector<std::string> entries;
  while (bytes.size() >= 2) {
    const std::size_t length =
        (static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8U) |
        static_cast<unsigned char>(bytes[1]);
    if (bytes.size() - 2 < length) break;
    entries.emplace_back(bytes.substr(2, length));
    bytes.remove_prefix(2 + length);
  }
  return entries;
}

class ExportedLog final : public EntrySource {
 public:
  ExportedLog(std::string folder, std::string note)
      : EntrySource(std::move(note)), folder_(std::move(folder)) {}

  absl::StatusOr<std::optional<std::string>> Read(std::uint64_t index) override {
    const std::uint64_t bundle = index / kTileWidth;
    if (!read_ || bundle != bundle_) {
      entries_ = SplitBundle(ReadBundle(bundle));
      bundle_ = bundle;
      read_ = true;
    }
    const std::uint64_t place = index % kTileWidth;
    if (place >= entries_.size()) return std::optional<std::string>();
    return std::optional<std::string>(entries_[place]);
  }

 private:
  static std::string ReadFile(const fs::path& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    if (error || size > kBundleBytesMax || !in) return {};
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  // The full file, or else the widest partial one.
  std::string ReadBundle(std::uint64_t bundle) const {
    const fs::path folder(folder_);
    if (fs::exists(folder / EntryBundlePath({0, bundle, kTileWidth}))) {
      return ReadFile(folder / EntryBundlePath({0, bundle, kTileWidth}));
    }
    for (std::uint32_t width = kTileWidth - 1; width > 0; --width) {
      const fs::path file = folder / EntryBundlePath({0, bundle, width});
      std::error_code error;
      if (fs::exists(file, error)) return ReadFile(file);
    }
    return {};
  }

  const std::string folder_;
  bool read_ = false;
  std::uint64_t bundle_ = 0;
  std::vector<std::string> entries_;
};

class StoredLog final : public EntrySource {
 public:
  StoredLog(std::unique_ptr<RocksdbStore> store, std::unique_ptr<ReadView> view, std::string note)
      : EntrySource(std::move(note)), store_(std::move(store)), view_(std::move(view)) {}

  absl::StatusOr<std::optional<std::string>> Read(std::uint64_t index) override {
    absl::StatusOr<std::optional<std::string>> bytes = view_->Get(KeyOfEntry(index));
    if (absl::IsDataLoss(bytes.status())) return std::optional<std::string>();
    return bytes;
  }

 private:
  const std::unique_ptr<RocksdbStore> store_;
  const std::unique_ptr<ReadView> view_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EntrySource>> EntrySource::Open(const Config& config,
                                                               const std::string& folder) {
  std::error_code error;
  const absl::StatusOr<std::string> note = ReadSmallFile("checkpoint", BackupCheckpoint(folder));
  if (fs::is_directory(fs::path(folder) / "tile" / "entries", error)) {
    CUSTODY_RETURN_IF_ERROR(note.status());
    return std::unique_ptr<EntrySource>(std::make_unique<ExportedLog>(folder, *note));
  }
  if (!fs::is_directory(BackupStore(folder), error)) {
    return absl::NotFoundError(absl::StrFormat(
        "%s holds neither an exported log (checkpoint, tile/entries) nor a store (store)", folder));
  }
  RocksdbOptions options = StoreOptionsOf(config);
  options.path = BackupStore(folder);
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<RocksdbStore> store,
                           RocksdbStore::OpenReadOnly(options));
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, store->OpenView());
  return std::unique_ptr<EntrySource>(std::make_unique<StoredLog>(
      std::move(store), std::move(view), note.ok() ? *note : std::string()));
}

}  // namespace custody
