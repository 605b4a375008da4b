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
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/ledger_options.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/stopped_index.h"
#include "lifecycle/parsed_event.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::size_t kCachedStates = 100'000;
constexpr std::uint64_t kProgressEvery = 1'024;

// Of what checkpoints the target keeps the index.
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

class Rebuilder {
 public:
  Rebuilder(const ReadView& source, Store& target, Checkpoint head, KeptHistory history,
            std::shared_ptr<const ReadView> empty)
      : source_(source),
        target_(target),
        head_(std::move(head)),
        history_(history),
        overlay_(std::move(empty), kCachedStates),
        builder_(overlay_, TileTree(), IndexTree()) {}

  absl::Status Run(const RebuildProgress& progress);

 private:
  absl::Status Replay(std::uint64_t index);
  absl::Status ReplaySeal(const v1::Entry& entry, const std::string& bytes);
  absl::Status CopyTable(Table table);
  absl::Status WriteMeta();
  absl::Status Damaged(std::uint64_t index, std::string_view what) const {
    return absl::DataLossError(absl::StrFormat("entry %d: %s", index, what));
  }

  const ReadView& source_;
  Store& target_;
  const Checkpoint head_;
  const KeptHistory history_;
  StateOverlay overlay_;
  LogBuilder builder_;
};

absl::Status Rebuilder::ReplaySeal(const v1::Entry& entry, const std::string& bytes) {
  if (entry.seal().first_index() != builder_.first_unsealed()) {
    return Damaged(entry.index(), "the seal covers other entries");
  }
  builder_.KeepIndexHistory(entry.recorded_at_ms() >= history_.from_ms);
  CUSTODY_ASSIGN_OR_RETURN(
      const SealedLog sealed,
      builder_.AppendSeal(entry.recorded_at_ms(), entry.seal().rules_version()));
  if (sealed.seal_bytes != bytes) return Damaged(entry.index(), "the seal contradicts the replay");
  if (sealed.checkpoint.size == history_.witnessed_size) {
    builder_.writes().Put(KeyOfIndexBuckets(history_.witnessed_size),
                          EncodeIndexBuckets(history_.witnessed_size, sealed.index));
  }
  CUSTODY_RETURN_IF_ERROR(target_.Apply(builder_.TakeWrites(), Durability::kUnsynced));
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, target_.OpenView());
  overlay_.AdvanceView(std::shared_ptr<const ReadView>(std::move(view)), overlay_.batch());
  overlay_.Trim();
  builder_.MarkDurable(sealed.index_sequence);
  return absl::OkStatus();
}

absl::Status Rebuilder::Replay(std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, source_.Get(KeyOfEntry(index)));
  v1::Entry entry;
  if (!bytes.has_value() || !entry.ParseFromString(*bytes)) {
    return Damaged(index, "is missing or does not parse");
  }
  if (entry.has_seal()) return ReplaySeal(entry, *bytes);
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(entry.signed_event());
  if (!event.ok()) return Damaged(index, StdView(event.status().message()));
  if (EncodeMessage(entry) != *bytes) return Damaged(index, "is not in the one encoding");
  return builder_.ReplayEvent(*event, entry, *bytes, LeafHash(*bytes));
}

absl::Status Rebuilder::CopyTable(Table table) {
  WriteBatch writes;
  const std::string prefix = PrefixOfTable(table);
  CUSTODY_RETURN_IF_ERROR(
      source_.Scan(prefix, PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        writes.Put(key, value);
        return true;
      }));
  return target_.Apply(writes, Durability::kUnsynced);
}

absl::Status Rebuilder::WriteMeta() {
  WriteBatch writes;
  std::string format;
  AppendBigEndian32(kFormatVersion, &format);
  writes.Put(KeyOfMeta(MetaKey::kFormat), format);
  writes.Put(KeyOfMeta(MetaKey::kOrigin), head_.origin);
  CUSTODY_ASSIGN_OR_RETURN(const auto witnessed, source_.Get(KeyOfMeta(MetaKey::kWitnessed)));
  if (witnessed.has_value()) writes.Put(KeyOfMeta(MetaKey::kWitnessed), *witnessed);
  return target_.Apply(writes, Durability::kSynced);
}

absl::Status Rebuilder::Run(const RebuildProgress& progress) {
  for (std::uint64_t index = 0; index < head_.size; ++index) {
    CUSTODY_RETURN_IF_ERROR(Replay(index));
    if (index % kProgressEvery == 0 && progress && !progress(index, head_.size)) {
      return absl::CancelledError("the rebuild was given up");
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, target_.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view->Get(KeyOfMeta(MetaKey::kHead)));
  if (!bytes.has_value()) return absl::DataLossError("the log has no seal");
  CUSTODY_ASSIGN_OR_RETURN(const HeadRecord rebuilt, DecodeHead(*bytes));
  if (rebuilt.size != head_.size || rebuilt.root != head_.root) {
    return absl::DataLossError(
        absl::StrFormat("the replay ends at %d entries with root %s, the head says %d and %s",
                        rebuilt.size, rebuilt.root.ToHex(), head_.size, head_.root.ToHex()));
  }
  // Not derived from entries: signed notes, and what waits outside the log.
  CUSTODY_RETURN_IF_ERROR(CopyTable(Table::kCheckpoint));
  CUSTODY_RETURN_IF_ERROR(CopyTable(Table::kPending));
  return WriteMeta();
}

}  // namespace

absl::StatusOr<Checkpoint> RebuildLedger(const Store& source, Store& target,
                                         const RebuildProgress& progress) {
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, source.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint head, ReadHead(*view));
  CUSTODY_RETURN_IF_ERROR(target.AcquireWriter());
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> empty, target.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto first, empty->First("", ""));
  if (first.has_value()) return absl::AlreadyExistsError("the target holds something already");
  const absl::StatusOr<KeptHistory> history = HistoryToKeep(*view, head);
  Rebuilder rebuilder(*view, target, head, history.value_or(KeptHistory()),
                      std::shared_ptr<const ReadView>(std::move(empty)));
  CUSTODY_RETURN_IF_ERROR(rebuilder.Run(progress));
  return head;
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
