#include "daemon/ledger/past_view.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/entry_projection.h"
#include "daemon/ledger/recovery.h"
#include "lifecycle/fold.h"
#include "lifecycle/parsed_event.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

Table TableOf(std::string_view key) {
  return key.empty() ? Table::kMeta : static_cast<Table>(key.front());
}

absl::Status NotOfThePast(std::string_view key) {
  return absl::UnimplementedError(
      absl::StrFormat("table '%c' is not kept for earlier checkpoints: ask at the newest one",
                      key.empty() ? '?' : key.front()));
}

// Tables whose rows are written once and never changed.
bool OnlyGrows(Table table) {
  switch (table) {
    case Table::kTile:
    case Table::kEntry:
    case Table::kCheckpoint:
    case Table::kChain:
    case Table::kEventDigest:
    case Table::kEventId:
      return true;
    default:
      return false;
  }
}

// Ranges of these are in the order of the log: behind a row that was not there, none was.
bool IsInOrderOfLog(Table table) {
  return table == Table::kEntry || table == Table::kCheckpoint || table == Table::kChain;
}

struct PastEntry {
  v1::Entry entry;
  std::string bytes;
  ParsedEvent event;
};

absl::StatusOr<PastEntry> ReadPast(const ReadView& view, std::uint64_t index) {
  CUSTODY_ASSIGN_OR_RETURN(auto bytes, view.Get(KeyOfEntry(index)));
  PastEntry past;
  if (!bytes.has_value() || !past.entry.ParseFromString(*bytes) || !past.entry.has_signed_event()) {
    return absl::DataLossError(absl::StrFormat("entry %d is not that of an event", index));
  }
  past.bytes = *std::move(bytes);
  CUSTODY_ASSIGN_OR_RETURN(past.event, ReadRecordedEvent(past.entry.signed_event()));
  return past;
}

// The entries of a chain before `size`, in order.
absl::Status ForEachInChain(const ReadView& view, const SubjectKey& subject, std::uint64_t size,
                            const std::function<absl::Status(const PastEntry&)>& visit) {
  std::vector<std::uint64_t> indices;
  absl::Status bad;
  std::string prefix = KeyOfChain(subject, 0);
  prefix.resize(prefix.size() - 8);
  CUSTODY_RETURN_IF_ERROR(
      view.Scan(prefix, PrefixEnd(prefix), [&](std::string_view, std::string_view value) {
        const absl::StatusOr<std::uint64_t> index = DecodeU64(value);
        bad = index.status();
        if (!bad.ok() || *index >= size) return false;
        indices.push_back(*index);
        return indices.size() <= kPastFoldEntriesMax;
      }));
  CUSTODY_RETURN_IF_ERROR(bad);
  if (indices.size() > kPastFoldEntriesMax) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "%s has more than %d entries before the checkpoint of %d entries: ask at the newest one",
        Describe(subject), kPastFoldEntriesMax, size));
  }
  for (const std::uint64_t index : indices) {
    CUSTODY_ASSIGN_OR_RETURN(const PastEntry past, ReadPast(view, index));
    CUSTODY_RETURN_IF_ERROR(visit(past));
  }
  return absl::OkStatus();
}

absl::Status FoldInto(const PastEntry& past, const SubjectKey& subject, v1::SubjectState* state) {
  const auto& subjects = past.event.subjects;
  const auto found = std::find(subjects.begin(), subjects.end(), subject);
  if (found == subjects.end()) {
    return absl::DataLossError(absl::StrFormat("entry %d stands in the chain of %s without it",
                                               past.entry.index(), Describe(subject)));
  }
  const std::vector<v1::Finding> findings(past.entry.findings().begin(),
                                          past.entry.findings().end());
  ApplyEntry(past.event, past.entry.index(), past.entry.recorded_at_ms(), LeafHash(past.bytes),
             findings, static_cast<std::size_t>(found - subjects.begin()), state);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> PastView::WasThere(Table table, std::string_view key,
                                        std::string_view value) const {
  switch (table) {
    case Table::kTile:
      return true;
    case Table::kEntry: {
      CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, IndexInKey(key));
      return index < size_;
    }
    case Table::kCheckpoint: {
      CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t size, IndexInKey(key));
      return size <= size_;
    }
    case Table::kChain:
    case Table::kEventDigest: {
      CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, DecodeU64(value));
      return index < size_;
    }
    case Table::kEventId: {
      CUSTODY_ASSIGN_OR_RETURN(const EventIdRecord record, DecodeEventIdRecord(value));
      return record.index < size_;
    }
    default:
      return NotOfThePast(key);
  }
}

