#include "daemon/ledger/rebuild.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/tiles.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/index_buckets.h"
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/parsed_event.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::size_t kCachedStates = 100'000;
constexpr std::uint64_t kProgressEvery = 1'024;

// Of what checkpoints the target keeps the index; as made: of all that are replayed.
struct KeptHistory {
  std::int64_t from_ms = 0;
  std::uint64_t witnessed_size = 0;  // 0: none.
};

absl::StatusOr<KeptHistory> HistoryToKeep(const ReadView& source, const Checkpoint& head) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry seal, ReadLastSeal(source, head.size));
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> witnessed, WitnessedSize(source));
  return KeptHistory{seal.recorded_at_ms() - LedgerOptions().index_history_ms,
                     witnessed.value_or(0)};
}

// Replays entries into a store, batch by batch, from where its log ends.
class Replayer {
 public:
  // `view` is that of the target; tree and index are those of its log.
  Replayer(const EntryReader& read, Store& target, std::shared_ptr<const ReadView> view,
           TileTree tree, IndexTree index)
      : read_(read),
        target_(target),
        overlay_(std::move(view), kCachedStates),
        builder_(overlay_, std::move(tree), std::move(index)) {}

  // Gives the note of the checkpoint that a seal ends, to be stored with the batch after it as the
  // committer does; without it no notes are written.
  using NoteOf = std::function<absl::StatusOr<std::string>(std::uint64_t size, const Digest& root)>;
  void set_notes(NoteOf note_of, std::string first_note) {
    note_of_ = std::move(note_of);
    note_ = std::move(first_note);
  }
  void set_drop_pending() { drop_pending_ = true; }
  void set_history(KeptHistory history) { history_ = history; }

  // Entries [size, end). Errors: kCancelled; kDataLoss; the store's.
  absl::Status Run(std::uint64_t end, const RebuildProgress& progress);
  // The note of the end, as a clean stop leaves it.
  absl::Status LeaveNote();

 private:
  absl::Status Replay(std::uint64_t index);
  absl::Status ReplaySeal(const v1::Entry& entry, const std::string& bytes);
  absl::Status DropPending(const Digest& event_digest);
  static absl::Status Damaged(std::uint64_t index, std::string_view what) {
    return absl::DataLossError(absl::StrFormat("entry %d: %s", index, what));
  }

  const EntryReader& read_;
  Store& target_;
  StateOverlay overlay_;
  LogBuilder builder_;
  NoteOf note_of_;
  std::string note_;  // Of the log before the open batch; empty: none.
  bool drop_pending_ = false;
  KeptHistory history_;
};

absl::Status Replayer::ReplaySeal(const v1::Entry& entry, const std::string& bytes) {
  if (entry.seal().first_index() != builder_.first_unsealed()) {
    return Damaged(entry.index(), "the seal covers other entries");
  }
  const std::uint64_t before = builder_.first_unsealed();
  builder_.KeepIndexHistory(entry.recorded_at_ms() >= history_.from_ms);
  CUSTODY_ASSIGN_OR_RETURN(
      const SealedLog sealed,
      builder_.AppendSeal(entry.recorded_at_ms(), entry.seal().rules_version()));
  if (sealed.seal_bytes != bytes) return Damaged(entry.index(), "the seal contradicts the replay");
  if (sealed.checkpoint.size == history_.witnessed_size) {
    builder_.writes().Put(KeyOfIndexBuckets(history_.witnessed_size),
                          EncodeIndexBuckets(history_.witnessed_size, sealed.index));
  }
  if (!note_.empty()) builder_.writes().Put(KeyOfCheckpoint(before), note_);
  if (note_of_) {
    CUSTODY_ASSIGN_OR_RETURN(note_, note_of_(sealed.checkpoint.size, sealed.checkpoint.root));
  }
  CUSTODY_RETURN_IF_ERROR(target_.Apply(builder_.TakeWrites(), Durability::kUnsynced));
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, target_.OpenView());
  overlay_.AdvanceView(std::shared_ptr<const ReadView>(std::move(view)), overlay_.batch());
  overlay_.Trim();
  builder_.MarkDurable(sealed.index_sequence);
  return absl::OkStatus();
}

absl::Status Replayer::DropPending(const Digest& event_digest) {
  const std::string key = KeyOfPending(event_digest);
  CUSTODY_ASSIGN_OR_RETURN(const auto waiting, overlay_.view().Get(key));
  if (waiting.has_value()) builder_.writes().Delete(key);
  return absl::OkStatus();
}

