#include "daemon/ledger/recovery.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/ledger/anchor.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/stopped_log.h"
#include "lifecycle/subject.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

absl::StatusOr<std::uint32_t> ReadFormat(const ReadView& view) {
  CUSTODY_ASSIGN_OR_RETURN(const auto format, view.Get(KeyOfMeta(MetaKey::kFormat)));
  if (!format.has_value()) return absl::NotFoundError("the store holds no ledger");
  if (format->size() != 4) return absl::DataLossError("the format version is malformed");
  const std::uint32_t version = ReadBigEndian32(*format);
  if (version >= kFormatVersionMin && version <= kFormatVersion) return version;
  return absl::FailedPreconditionError(absl::StrFormat(
      "the store has format %d, this program knows %d to %d: use the program that wrote it last",
      version, kFormatVersionMin, kFormatVersion));
}

bool Agrees(const IndexTree& index, const v1::Seal& seal) {
  return seal.index_root() == index.Root().view() && seal.subject_count() == index.leaf_count();
}

absl::StatusOr<IndexTree> RestoreIndex(const ReadView& view, const v1::Entry& seal,
                                       std::optional<LogAtStop> stopped) {
  // Entry 0 is about the ledger, so that no index is empty.
  if ((seal.seal().subject_count() == 0) != kWithoutIndex) {
    return absl::DataLossError(
        kWithoutIndex
            ? "this program is built without the subject index, to measure what it costs, "
              "and opens no ledger that has one"
            : "the last seal says that the subject index is empty");
  }
  if (stopped.has_value() && Agrees(stopped->index, seal.seal())) return std::move(stopped->index);
  std::vector<IndexBucketRecord> buckets;
  absl::Status bad;
  const std::string prefix = PrefixOfTable(Table::kIndexBucket);
  CUSTODY_RETURN_IF_ERROR(
      view.Scan(prefix, PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        absl::StatusOr<IndexBucketRecord> bucket = DecodeIndexBucket(key, value);
        if (!bucket.ok()) {
          bad = bucket.status();
          return false;
        }
        buckets.push_back(*std::move(bucket));
        return true;
      }));
  CUSTODY_RETURN_IF_ERROR(bad);
  CUSTODY_ASSIGN_OR_RETURN(IndexTree index, IndexTree::Load(buckets));
  if (!Agrees(index, seal.seal())) {
    return absl::DataLossError("the subject index contradicts the last seal");
  }
  return index;
}

absl::StatusOr<std::vector<v1::PendingEvent>> ReadPending(const ReadView& view) {
  std::vector<v1::PendingEvent> pending;
  bool parsed = true;
  const std::string prefix = PrefixOfTable(Table::kPending);
  CUSTODY_RETURN_IF_ERROR(
      view.Scan(prefix, PrefixEnd(prefix), [&](std::string_view, std::string_view value) {
        parsed =
            pending.emplace_back().ParseFromArray(value.data(), static_cast<int>(value.size()));
        return parsed;
      }));
  if (!parsed) return absl::DataLossError("a pending decision does not parse");
  return pending;
}

// Receipts under the head were handed out with its note. A clean stop leaves it in the store; after
// a kill it is signed again, which gives the same bytes while the keys are the same, since Ed25519
// is deterministic.
absl::StatusOr<std::string> NoteOfHead(const ReadView& view, const Checkpoint& head,
                                       std::span<const NoteSigner> signers) {
  CUSTODY_ASSIGN_OR_RETURN(auto left, view.Get(KeyOfCheckpoint(head.size)));
  if (left.has_value()) {
    const absl::StatusOr<Note> note = ParseNote(*left);
    if (note.ok() && note->text == FormatCheckpoint(head)) return *std::move(left);
  }
  return SignCheckpoint(head, signers);
}

TileTree::LeafHashReader EntriesOf(const ReadView& view) {
  return [&view](std::uint64_t index) -> absl::StatusOr<Digest> {
    CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfEntry(index)));
    if (!bytes.has_value()) {
      return absl::DataLossError(absl::StrFormat("entry %d is missing", index));
    }
    return LeafHash(*bytes);
  };
}

