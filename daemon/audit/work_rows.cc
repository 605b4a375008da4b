#include "daemon/audit/work_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/audit/work_view.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

constexpr char kAuditedKey[] = "maudited-2";
constexpr char kEdgeKey[] = "medge";
constexpr std::size_t kSubjectHeadSize = 4;

absl::Status Malformed(const char* what) {
  return OfWorkFolder(absl::DataLossError(absl::StrFormat("%s is malformed", what)));
}

}  // namespace

std::string EncodeEventRow(const ParsedEvent& event) {
  std::string bytes(event.code());
  bytes.push_back('\0');
  for (const SubjectKey& subject : event.subjects) {
    AppendBigEndian16(static_cast<std::uint16_t>(subject.kind), &bytes);
    AppendBigEndian16(static_cast<std::uint16_t>(subject.id.size()), &bytes);
    bytes += subject.id;
  }
  return bytes;
}

absl::StatusOr<RecordedEvent> DecodeEventRow(std::string_view bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return Malformed("an event of the replay");
  RecordedEvent event{std::string(bytes.substr(0, end)), {}};
  bytes.remove_prefix(end + 1);
  while (!bytes.empty()) {
    if (bytes.size() < kSubjectHeadSize) return Malformed("an event of the replay");
    const std::uint16_t kind = ReadBigEndian16(bytes);
    const std::size_t size = ReadBigEndian16(bytes.substr(2));
    bytes.remove_prefix(kSubjectHeadSize);
    if (bytes.size() < size || !v1::SubjectKind_IsValid(kind)) {
      return Malformed("an event of the replay");
    }
    event.subjects.push_back(
        {static_cast<v1::SubjectKind>(kind), std::string(bytes.substr(0, size))});
    bytes.remove_prefix(size);
  }
  return event;
}

absl::StatusOr<std::optional<RecordedEvent>> ReadEventRow(const ReadView& view,
                                                          const Digest& event_digest) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(KeyOfEventDigest(event_digest)));
  if (!bytes.has_value()) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(RecordedEvent event, DecodeEventRow(*bytes));
  return event;
}

absl::StatusOr<std::uint64_t> ReadAudited(const ReadView& view) {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view.Get(kAuditedKey));
  if (bytes.has_value()) return OfWorkFolder(DecodeU64(*bytes));
  return absl::InvalidArgumentError(
      "the work folder is that of no audit, or of an audit by an earlier version: remove it");
}

void PutAudited(std::uint64_t entries, WriteBatch* writes) {
  writes->Put(kAuditedKey, EncodeU64(entries));
}

void PutEdge(const TileEdge& edge, WriteBatch* writes) {
  writes->Put(kEdgeKey, edge.partial.front());
}

absl::StatusOr<Digest> ReadLeafHash(const ReadView& view, std::uint64_t size, std::uint64_t index) {
  std::string hashes;
  if (index / kTileWidth < FullTileCount(0, size)) {
    CUSTODY_ASSIGN_OR_RETURN(hashes, StoredTiles(view).ReadFullTile(0, index / kTileWidth));
  } else {
    CUSTODY_ASSIGN_OR_RETURN(auto edge, view.Get(kEdgeKey));
    hashes = std::move(edge).value_or("");
  }
  const std::size_t begin = index % kTileWidth * Digest::kSizeBytes;
  if (hashes.size() < begin + Digest::kSizeBytes) return Malformed("the edge of the replay");
  return Digest::FromBytes(std::string_view(hashes).substr(begin, Digest::kSizeBytes));
}

}  // namespace custody