absl::Status Replayer::Replay(std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, read_(index));
  v1::Entry entry;
  if (!bytes.has_value() || !entry.ParseFromString(*bytes)) {
    return Damaged(index, "is missing or does not parse");
  }
  if (entry.has_seal()) return ReplaySeal(entry, *bytes);
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(entry.signed_event());
  if (!event.ok()) return Damaged(index, StdView(event.status().message()));
  if (drop_pending_) CUSTODY_RETURN_IF_ERROR(DropPending(event->digest));
  if (EncodeMessage(entry) != *bytes) return Damaged(index, "is not in the one encoding");
  return builder_.ReplayEvent(*event, entry, *bytes, LeafHash(*bytes));
}

absl::Status Replayer::Run(std::uint64_t end, const RebuildProgress& progress) {
  for (std::uint64_t index = builder_.size(); index < end; ++index) {
    CUSTODY_RETURN_IF_ERROR(Replay(index));
    if (index % kProgressEvery == 0 && progress && !progress(index, end)) {
      return absl::CancelledError("the rebuild was given up");
    }
  }
  return absl::OkStatus();
}

absl::Status Replayer::LeaveNote() {
  WriteBatch writes;
  writes.Put(KeyOfCheckpoint(builder_.size()), note_);
  return target_.Apply(writes, Durability::kUnsynced);
}

absl::Status CopyTable(const ReadView& source, Table table, Store& target) {
  WriteBatch writes;
  const std::string prefix = PrefixOfTable(table);
  CUSTODY_RETURN_IF_ERROR(
      source.Scan(prefix, PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        writes.Put(key, value);
        return true;
      }));
  return target.Apply(writes, Durability::kUnsynced);
}

// Format, origin, what witnesses have cosigned; synced, and with it everything before.
absl::Status WriteMeta(const ReadView& source, const Checkpoint& head, Store& target) {
  WriteBatch writes;
  std::string format;
  AppendBigEndian32(kFormatVersion, &format);
  writes.Put(KeyOfMeta(MetaKey::kFormat), format);
  writes.Put(KeyOfMeta(MetaKey::kOrigin), head.origin);
  const auto witnessed = source.Get(KeyOfMeta(MetaKey::kWitnessed));
  // A convenience: the witnesses have it too.
  if (!witnessed.ok() && !absl::IsDataLoss(witnessed.status())) return witnessed.status();
  if (witnessed.ok() && witnessed->has_value()) {
    writes.Put(KeyOfMeta(MetaKey::kWitnessed), **witnessed);
  }
  return target.Apply(writes, Durability::kSynced);
}

absl::Status CheckRebuiltHead(const Store& target, const Checkpoint& head) {
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, target.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view->Get(KeyOfMeta(MetaKey::kHead)));
  if (!bytes.has_value()) return absl::DataLossError("the log has no seal");
  CUSTODY_ASSIGN_OR_RETURN(const HeadRecord rebuilt, DecodeHead(*bytes));
  if (rebuilt.size == head.size && rebuilt.root == head.root) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("the replay ends at %d entries with root %s, the head says %d and %s",
                      rebuilt.size, rebuilt.root.ToHex(), head.size, head.root.ToHex()));
}

// A view of a target that holds nothing yet. Errors: kAlreadyExists.
absl::StatusOr<std::shared_ptr<const ReadView>> OpenEmpty(Store& target) {
  CUSTODY_RETURN_IF_ERROR(target.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> empty, target.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto first, empty->First("", ""));
  if (first.has_value()) return absl::AlreadyExistsError("the target holds something already");
  return std::shared_ptr<const ReadView>(std::move(empty));
}

// The note of a checkpoint as it is kept, or signed again.
Replayer::NoteOf NotesOf(const ReadView* kept, std::string origin,
                         std::span<const NoteSigner> signers) {
  return [kept, origin = std::move(origin), signers](
             std::uint64_t size, const Digest& root) -> absl::StatusOr<std::string> {
    if (kept != nullptr) {
      const auto note = kept->Get(KeyOfCheckpoint(size));
      if (!note.ok() && !absl::IsDataLoss(note.status())) return note.status();
      if (note.ok() && note->has_value()) return **note;
    }
    return SignCheckpoint({origin, size, root}, signers);
  };
}

}  // namespace

absl::StatusOr<Checkpoint> RebuildLedger(const Store& source, Store& target,
                                         const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, source.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, ReadHead(*view));
  CUSTODY_ASSIGN_OR_RETURN(auto empty, OpenEmpty(target));
  const EntryReader read = [&view](std::uint64_t index) { return view->Get(KeyOfEntry(index)); };
  Replayer replayer(read, target, std::move(empty), TileTree(), IndexTree());
  replayer.set_history(HistoryToKeep(*view, head).value_or(KeptHistory()));
  CUSTODY_RETURN_IF_ERROR(replayer.Run(head.size, progress));
  CUSTODY_RETURN_IF_ERROR(CheckRebuiltHead(target, head));
  // Not derived from entries: signed notes, and what waits outside the log.
  CUSTODY_RETURN_IF_ERROR(CopyTable(*view, Table::kCheckpoint, target));
  CUSTODY_RETURN_IF_ERROR(CopyTable(*view, Table::kPending, target));
  CUSTODY_RETURN_IF_ERROR(WriteMeta(*view, head, target));
  return head;
}