absl::StatusOr<TileTree> RestoreTreeBy(const ReadView& view, const Checkpoint& head,
                                       const TileTree::LeafHashReader& leaf_hash) {
  const StoredTiles tiles(view);
  CUSTODY_ASSIGN_OR_RETURN(TileTree tree, TileTree::Restore(head.size, tiles, leaf_hash));
  if (tree.Root() != head.root) {
    return absl::DataLossError("the right edge of the tree contradicts the head");
  }
  return tree;
}

}  // namespace

absl::StatusOr<TileTree> RestoreTree(const ReadView& view, const Checkpoint& head) {
  return RestoreTreeBy(view, head, EntriesOf(view));
}

absl::StatusOr<v1::Entry> ReadLastSeal(const ReadView& view, std::uint64_t size) {
  CUSTODY_ASSIGN_OR_RETURN(auto entry, ReadEntry(view, size - 1));
  if (!entry.has_value() || !entry->has_seal() || entry->index() != size - 1) {
    return absl::DataLossError("the last entry is not a seal");
  }
  return *std::move(entry);
}

absl::StatusOr<std::optional<v1::Entry>> ReadEntry(const ReadView& view, std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfEntry(index)));
  if (!bytes.has_value()) return std::optional<v1::Entry>();
  v1::Entry entry;
  if (!entry.ParseFromString(*bytes)) {
    return absl::DataLossError(absl::StrFormat("entry %d does not parse", index));
  }
  return std::optional<v1::Entry>(std::move(entry));
}

absl::StatusOr<std::optional<ParsedEvent>> ReadEventByDigest(const ReadView& view,
                                                             const Digest& event_digest) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfEventDigest(event_digest)));
  if (!bytes.has_value()) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, DecodeU64(*bytes));
  CUSTODY_ASSIGN_OR_RETURN(const auto entry, ReadEntry(view, index));
  if (!entry.has_value()) return absl::DataLossError("a recorded event has no entry");
  CUSTODY_ASSIGN_OR_RETURN(ParsedEvent event, ReadRecordedEvent(entry->signed_event()));
  return event;
}

absl::StatusOr<Checkpoint> ReadHead(const ReadView& view) {
  CUSTODY_RETURN_IF_ERROR(ReadFormat(view).status());
  CUSTODY_ASSIGN_OR_RETURN(const auto origin, view.Get(KeyOfMeta(MetaKey::kOrigin)));
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfMeta(MetaKey::kHead)));
  if (!origin.has_value() || !bytes.has_value()) return absl::DataLossError("the head is missing");
  CUSTODY_ASSIGN_OR_RETURN(const HeadRecord head, DecodeHead(*bytes));
  if (head.size < 2) return absl::DataLossError("the log has no entry 0 and seal");
  return Checkpoint{*origin, head.size, head.root};
}

absl::StatusOr<RestoredLog> RestoreLog(const ReadView& view, const Checkpoint& head,
                                       StoppedLog* stopped_log) {
  return RestoreLog(view, head, EntriesOf(view), stopped_log);
}

absl::StatusOr<RestoredLog> RestoreLog(const ReadView& view, const Checkpoint& head,
                                       const TileTree::LeafHashReader& leaf_hash,
                                       StoppedLog* stopped_log) {
  RestoredLog log;
  std::optional<LogAtStop> stopped;
  if (stopped_log != nullptr) stopped = stopped_log->Take(head.size);
  if (stopped.has_value() && stopped->tree.Root() == head.root) {
    log.tree = stopped->tree;
  } else {
    CUSTODY_ASSIGN_OR_RETURN(log.tree, RestoreTreeBy(view, head, leaf_hash));
  }
  CUSTODY_ASSIGN_OR_RETURN(log.seal, ReadLastSeal(view, head.size));
  CUSTODY_ASSIGN_OR_RETURN(log.index, RestoreIndex(view, log.seal, std::move(stopped)));
  return log;
}

