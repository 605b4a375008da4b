#include "daemon/repair_command.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "daemon/entry_source.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/repair_plan.h"
#include "daemon/ledger/schema.h"
#include "daemon/parts.h"
#include "daemon/rebuild_command.h"
#include "nlohmann/json.hpp"
#include "storage/key_codec.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr char kRepairedSuffix[] = ".repaired";

// What the log has signed, as far as it is at hand; a note that is not its own is left aside.
class SignedCheckpoints {
 public:
  SignedCheckpoints(std::string origin, std::vector<NoteVerifier> log_keys)
      : origin_(std::move(origin)), log_keys_(std::move(log_keys)) {}

  void Add(std::string_view note) {
    const absl::StatusOr<OpenedCheckpoint> opened = OpenCheckpoint(note, origin_, log_keys_);
    if (opened.ok()) checkpoints_.push_back(opened->checkpoint);
  }
  const std::vector<Checkpoint>& all() const { return checkpoints_; }

 private:
  const std::string origin_;
  const std::vector<NoteVerifier> log_keys_;
  std::vector<Checkpoint> checkpoints_;
};

std::vector<Checkpoint> CheckpointsAtHand(const Config& config, const ReadView& view,
                                          const Checkpoint& head,
                                          std::vector<NoteVerifier> log_keys,
                                          const EntrySource* other) {
  SignedCheckpoints checkpoints(head.origin, std::move(log_keys));
  const absl::StatusOr<std::string> anchor = ReadAnchor(AnchorFile(config));
  if (anchor.ok()) checkpoints.Add(*anchor);
  const std::string prefix = PrefixOfTable(Table::kCheckpoint);
  const auto newest = view.Last(prefix, PrefixEnd(prefix));
  if (newest.ok() && newest->has_value()) checkpoints.Add((*newest)->value);
  if (other != nullptr) checkpoints.Add(other->note());
  return checkpoints.all();
}

absl::Status CheckSomethingIsSigned(const std::vector<Checkpoint>& checkpoints,
                                    std::uint64_t size) {
  for (const Checkpoint& checkpoint : checkpoints) {
    if (checkpoint.size <= size) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "no signed checkpoint of this log is at hand, neither in the anchor nor in the store nor "
      "beside the other copy: nothing can be told from a forgery");
}

// The store as the plan has it: own entries, and those of the other copy where the plan says so.
absl::StatusOr<std::optional<std::string>> ReadAsPlanned(const ReadView& view, EntrySource* other,
                                                         const RepairPlan& plan,
                                                         std::uint64_t index) {
  const auto restored = plan.restore.find(index);
  if (restored == plan.restore.end()) return view.Get(KeyOfEntry(index));
  CUSTODY_ASSIGN_OR_RETURN(auto bytes, other->Read(index));
  // It is read a second time, and may have become another one.
  if (bytes.has_value() && LeafHash(*bytes) == restored->second) return bytes;
  return absl::DataLossError(
      absl::StrFormat("entry %d of the other copy has changed meanwhile", index));
}

// Of some entries only: the rest stays as it is.
absl::Status PutBack(Store& store, const EntryReader& read, const RepairPlan& plan) {
  WriteBatch writes;
  for (const auto& [index, leaf] : plan.restore) {
    CUSTODY_ASSIGN_OR_RETURN(const auto bytes, read(index));
    writes.Put(KeyOfEntry(index), *bytes);
  }
  return store.Apply(writes, Durability::kSynced);
}

// Whether the store is just what the rebuilt one is; one that cannot be read is not.
absl::StatusOr<bool> IsTheSame(const Store& first, const Store& second) {
  CUSTODY_ASSIGN_OR_RETURN(const auto first_view, first.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto second_view, second.OpenView());
  const absl::StatusOr<StoreDifference> difference = CompareStores(*first_view, *second_view);
  if (absl::IsDataLoss(difference.status())) return false;
  CUSTODY_RETURN_IF_ERROR(difference.status());
  return difference->count == 0;
}

class Repair {
 public:
  Repair(const Config& config, const RepairArguments& arguments)
      : config_(config), arguments_(arguments), beside_(StoreFolder(config) + kRepairedSuffix) {}

  absl::StatusOr<RepairReport> Run(const RebuildProgress& progress);

 private:
  absl::Status Plan(const RebuildProgress& progress);
  // Whether the rebuilt store is to take the old one's place.
  absl::StatusOr<bool> Rebuild(const RebuildProgress& progress);
  absl::Status Carry(const RebuildProgress& progress);

  const Config& config_;
  const RepairArguments& arguments_;
  const std::string beside_;
  std::optional<LedgerKeys> keys_;
  std::unique_ptr<EntrySource> other_;
  std::unique_ptr<RocksdbStore> store_;
  std::unique_ptr<ReadView> view_;
  RepairPlan plan_;
  RepairReport report_;
};

