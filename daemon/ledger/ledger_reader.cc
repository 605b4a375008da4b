#include "daemon/ledger/ledger_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/tiles.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/receipt_maker.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

// What the two bytes before an entry can say.
constexpr std::size_t kBundleEntryBytesMax = 65'535;

// Visits keys [begin, end), turning an error inside the visitor into one of the scan.
absl::Status ScanKeys(const ReadView& view, const std::string& begin, const std::string& end,
                      const std::function<absl::StatusOr<bool>(std::string_view)>& visit) {
  absl::Status bad;
  CUSTODY_RETURN_IF_ERROR(view.Scan(begin, end, [&](std::string_view key, std::string_view) {
    const absl::StatusOr<bool> go_on = visit(key);
    if (!go_on.ok()) bad = go_on.status();
    return go_on.ok() && *go_on;
  }));
  return bad;
}

absl::StatusOr<std::vector<SubjectKey>> EdgeTargets(const ReadView& view, Table direction,
                                                    const SubjectKey& from) {
  std::vector<SubjectKey> targets;
  const std::string prefix = PrefixOfEdges(direction, from);
  CUSTODY_RETURN_IF_ERROR(
      ScanKeys(view, prefix, PrefixEnd(prefix), [&](std::string_view key) -> absl::StatusOr<bool> {
        CUSTODY_ASSIGN_OR_RETURN(SubjectKey target, TargetOfEdgeKey(key));
        targets.push_back(std::move(target));
        return true;
      }));
  return targets;
}

}  // namespace

LedgerReader::LedgerReader(std::shared_ptr<const LedgerSnapshot> snapshot)
    : snapshot_(std::move(snapshot)) {}

LedgerReader::~LedgerReader() = default;

absl::Status LedgerReader::CheckWhole(const SubjectKey& subject) const {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<Damage> damage,
                           snapshot_->damage->OfSubject(*snapshot_->view, subject));
  if (!damage.has_value()) return absl::OkStatus();
  return DamagedRefusal(absl::StatusCode::kDataLoss, &subject, *damage);
}

absl::Status LedgerReader::CheckEntryWhole(std::uint64_t index) const {
  const std::optional<Damage> damage = snapshot_->damage->OfEntry(index);
  if (!damage.has_value()) return absl::OkStatus();
  return DamagedRefusal(absl::StatusCode::kDataLoss, nullptr, *damage);
}

absl::StatusOr<StoredEntry> LedgerReader::GetEntry(std::uint64_t index) const {
  if (index >= size()) {
    return absl::OutOfRangeError(absl::StrFormat("entry %d of a log of %d", index, size()));
  }
  CUSTODY_RETURN_IF_ERROR(CheckEntryWhole(index));
  CUSTODY_ASSIGN_OR_RETURN(auto bytes, snapshot_->view->Get(KeyOfEntry(index)));
  if (!bytes.has_value()) return absl::DataLossError(absl::StrFormat("entry %d is missing", index));
  return StoredEntry{index, *std::move(bytes)};
}

absl::StatusOr<std::optional<std::uint64_t>> LedgerReader::FindByEventId(
    std::string_view event_id) const {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, snapshot_->view->Get(KeyOfEventId(event_id)));
  if (!bytes.has_value()) return std::optional<std::uint64_t>();
  CUSTODY_ASSIGN_OR_RETURN(const EventIdRecord record, DecodeEventIdRecord(*bytes));
  return std::optional<std::uint64_t>(record.index);
}

absl::StatusOr<std::optional<std::uint64_t>> LedgerReader::FindByDigest(
    const Digest& event_digest) const {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, snapshot_->view->Get(KeyOfEventDigest(event_digest)));
  if (!bytes.has_value()) return std::optional<std::uint64_t>();
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, DecodeU64(*bytes));
  return std::optional<std::uint64_t>(index);
}