absl::StatusOr<RecoveredLedger> RecoverLedger(const Store& store,
                                              std::span<const NoteSigner> signers,
                                              StoppedLog* stopped_log) {
  auto snapshot = std::make_shared<LedgerSnapshot>();
  snapshot->damage = std::make_shared<KnownDamage>();
  CUSTODY_ASSIGN_OR_RETURN(snapshot->view, store.OpenView());
  const ReadView& view = *snapshot->view;
  CUSTODY_ASSIGN_OR_RETURN(snapshot->checkpoint, ReadHead(view));
  for (const NoteSigner& signer : signers) {
    if (signer.verifier().name() == snapshot->checkpoint.origin) continue;
    return absl::InvalidArgumentError(absl::StrFormat("the log key is named %s, the log %s",
                                                      signer.verifier().name(),
                                                      snapshot->checkpoint.origin));
  }
  RecoveredLedger recovered;
  CUSTODY_ASSIGN_OR_RETURN(recovered.format_version, ReadFormat(view));
  CUSTODY_ASSIGN_OR_RETURN(RestoredLog log, RestoreLog(view, snapshot->checkpoint, stopped_log));
  recovered.tree = std::move(log.tree);
  recovered.index = std::move(log.index);
  CUSTODY_ASSIGN_OR_RETURN(recovered.pending, ReadPending(view));
  CUSTODY_ASSIGN_OR_RETURN(const auto first, view.Get(KeyOfEntry(0)));
  if (!first.has_value()) return absl::DataLossError("entry 0 is missing");
  recovered.entry0_leaf_hash = LeafHash(*first);
  const std::string ledger_id(Sha256(snapshot->checkpoint.origin).view().substr(0, 16));
  CUSTODY_ASSIGN_OR_RETURN(const auto state_bytes,
                           view.Get(KeyOfState({v1::SUBJECT_KIND_LEDGER, ledger_id})));
  v1::SubjectState state;
  if (!state_bytes.has_value() || !state.ParseFromString(*state_bytes)) {
    return absl::DataLossError("the state of the ledger is missing or does not parse");
  }
  recovered.service_device_id = state.ledger().service_device_id();
  recovered.rules_version = state.ledger().rules_version();
  snapshot->recorded_at_ms = log.seal.recorded_at_ms();
  snapshot->edge = recovered.tree.Snapshot();
  snapshot->index = recovered.index.Snapshot();
  CUSTODY_ASSIGN_OR_RETURN(snapshot->note, NoteOfHead(view, snapshot->checkpoint, signers));
  recovered.snapshot = std::move(snapshot);
  return recovered;
}

absl::Status CheckAnchor(const std::string& anchor_path, const LedgerSnapshot& snapshot,
                         std::span<const NoteVerifier> log_keys) {
  if (anchor_path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> note = ReadAnchor(anchor_path);
  if (!note.ok()) {
    return RollbackRefusal(
        absl::StrFormat("the anchor cannot be read: %s", note.status().message()));
  }
  const absl::StatusOr<OpenedCheckpoint> anchor =
      OpenCheckpoint(*note, snapshot.checkpoint.origin, log_keys);
  if (!anchor.ok()) {
    return RollbackRefusal(absl::StrFormat(
        "the anchor is not of this log: %s; if the log key was replaced, name the old one in "
        "ledger.further_log_key_files until it has signed beside the new one",
        anchor.status().message()));
  }
  return CheckContinues(anchor->checkpoint, snapshot, "the anchor");
}

absl::Status CheckContinues(const Checkpoint& known, const LedgerSnapshot& snapshot,
                            std::string_view who) {
  if (known.size > snapshot.size()) {
    return RollbackRefusal(
        absl::StrFormat("%s has %d entries, the store only %d: the store is an old copy", who,
                        known.size, snapshot.size()));
  }
  const StoredTiles tiles(*snapshot.view);
  const TileNodeReader nodes(tiles, snapshot.edge);
  const absl::StatusOr<Digest> root = TreeRoot(known.size, nodes);
  if (!root.ok()) return root.status();
  if (*root == known.root) return absl::OkStatus();
  return RollbackRefusal(absl::StrFormat("%s shows another root at %d entries", who, known.size));
}

}  // namespace custody