absl::Status Repair::Plan(const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, ReadHead(*view_));
  if (head.origin != config_.ledger.origin) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the store is of the ledger %s, ledger.origin is %s", head.origin, config_.ledger.origin));
  }
  const std::vector<Checkpoint> checkpoints =
      CheckpointsAtHand(config_, *view_, head, keys_->LogVerifiers(), other_.get());
  CUSTODY_RETURN_IF_ERROR(CheckSomethingIsSigned(checkpoints, head.size));
  EntryReader other;
  if (other_ != nullptr) {
    other = [this](std::uint64_t index) { return other_->Read(index); };
  }
  CUSTODY_ASSIGN_OR_RETURN(plan_, PlanRepair(*view_, head, checkpoints, other, progress));
  report_.entries = plan_.entries;
  report_.lost = plan_.lost;
  report_.tiles = plan_.tiles.size();
  for (const auto& [index, leaf] : plan_.restore) report_.restored.push_back(index);
  return absl::OkStatus();
}

absl::StatusOr<bool> Repair::Rebuild(const RebuildProgress& progress) {
  std::error_code error;
  fs::remove_all(beside_, error);  // Of a run that was cut short.
  RocksdbOptions options = StoreOptionsOf(config_);
  options.path = beside_;
  options.create_if_missing = true;
  CUSTODY_ASSIGN_OR_RETURN(const auto target, RocksdbStore::Open(options));
  const EntryReader read = [this](std::uint64_t index) {
    return ReadAsPlanned(*view_, other_.get(), plan_, index);
  };
  CUSTODY_RETURN_IF_ERROR(
      RebuildFromEntries(read, *view_, keys_->LogSigners(), *target, progress).status());
  report_.rebuilt = true;
  if (!plan_.restore.empty() || !plan_.tiles.empty()) return true;
  CUSTODY_ASSIGN_OR_RETURN(const bool same, IsTheSame(*store_, *target));
  return !same;
}

absl::Status Repair::Carry(const RebuildProgress& progress) {
  if (!plan_.lost.empty()) {
    const EntryReader read = [this](std::uint64_t index) {
      return ReadAsPlanned(*view_, other_.get(), plan_, index);
    };
    return PutBack(*store_, read, plan_);
  }
  const absl::StatusOr<bool> replace = Rebuild(progress);
  view_.reset();
  store_.reset();
  std::error_code error;
  if (!replace.ok() || !*replace) {
    fs::remove_all(beside_, error);
    return replace.status();
  }
  CUSTODY_ASSIGN_OR_RETURN(report_.replaced,
                           PutStoreInPlace(StoreFolder(config_), beside_, ".before-repair"));
  // What it calls damaged is the store that was put aside.
  fs::remove(ScrubStateFile(config_), error);
  return absl::OkStatus();
}

absl::StatusOr<RepairReport> Repair::Run(const RebuildProgress& progress) {
  CUSTODY_RETURN_IF_ERROR(CheckNoStoreIsBetween(StoreFolder(config_), beside_));
  CUSTODY_ASSIGN_OR_RETURN(keys_, LoadKeys(config_));
  if (!arguments_.from.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(other_, EntrySource::Open(config_, arguments_.from));
  }
  const RocksdbOptions options = StoreOptionsOf(config_);
  CUSTODY_ASSIGN_OR_RETURN(store_, arguments_.dry_run ? RocksdbStore::OpenReadOnly(options)
                                                      : RocksdbStore::Open(options));
  CUSTODY_ASSIGN_OR_RETURN(view_, store_->OpenView());
  CUSTODY_RETURN_IF_ERROR(Plan(progress));
  if (arguments_.dry_run) return report_;
  CUSTODY_RETURN_IF_ERROR(Carry(progress));
  return report_;
}

}  // namespace

absl::StatusOr<RepairReport> RepairStore(const Config& config, const RepairArguments& arguments,
                                         const RebuildProgress& progress) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  absl::StatusOr<RepairReport> report = Repair(config, arguments).Run(progress);
  // A disk that fails is no bug of the program.
  if (absl::IsInternal(report.status())) {
    return absl::UnavailableError(report.status().message());
  }
  return report;
}

std::string RepairReportJson(const RepairReport& report) {
  nlohmann::ordered_json json;
  json["entries"] = report.entries;
  json["restored"] = report.restored;
  json["lost"] = nlohmann::ordered_json::array();
  for (const Damage& damage : report.lost) {
    json["lost"].push_back({{"where", damage.where}, {"what", damage.what}});
  }
  json["tiles"] = report.tiles;
  json["rebuilt"] = report.rebuilt;
  json["replaced"] = report.replaced;
  return json.dump();
}

}  // namespace custody