absl::Status LedgerReader::ReadEntries(std::uint64_t begin, std::uint64_t end,
                                       const EntryVisitor& visit) const {
  absl::Status bad;
  std::uint64_t expected = begin;
  CUSTODY_RETURN_IF_ERROR(snapshot_->view->Scan(
      KeyOfEntry(begin), KeyOfEntry(std::min(end, size())),
      [&](std::string_view key, std::string_view value) {
        const absl::StatusOr<std::uint64_t> index = IndexInKey(key);
        if (!index.ok() || *index != expected) {
          bad = absl::DataLossError(absl::StrFormat("entry %d is missing", expected));
          return false;
        }
        bad = CheckEntryWhole(*index);
        if (!bad.ok()) return false;
        ++expected;
        return visit(*index, value);
      }));
  return bad;
}

absl::StatusOr<v1::Receipt> LedgerReader::GetReceipt(std::uint64_t index) const {
  CUSTODY_RETURN_IF_ERROR(CheckEntryWhole(index));
  return ReceiptMaker(*snapshot_).Make(index);
}

absl::StatusOr<v1::Receipt> LedgerReader::GetReceiptHere(std::uint64_t index) const {
  CUSTODY_ASSIGN_OR_RETURN(StoredEntry entry, GetEntry(index));
  const StoredTiles tiles(*snapshot_->view);
  const TileNodeReader nodes(tiles, snapshot_->edge);
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> proof, InclusionProof(index, size(), nodes));
  v1::Receipt receipt;
  receipt.set_entry(std::move(entry.bytes));
  receipt.set_index(index);
  for (const Digest& hash : proof) receipt.add_inclusion(std::string(hash.view()));
  receipt.set_checkpoint(snapshot_->note);
  return receipt;
}

absl::StatusOr<std::vector<Digest>> LedgerReader::GetConsistencyProof(
    std::uint64_t first_size, std::uint64_t second_size) const {
  if (second_size > size()) {
    return absl::OutOfRangeError(absl::StrFormat("size %d of a log of %d", second_size, size()));
  }
  const StoredTiles tiles(*snapshot_->view);
  const TileNodeReader nodes(tiles, snapshot_->edge);
  return ConsistencyProof(first_size, second_size, nodes);
}

absl::StatusOr<std::optional<std::string>> LedgerReader::CheckpointAt(std::uint64_t size) const {
  if (size == snapshot_->size()) return std::optional<std::string>(snapshot_->note);
  return snapshot_->view->Get(KeyOfCheckpoint(size));
}

absl::StatusOr<std::string> LedgerReader::ReadTile(std::string_view path) const {
  CUSTODY_ASSIGN_OR_RETURN(const TileCoordinate tile, ParseTilePath(path));
  const StoredTiles tiles(*snapshot_->view);
  return TileNodeReader(tiles, snapshot_->edge).ReadTile(tile);
}

absl::StatusOr<std::string> LedgerReader::ReadEntryBundle(const TileCoordinate& bundle) const {
  // In this order nothing overflows: an index that the log has is far from 2^64 entries.
  if (bundle.index > size() / kTileWidth || bundle.index * kTileWidth + bundle.width > size()) {
    return absl::OutOfRangeError(absl::StrFormat("bundle %d of %d entries is beyond a log of %d",
                                                 bundle.index, bundle.width, size()));
  }
  const std::uint64_t begin = bundle.index * kTileWidth;
  std::string bytes;
  std::uint64_t count = 0;
  CUSTODY_RETURN_IF_ERROR(
      ReadEntries(begin, begin + bundle.width, [&](std::uint64_t, std::string_view entry) {
        bytes.push_back(static_cast<char>(entry.size() >> 8U));
        bytes.push_back(static_cast<char>(entry.size() & 0xffU));
        bytes.append(entry);
        return ++count < bundle.width && entry.size() <= kBundleEntryBytesMax;
      }));
  if (count != bundle.width) {
    return absl::DataLossError(
        absl::StrFormat("entry %d of a bundle is missing or too large", begin + count));
  }
  return bytes;
}