absl::StatusOr<std::optional<std::string>> PastView::Get(std::string_view key) const {
  switch (TableOf(key)) {
    case Table::kState:
      return StateThen(key);
    case Table::kMeta:
      if (key == KeyOfMeta(MetaKey::kFormat) || key == KeyOfMeta(MetaKey::kOrigin)) {
        return view_.Get(key);
      }
      return NotOfThePast(key);
    case Table::kIndexLeaf: {
      CUSTODY_ASSIGN_OR_RETURN(const auto value, view_.Get(key));
      if (!value.has_value()) return std::nullopt;
      return LeafThen(key, *value);
    }
    default:
      break;
  }
  if (!OnlyGrows(TableOf(key))) return NotOfThePast(key);
  CUSTODY_ASSIGN_OR_RETURN(auto value, view_.Get(key));
  if (!value.has_value()) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(const bool was_there, WasThere(TableOf(key), key, *value));
  if (!was_there) return std::nullopt;
  return value;
}

absl::Status PastView::Scan(std::string_view begin, std::string_view end,
                            const Visitor& visit) const {
  const Table table = TableOf(begin);
  if (table == Table::kEdgeForward || table == Table::kEdgeBack) {
    return ScanEdges(begin, end, visit);
  }
  if (table == Table::kIndexLeaf) return ScanLeaves(begin, end, visit);
  if (!OnlyGrows(table)) return NotOfThePast(begin);
  absl::Status bad;
  CUSTODY_RETURN_IF_ERROR(view_.Scan(begin, end, [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<bool> was_there = WasThere(table, key, value);
    bad = was_there.status();
    if (!bad.ok()) return false;
    return *was_there ? visit(key, value) : !IsInOrderOfLog(table);
  }));
  return bad;
}

absl::Status PastView::ScanReverse(std::string_view begin, std::string_view, const Visitor&) const {
  return NotOfThePast(begin);
}

absl::StatusOr<std::optional<v1::SubjectState>> PastView::NewerState(
    const SubjectKey& subject) const {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view_.Get(KeyOfState(subject)));
  if (!bytes.has_value()) return std::nullopt;
  std::optional<v1::SubjectState> state(std::in_place);
  if (!state->ParseFromString(*bytes)) {
    return absl::DataLossError(absl::StrFormat("state of %s does not parse", Describe(subject)));
  }
  return state;
}

absl::StatusOr<std::optional<std::string>> PastView::StateThen(std::string_view key) const {
  CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, SubjectOfStateKey(key));
  CUSTODY_ASSIGN_OR_RETURN(const auto newer, NewerState(subject));
  if (!newer.has_value() || newer->first_index() >= size_) return std::nullopt;
  // As it is stored: nobody touched it since.
  if (newer->last_index() < size_) return view_.Get(key);
  v1::SubjectState state;
  CUSTODY_RETURN_IF_ERROR(ForEachInChain(view_, subject, size_, [&](const PastEntry& past) {
    return FoldInto(past, subject, &state);
  }));
  return EncodeMessage(state);
}

