#include "daemon/ledger/initialize.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/random.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/system_events.h"
#include "lifecycle/evaluate.h"

namespace custody {
namespace {

absl::Status CheckEmpty(const ReadView& view, const std::string& anchor_path) {
  CUSTODY_ASSIGN_OR_RETURN(const auto first, view.First("", ""));
  if (first.has_value()) return absl::AlreadyExistsError("the store holds something already");
  if (!anchor_path.empty() && access(anchor_path.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(absl::StrFormat(
        "%s exists: it belongs to a ledger, whose store may be elsewhere", anchor_path));
  }
  return absl::OkStatus();
}

absl::StatusOr<ParsedEvent> MakeEntry0(const LedgerKeys& keys, v1::LedgerCreated created,
                                       std::int64_t now_ms) {
  const std::string& origin = keys.log.verifier().name();
  created.set_ledger_id(std::string(Sha256(origin).view().substr(0, 16)));
  created.set_origin(origin);
  created.set_log_key(FormatVkey(keys.log.verifier()));
  created.set_format_version(kFormatVersion);
  created.set_rules_version(kRulesVersion);
  v1::Event event;
  *event.mutable_ledger_created() = std::move(created);
  const SystemEvents system_events(origin, event.ledger_created().service().device_id(),
                                   keys.service);
  return system_events.Make(std::move(event), NewUuidV7(now_ms), now_ms, "");
}

}  // namespace

absl::StatusOr<InitialLedger> InitializeLedger(Store& store, const LedgerOptions& options,
                                               const LedgerKeys& keys, const Clock& clock,
                                               v1::LedgerCreated created) {
  CUSTODY_RETURN_IF_ERROR(store.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> opened, store.OpenView());
  const std::shared_ptr<const ReadView> view = std::move(opened);
  CUSTODY_RETURN_IF_ERROR(CheckEmpty(*view, options.anchor_path));

  const std::int64_t now_ms = clock.WallMs();
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent event, MakeEntry0(keys, std::move(created), now_ms));
  StateOverlay overlay(view, 1'000);
  EvaluationInput input;
  input.recorded_at_ms = now_ms;
  input.from_ledger = true;
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(overlay, event, input));
  CUSTODY_RETURN_IF_ERROR(evaluation.verdict);

  LogBuilder builder(overlay, TileTree(), IndexTree());
  CUSTODY_ASSIGN_OR_RETURN(const AppendedEntry entry,
                           builder.AppendEvent(event, now_ms, evaluation.acceptance.findings));
  CUSTODY_ASSIGN_OR_RETURN(const SealedLog sealed, builder.AppendSeal(now_ms, kRulesVersion));
  WriteBatch writes = builder.TakeWrites();
  std::string format;
  AppendBigEndian32(kFormatVersion, &format);
  writes.Put(KeyOfMeta(MetaKey::kFormat), format);
  writes.Put(KeyOfMeta(MetaKey::kOrigin), keys.log.verifier().name());
  CUSTODY_RETURN_IF_ERROR(store.Apply(writes, Durability::kSynced));

  InitialLedger initial;
  initial.checkpoint = sealed.checkpoint;
  initial.checkpoint.origin = keys.log.verifier().name();
  CUSTODY_ASSIGN_OR_RETURN(initial.note, SignCheckpoint(initial.checkpoint, keys.log));
  initial.entry0_leaf_hash = entry.leaf_hash;
  if (!options.anchor_path.empty()) {
    CUSTODY_RETURN_IF_ERROR(WriteAnchor(options.anchor_path, initial.note));
  }
  return initial;
}

}  // namespace custody