absl::StatusOr<IndexProof> LedgerReader::ProveSubject(const SubjectKey& subject) const {
  return ProveIndexKey(snapshot_->index, IndexKeyOf(subject), StoredIndexLeaves(*snapshot_->view));
}

absl::StatusOr<const v1::SubjectState*> LedgerReader::Find(const SubjectKey& key) const {
  const auto found = states_.find(key);
  if (found != states_.end()) return found->second.get();
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, snapshot_->view->Get(KeyOfState(key)));
  std::unique_ptr<v1::SubjectState> state;
  if (bytes.has_value()) {
    state = std::make_unique<v1::SubjectState>();
    if (!state->ParseFromString(*bytes)) {
      return absl::DataLossError(absl::StrFormat("state of %s does not parse", Describe(key)));
    }
  }
  return states_.emplace(key, std::move(state)).first->second.get();
}

absl::StatusOr<std::optional<RecordedEvent>> LedgerReader::FindEvent(
    std::string_view digest) const {
  const absl::StatusOr<Digest> named = Digest::FromBytes(digest);
  if (!named.ok()) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<ParsedEvent> event,
                           ReadEventByDigest(*snapshot_->view, *named));
  if (!event.has_value()) return std::nullopt;
  return RecordedEvent{std::string(event->code()), event->subjects};
}

absl::StatusOr<std::vector<std::uint64_t>> LedgerReader::Chain(const SubjectKey& subject,
                                                               std::uint64_t first_position,
                                                               std::size_t count_max) const {
  std::vector<std::uint64_t> indices;
  if (count_max == 0) return indices;
  absl::Status bad;
  // The prefix of a chain is that of its first key without the position.
  std::string prefix = KeyOfChain(subject, 0);
  prefix.resize(prefix.size() - 8);
  CUSTODY_RETURN_IF_ERROR(
      snapshot_->view->Scan(KeyOfChain(subject, first_position), PrefixEnd(prefix),
                            [&](std::string_view, std::string_view value) {
                              const absl::StatusOr<std::uint64_t> index = DecodeU64(value);
                              if (!index.ok()) {
                                bad = index.status();
                                return false;
                              }
                              indices.push_back(*index);
                              return indices.size() < count_max;
                            }));
  CUSTODY_RETURN_IF_ERROR(bad);
  return indices;
}

absl::StatusOr<std::vector<SubjectKey>> LedgerReader::Parents(const SubjectKey& subject) const {
  return EdgeTargets(*snapshot_->view, Table::kEdgeBack, subject);
}

absl::StatusOr<std::vector<SubjectKey>> LedgerReader::Children(const SubjectKey& subject) const {
  return EdgeTargets(*snapshot_->view, Table::kEdgeForward, subject);
}

absl::StatusOr<std::vector<SubjectKey>> LedgerReader::FindByExternal(std::string_view scheme,
                                                                     std::string_view value) const {
  std::vector<SubjectKey> subjects;
  const std::string prefix = PrefixOfExternal(scheme, value);
  CUSTODY_RETURN_IF_ERROR(ScanKeys(*snapshot_->view, prefix, PrefixEnd(prefix),
                                   [&](std::string_view key) -> absl::StatusOr<bool> {
                                     CUSTODY_ASSIGN_OR_RETURN(SubjectKey subject,
                                                              SubjectOfExternalKey(key));
                                     subjects.push_back(std::move(subject));
                                     return true;
                                   }));
  return subjects;
}

absl::StatusOr<std::vector<SubjectKey>> LedgerReader::FindByIdentifier(
    std::string_view canonical_key) const {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           Find({v1::SUBJECT_KIND_IDENTIFIER, std::string(canonical_key)}));
  std::vector<SubjectKey> subjects;
  if (state == nullptr) return subjects;
  for (const v1::SubjectRef& ref : state->identifier().bound()) subjects.push_back(KeyOf(ref));
  return subjects;
}

}  // namespace custody