absl::StatusOr<Checkpoint> RebuildFromEntries(const EntryReader& read, const ReadView& source,
                                              std::span<const NoteSigner> signers, Store& target,
                                              const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, ReadHead(source));
  CUSTODY_ASSIGN_OR_RETURN(auto empty, OpenEmpty(target));
  Replayer replayer(read, target, std::move(empty), TileTree(), IndexTree());
  replayer.set_notes(NotesOf(&source, head.origin, signers), "");
  replayer.set_history(HistoryToKeep(source, head).value_or(KeptHistory()));
  CUSTODY_RETURN_IF_ERROR(replayer.Run(head.size, progress));
  CUSTODY_RETURN_IF_ERROR(CheckRebuiltHead(target, head));
  CUSTODY_RETURN_IF_ERROR(replayer.LeaveNote());
  const absl::Status pending = CopyTable(source, Table::kPending, target);
  if (!pending.ok() && !absl::IsDataLoss(pending)) return pending;
  CUSTODY_RETURN_IF_ERROR(WriteMeta(source, head, target));
  return head;
}

absl::StatusOr<Checkpoint> ContinueFromMirror(Store& store, std::span<const NoteSigner> signers,
                                              const Checkpoint& end, const EntryReader& read,
                                              const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(RecoveredLedger recovered, RecoverLedger(store, signers));
  const LedgerSnapshot& snapshot = *recovered.snapshot;
  TileTree whole = recovered.tree;
  std::vector<FullTile> completed;
  for (std::uint64_t index = snapshot.size(); index < end.size; ++index) {
    CUSTODY_ASSIGN_OR_RETURN(const auto bytes, read(index));
    if (!bytes.has_value()) {
      return absl::DataLossError(absl::StrFormat("entry %d is not there", index));
    }
    whole.Append(LeafHash(*bytes), &completed);
    completed.clear();
  }
  if (whole.size() != end.size || whole.Root() != end.root) {
    return absl::DataLossError(absl::StrFormat(
        "the %d entries of the backup and those behind it do not have the root of the signed "
        "checkpoint of %d entries",
        snapshot.size(), end.size));
  }
  CUSTODY_RETURN_IF_ERROR(store.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, store.OpenView());
  Replayer replayer(read, store, std::shared_ptr<const ReadView>(std::move(view)),
                    std::move(recovered.tree), std::move(recovered.index));
  replayer.set_notes(NotesOf(nullptr, end.origin, signers), snapshot.note);
  replayer.set_drop_pending();
  CUSTODY_RETURN_IF_ERROR(replayer.Run(end.size, progress));
  CUSTODY_RETURN_IF_ERROR(CheckRebuiltHead(store, end));
  CUSTODY_RETURN_IF_ERROR(replayer.LeaveNote());
  // The batches were not synced one by one; this is, and with it everything before.
  WriteBatch last;
  last.Delete(KeyOfMeta(MetaKey::kStoppedIndex));
  CUSTODY_RETURN_IF_ERROR(store.Apply(last, Durability::kSynced));
  return end;
}

absl::StatusOr<ScrubResult> ScrubEntries(const ReadView& view, std::uint64_t begin,
                                         std::uint64_t end, const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, ReadHead(view));
  const StoredTiles tiles(view);
  ScrubResult result;
  const std::uint64_t stop = std::min(end, head.size);
  std::string tile;
  for (std::uint64_t index = begin; index < stop; ++index, ++result.entries) {
    const std::uint64_t place = index % kTileWidth;
    if (place == 0 || tile.empty()) {
      absl::StatusOr<std::string> full = tiles.ReadFullTile(0, index / kTileWidth);
      // The right edge is rebuilt from these very entries, so it is compared at start.
      if (absl::IsNotFound(full.status())) break;
      CUSTODY_RETURN_IF_ERROR(full.status());
      tile = *std::move(full);
    }
    CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfEntry(index)));
    const std::string_view leaf =
        std::string_view(tile).substr(place * Digest::kSizeBytes, Digest::kSizeBytes);
    if (!bytes.has_value() || LeafHash(*bytes).view() != leaf) result.damaged.push_back(index);
    if (index % kProgressEvery == 0 && progress && !progress(index - begin, stop - begin)) {
      return absl::CancelledError("the scrub was given up");
    }
  }
  return result;
}

}  // namespace custody
