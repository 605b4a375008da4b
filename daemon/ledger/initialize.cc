#include "daemon/ledger/initialize.h"

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/random.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/system_events.h"
#include "lifecycle/evaluate.h"

namespace custody {
namespace {

// Of what is signed and hashed; the store has a format of its own (schema.h).
constexpr std::uint32_t kLogFormatVersion = 1;

// Entry 0 and its seal.
constexpr std::uint64_t kInitialEntries = 2;

absl::Status CheckNoAnchor(const std::string& anchor_path) {
  if (anchor_path.empty() || access(anchor_path.c_str(), F_OK) != 0) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrFormat(
      "%s exists: it belongs to a ledger, whose store may be elsewhere", anchor_path));
}

absl::StatusOr<bool> IsEmpty(const ReadView& view) {
  CUSTODY_ASSIGN_OR_RETURN(const auto first, view.First("", ""));
  return !first.has_value();
}

void FillCreated(const LedgerKeys& keys, v1::LedgerCreated* created) {
  const std::string& origin = keys.log.verifier().name();
  created->set_ledger_id(std::string(Sha256(origin).view().substr(0, 16)));
  created->set_origin(origin);
  created->set_log_key(FormatVkey(keys.log.verifier()));
  created->set_format_version(kLogFormatVersion);
  created->set_rules_version(kRulesVersion);
}

absl::StatusOr<ParsedEvent> MakeEntry0(const LedgerKeys& keys, v1::LedgerCreated created,
                                       std::int64_t now_ms) {
  const std::string& origin = keys.log.verifier().name();
  FillCreated(keys, &created);
  v1::Event event;
  *event.mutable_ledger_created() = std::move(created);
  const SystemEvents system_events(origin, event.ledger_created().service().device_id(),
                                   keys.service);
  return system_events.Make(std::move(event), NewUuidV7(now_ms), now_ms, "");
}

// Whether entry 0 says what this call would say. Ids are drawn anew by each call and are taken
// over.
bool SaysTheSame(const LedgerKeys& keys, const v1::LedgerCreated& recorded,
                 v1::LedgerCreated created) {
  FillCreated(keys, &created);
  created.mutable_service()->set_device_id(recorded.service().device_id());
  if (created.principals_size() != recorded.principals_size()) return false;
  for (int i = 0; i < created.principals_size(); ++i) {
    created.mutable_principals(i)->set_principal_id(recorded.principals(i).principal_id());
  }
  return EncodeMessage(created) == EncodeMessage(recorded);
}

// A store that holds entry 0 and its seal, made with these keys for these people, and has no anchor
// was left by a call that was cut short between the two: nobody has served it, since serving writes
// a further seal at its start.
absl::StatusOr<InitialLedger> FinishInterrupted(const Store& store, const LedgerOptions& options,
                                                const LedgerKeys& keys,
                                                const v1::LedgerCreated& created) {
  const absl::Status foreign = absl::AlreadyExistsError("the store holds something already");
  if (options.anchor_path.empty()) return foreign;
  const absl::StatusOr<RecoveredLedger> recovered = RecoverLedger(store, keys.LogSigners());
  if (!recovered.ok() || recovered->snapshot->size() != kInitialEntries) return foreign;
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<v1::Entry> entry,
                           ReadEntry(*recovered->snapshot->view, 0));
  v1::Event event;
  if (!entry.has_value() || !event.ParseFromString(entry->signed_event().event()) ||
      !SaysTheSame(keys, event.ledger_created(), created)) {
    return foreign;
  }
  InitialLedger initial;
  initial.checkpoint = recovered->snapshot->checkpoint;
  initial.entry0_leaf_hash = recovered->entry0_leaf_hash;
  return initial;
}

// What everything else is compared with, signed and laid down in the anchor.
absl::StatusOr<InitialLedger> WithAnchor(const LedgerOptions& options, const LedgerKeys& keys,
                                         InitialLedger initial) {
  CUSTODY_ASSIGN_OR_RETURN(initial.note, SignCheckpoint(initial.checkpoint, keys.LogSigners()));
  if (!options.anchor_path.empty()) {
    CUSTODY_RETURN_IF_ERROR(WriteAnchor(options.anchor_path, initial.note));
  }
  return initial;
}

}  // namespace

absl::StatusOr<InitialLedger> InitializeLedger(Store& store, const LedgerOptions& options,
                                               const LedgerKeys& keys, const Clock& clock,
                                               v1::LedgerCreated created) {
  CUSTODY_RETURN_IF_ERROR(store.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> opened, store.OpenView());
  const std::shared_ptr<const ReadView> view = std::move(opened);
  CUSTODY_RETURN_IF_ERROR(CheckNoAnchor(options.anchor_path));
  CUSTODY_ASSIGN_OR_RETURN(const bool empty, IsEmpty(*view));
  if (!empty) {
    CUSTODY_ASSIGN_OR_RETURN(InitialLedger begun, FinishInterrupted(store, options, keys, created));
    return WithAnchor(options, keys, std::move(begun));
  }

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
  initial.entry0_leaf_hash = entry.leaf_hash;
  return WithAnchor(options, keys, std::move(initial));
}

}  // namespace custody
