#include "daemon/rebuild_command.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/files.h"
#include "daemon/ledger/rebuild.h"
#include "daemon/ledger/schema.h"
#include "daemon/parts.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

constexpr std::size_t kKeysShown = 10;
constexpr char kRebuiltSuffix[] = ".rebuilt";

// Not made from the log alone: what the last stop has left, and the history of the index, of which
// it depends on the hour how much is still there. Nobody believes either without the seals.
bool IsShortcut(std::string_view key) {
  return key == KeyOfMeta(MetaKey::kStoppedIndex) ||
         key.front() == static_cast<char>(Table::kIndexBuckets) ||
         key.front() == static_cast<char>(Table::kIndexChange);
}

// A store of an older format gets that of this program.
bool IsFormat(std::string_view key) { return key == KeyOfMeta(MetaKey::kFormat); }

// A leaf of the index that an older format has written lacks what stands behind its value.
bool SameValue(std::string_view key, std::string_view first, std::string_view second) {
  if (first == second) return true;
  return key.front() == static_cast<char>(Table::kIndexLeaf) &&
         first.size() == IndexValue::kSizeBytes &&
         second.substr(0, IndexValue::kSizeBytes) == first;
}

// Keys of `first` that `second` lacks or, if `values`, has with another value.
absl::Status CompareOneWay(const ReadView& first, const ReadView& second, bool values,
                           StoreDifference* difference) {
  absl::Status failure;
  CUSTODY_RETURN_IF_ERROR(first.Scan("", "", [&](std::string_view key, std::string_view value) {
    if (IsShortcut(key) || IsFormat(key)) return true;
    const absl::StatusOr<std::optional<std::string>> other = second.Get(key);
    if (!other.ok()) {
      failure = other.status();
      return false;
    }
    if (other->has_value() && (!values || SameValue(key, value, **other))) return true;
    ++difference->count;
    if (difference->keys.size() < kKeysShown) difference->keys.push_back(ToHex(key));
    return true;
  }));
  return failure;
}

absl::Status Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrFormat("cannot rename %s to %s: %s", from, to, error.message()));
}

absl::StatusOr<RebuildResult> RebuildBeside(const Config& config, const std::string& folder) {
  CUSTODY_ASSIGN_OR_RETURN(const auto source, RocksdbStore::Open(StoreOptionsOf(config)));
  RocksdbOptions options = StoreOptionsOf(config);
  options.path = folder;
  options.create_if_missing = true;
  CUSTODY_ASSIGN_OR_RETURN(const auto target, RocksdbStore::Open(options));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, RebuildLedger(*source, *target));
  CUSTODY_ASSIGN_OR_RETURN(const auto source_view, source->OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto target_view, target->OpenView());
  RebuildResult result;
  result.tree_size = checkpoint.size;
  CUSTODY_ASSIGN_OR_RETURN(result.difference, CompareStores(*source_view, *target_view));
  return result;
}

}  // namespace

absl::StatusOr<std::string> PutStoreInPlace(const std::string& store, const std::string& rebuilt,
                                            std::string_view suffix) {
  std::error_code error;
  std::string aside = absl::StrFormat("%s%s", store, suffix);
  for (int number = 2; std::filesystem::exists(aside, error); ++number) {
    aside = absl::StrFormat("%s%s-%d", store, suffix, number);
  }
  // The old store takes the name that the new one has: cut short here, nothing was moved yet.
  CUSTODY_RETURN_IF_ERROR(Rename(rebuilt, aside));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(store));
  const absl::Status exchanged = ExchangeFolders(aside, store);
  if (absl::IsUnimplemented(exchanged)) {
    CUSTODY_RETURN_IF_ERROR(Rename(aside, rebuilt));
    CUSTODY_RETURN_IF_ERROR(Rename(store, aside));
    CUSTODY_RETURN_IF_ERROR(Rename(rebuilt, store));
  } else {
    CUSTODY_RETURN_IF_ERROR(exchanged);
  }
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(store));
  return aside;
}

// A store that is missing while a rebuilt one lies beside it was moved away by a run that was cut
// short: the rebuilt one is all there is, and must not be taken for rubbish.
absl::Status CheckNoStoreIsBetween(const std::string& store, const std::string& beside) {
  std::error_code error;
  if (std::filesystem::exists(store, error) || !std::filesystem::exists(beside, error)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "%s is missing, and %s is there: an earlier run was cut short when it put the new store "
      "in place; rename %s to %s",
      store, beside, beside, store));
}

absl::StatusOr<StoreDifference> CompareStores(const ReadView& first, const ReadView& second) {
  StoreDifference difference;
  CUSTODY_RETURN_IF_ERROR(CompareOneWay(first, second, /*values=*/true, &difference));
  CUSTODY_RETURN_IF_ERROR(CompareOneWay(second, first, /*values=*/false, &difference));
  return difference;
}

absl::StatusOr<RebuildResult> RebuildStore(const Config& config, bool replace) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  const std::string folder = StoreFolder(config) + kRebuiltSuffix;
  CUSTODY_RETURN_IF_ERROR(CheckNoStoreIsBetween(StoreFolder(config), folder));
  std::error_code error;
  std::filesystem::remove_all(folder, error);  // Of a run that was cut short.
  absl::StatusOr<RebuildResult> result = RebuildBeside(config, folder);
  if (!result.ok() || result->difference.count == 0 || !replace) {
    std::filesystem::remove_all(folder, error);
    return result;
  }
  CUSTODY_ASSIGN_OR_RETURN(result->replaced,
                           PutStoreInPlace(StoreFolder(config), folder, ".before-rebuild"));
  return result;
}

}  // namespace custody