absl::Status PastView::ScanEdges(std::string_view begin, std::string_view end,
                                 const Visitor& visit) const {
  CUSTODY_ASSIGN_OR_RETURN(const SubjectKey from, FirstSubjectInKey(begin));
  CUSTODY_ASSIGN_OR_RETURN(const auto newer, NewerState(from));
  if (!newer.has_value() || newer->first_index() >= size_) return absl::OkStatus();
  // An edge touches both its ends.
  if (newer->last_index() < size_) return view_.Scan(begin, end, visit);
  const Table direction = TableOf(begin);
  const bool is_forward = direction == Table::kEdgeForward;
  std::set<std::string> keys;
  CUSTODY_RETURN_IF_ERROR(ForEachInChain(view_, from, size_, [&](const PastEntry& past) {
    for (const auto& [parent, child] : EdgesOf(past.event)) {
      if (!((is_forward ? parent : child) == from)) continue;
      keys.insert(KeyOfEdge(direction, from, is_forward ? child : parent));
    }
    return absl::OkStatus();
  }));
  for (const std::string& key : keys) {
    if (key < begin || (!end.empty() && key >= end)) continue;
    if (!visit(key, "")) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> PastView::EntryInChain(const SubjectKey& subject,
                                                     std::uint64_t position) const {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view_.Get(KeyOfChain(subject, position)));
  if (!bytes.has_value()) {
    return absl::DataLossError(
        absl::StrFormat("the chain of %s lacks position %d", Describe(subject), position));
  }
  return DecodeU64(*bytes);
}

absl::StatusOr<std::uint64_t> PastView::CountThen(const SubjectKey& subject,
                                                  std::uint64_t count) const {
  // The first position that was not there yet. Mostly near the end, so the steps back double.
  std::uint64_t absent = count;
  std::uint64_t present = 0;  // Positions below it were there.
  for (std::uint64_t step = 1; absent > 0; step *= 2) {
    const std::uint64_t position = absent - std::min(step, absent);
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, EntryInChain(subject, position));
    if (index < size_) {
      present = position + 1;
      break;
    }
    absent = position;
  }
  while (present < absent) {
    const std::uint64_t position = present + (absent - present) / 2;
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, EntryInChain(subject, position));
    if (index < size_) {
      present = position + 1;
    } else {
      absent = position;
    }
  }
  return present;
}

absl::StatusOr<SubjectKey> PastView::SubjectOfLeaf(std::string_view key,
                                                   std::uint64_t last_index) const {
  CUSTODY_ASSIGN_OR_RETURN(const PastEntry past, ReadPast(view_, last_index));
  for (const SubjectKey& subject : past.event.subjects) {
    if (KeyOfIndexLeaf(IndexKeyOf(subject)) == key) return subject;
  }
  return absl::DataLossError(
      absl::StrFormat("entry %d is not about the subject whose newest it is", last_index));
}

absl::StatusOr<std::optional<std::string>> PastView::LeafThen(std::string_view key,
                                                              std::string_view value) const {
  CUSTODY_ASSIGN_OR_RETURN(const StoredIndexLeaf newer, DecodeIndexLeaf(value));
  if (newer.last_index < size_) return std::string(value);
  CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, SubjectOfLeaf(key, newer.last_index));
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t count, CountThen(subject, newer.value.event_count));
  if (count == 0) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t last_index, EntryInChain(subject, count - 1));
  CUSTODY_ASSIGN_OR_RETURN(const auto head, view_.Get(KeyOfEntry(last_index)));
  if (!head.has_value()) {
    return absl::DataLossError(absl::StrFormat("entry %d is missing", last_index));
  }
  return EncodeIndexLeaf({{count, LeafHash(*head)}, last_index});
}

absl::Status PastView::ScanLeaves(std::string_view begin, std::string_view end,
                                  const Visitor& visit) const {
  absl::Status bad;
  CUSTODY_RETURN_IF_ERROR(view_.Scan(begin, end, [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<std::optional<std::string>> then = LeafThen(key, value);
    bad = then.status();
    return bad.ok() && (!then->has_value() || visit(key, **then));
  }));
  return bad;
}

}  // namespace custody
