#include "daemon/scrub_command.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/recovery.h"
#include "daemon/parts.h"
#include "nlohmann/json.hpp"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

void Add(ScrubReport* report, std::string where, std::string_view what) {
  ++report->damage_count;
  report->damage.push_back({std::move(where), std::string(what)});
}

// A log of the store that ends early looks like a crash; only the anchor knows better. Signatures
// are not checked here: the daemon does it when it starts.
absl::Status CompareWithAnchor(const Config& config, const ReadView& view, ScrubReport* report) {
  const std::string path = AnchorFile(config);
  const absl::StatusOr<Checkpoint> head = ReadHead(view);
  if (path.empty() || !head.ok()) return absl::OkStatus();  // Without a head: reported already.
  const std::string where = absl::StrFormat("the anchor %s", path);
  const absl::StatusOr<std::string> bytes = ReadAnchor(path);
  if (absl::IsNotFound(bytes.status())) {
    Add(report, where, "is missing");
    return absl::OkStatus();
  }
  CUSTODY_RETURN_IF_ERROR(bytes.status());
  const absl::StatusOr<Note> note = ParseNote(*bytes);
  const absl::StatusOr<Checkpoint> anchor =
      note.ok() ? ParseCheckpointText(note->text) : absl::StatusOr<Checkpoint>(note.status());
  if (!anchor.ok()) {
    Add(report, where, StdView(anchor.status().message()));
  } else if (anchor->size > head->size) {
    Add(report, where,
        absl::StrFormat("has %d entries, the store only %d", anchor->size, head->size));
  }
  return absl::OkStatus();
}

absl::StatusOr<ScrubReport> Scrub(const Config& config, const RebuildProgress& progress) {
  const RocksdbOptions options = StoreOptionsOf(config);
  const auto store = RocksdbStore::OpenReadOnly(options);
  if (!store.ok() && !absl::IsDataLoss(store.status())) return store.status();
  ScrubReport report;
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<DamagedFile> files,
                           RocksdbStore::FindDamagedTables(options));
  for (const DamagedFile& file : files) Add(&report, "file " + file.name, file.reason);
  if (!store.ok()) {
    Add(&report, "the store", StdView(store.status().message()));
    return report;
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, (*store)->OpenView());
  CUSTODY_ASSIGN_OR_RETURN(ScrubReport log, ScrubLog(*view, progress));
  report.entries = log.entries;
  report.damage_count += log.damage_count;
  for (Damage& damage : log.damage) report.damage.push_back(std::move(damage));
  CUSTODY_RETURN_IF_ERROR(CompareWithAnchor(config, *view, &report));
  return report;
}

}  // namespace

absl::StatusOr<ScrubReport> ScrubStore(const Config& config, const RebuildProgress& progress) {
  CUSTODY_RETURN_IF_ERROR(ValidateConfig(config));
  absl::StatusOr<ScrubReport> report = Scrub(config, progress);
  // A disk that fails is no bug of the program.
  if (absl::IsInternal(report.status())) {
    return absl::UnavailableError(report.status().message());
  }
  return report;
}

std::string ScrubReportJson(const ScrubReport& report) {
  nlohmann::ordered_json json;
  json["entries"] = report.entries;
  json["damage_count"] = report.damage_count;
  json["damage"] = nlohmann::ordered_json::array();
  for (const Damage& damage : report.damage) {
    json["damage"].push_back({{"where", damage.where}, {"what", damage.what}});
  }
  // Reasons may quote damaged bytes.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace custody
