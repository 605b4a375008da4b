#include "daemon/ledger/schema.h"

#include "base/bytes.h"
#include "base/status_macros.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

KeyWriter WriterOf(Table table) { return KeyWriter(static_cast<char>(table)); }

KeyWriter& AddSubject(const SubjectKey& subject, KeyWriter* writer) {
  return writer->U8(static_cast<std::uint8_t>(subject.kind)).Bytes(subject.id);
}

absl::StatusOr<SubjectKey> ReadSubject(KeyReader* reader) {
  CUSTODY_ASSIGN_OR_RETURN(const std::uint8_t kind, reader->U8());
  CUSTODY_ASSIGN_OR_RETURN(std::string id, reader->Bytes());
  return SubjectKey{static_cast<v1::SubjectKind>(kind), std::move(id)};
}

absl::Status Malformed(const char* what) {
  return absl::DataLossError(std::string(what) + " in the store is malformed");
}

}  // namespace

std::string KeyOfMeta(MetaKey which) {
  std::string_view name;
  switch (which) {
    case MetaKey::kFormat:
      name = "format";
      break;
    case MetaKey::kHead:
      name = "head";
      break;
    case MetaKey::kOrigin:
      name = "origin";
      break;
    case MetaKey::kStoppedIndex:
      name = "stopped-index";
      break;
    case MetaKey::kWitnessed:
      name = "witnessed";
      break;
  }
  return WriterOf(Table::kMeta).Rest(name).Take();
}

std::string KeyOfEntry(std::uint64_t index) { return WriterOf(Table::kEntry).U64(index).Take(); }

std::string KeyOfTile(std::uint32_t level, std::uint64_t tile) {
  return WriterOf(Table::kTile).U8(static_cast<std::uint8_t>(level)).U64(tile).Take();
}

std::string KeyOfCheckpoint(std::uint64_t size) {
  return WriterOf(Table::kCheckpoint).U64(size).Take();
}

std::string KeyOfEventId(std::string_view event_id) {
  return WriterOf(Table::kEventId).Fixed(event_id).Take();
}

std::string KeyOfEventDigest(const Digest& event_digest) {
  return WriterOf(Table::kEventDigest).Fixed(event_digest.view()).Take();
}

std::string KeyOfPending(const Digest& event_digest) {
  return WriterOf(Table::kPending).Fixed(event_digest.view()).Take();
}

std::string KeyOfState(const SubjectKey& subject) {
  KeyWriter writer = WriterOf(Table::kState);
  return AddSubject(subject, &writer).Take();
}

std::string KeyOfChain(const SubjectKey& subject, std::uint64_t position) {
  KeyWriter writer = WriterOf(Table::kChain);
  return AddSubject(subject, &writer).U64(position).Take();
}

std::string KeyOfEdge(Table direction, const SubjectKey& from, const SubjectKey& to) {
  KeyWriter writer = WriterOf(direction);
  AddSubject(from, &writer);
  return AddSubject(to, &writer).Take();
}

std::string KeyOfOpenCase(std::string_view case_id) {
  return WriterOf(Table::kOpenCase).Rest(case_id).Take();
}

std::string KeyOfRunningOrder(std::string_view order_id) {
  return WriterOf(Table::kRunningOrder).Rest(order_id).Take();
}

std::string KeyOfIndexLeaf(const Digest& key) {
  return WriterOf(Table::kIndexLeaf).Fixed(key.view()).Take();
}

std::string KeyOfIndexBucket(std::uint16_t bucket) {
  return WriterOf(Table::kIndexBucket).U16(bucket).Take();
}

std::string KeyOfIndexBuckets(std::uint64_t size) {
  return WriterOf(Table::kIndexBuckets).U64(size).Take();
}

std::string KeyOfIndexChange(std::uint64_t size) {
  return WriterOf(Table::kIndexChange).U64(size).Take();
}

std::string KeyOfExternal(std::string_view scheme, std::string_view value,
                          const SubjectKey& subject) {
  KeyWriter writer = WriterOf(Table::kExternal);
  writer.Bytes(scheme).Bytes(value);
  return AddSubject(subject, &writer).Take();
}

std::string PrefixOfTable(Table table) { return WriterOf(table).Take(); }

std::string PrefixOfEdges(Table direction, const SubjectKey& from) {
  KeyWriter writer = WriterOf(direction);
  return AddSubject(from, &writer).Take();
}

std::string PrefixOfStates(v1::SubjectKind kind) {
  return WriterOf(Table::kState).U8(static_cast<std::uint8_t>(kind)).Take();
}

std::string PrefixOfCode(std::string_view code) {
  return WriterOf(Table::kByCode).Bytes(code).Take();
}

std::string PrefixOfSite(std::string_view site_id) {
  return WriterOf(Table::kBySite).Fixed(site_id).Take();
}

std::string PrefixOfSigner(const SubjectKey& signer) {
  KeyWriter writer = WriterOf(Table::kBySigner);
  return writer.U8(static_cast<std::uint8_t>(signer.kind)).Fixed(signer.id).Take();
}

std::string PrefixOfExternal(std::string_view scheme, std::string_view value) {
  return WriterOf(Table::kExternal).Bytes(scheme).Bytes(value).Take();
}

std::string PrefixOfIndexBucketLeaves(std::uint16_t bucket) {
  return WriterOf(Table::kIndexLeaf).U16(bucket).Take();
}

absl::StatusOr<std::uint64_t> IndexInKey(std::string_view key) {
  if (key.size() < 9) return Malformed("a list key");
  return ReadBigEndian64(key.substr(key.size() - 8));
}

absl::StatusOr<SubjectKey> TargetOfEdgeKey(std::string_view key) {
  KeyReader reader(key);
  CUSTODY_RETURN_IF_ERROR(ReadSubject(&reader).status());
  CUSTODY_ASSIGN_OR_RETURN(SubjectKey target, ReadSubject(&reader));
  CUSTODY_RETURN_IF_ERROR(reader.Finish());
  return target;
}

absl::StatusOr<SubjectKey> FirstSubjectInKey(std::string_view key) {
  KeyReader reader(key);
  return ReadSubject(&reader);
}

absl::StatusOr<SubjectKey> SubjectOfStateKey(std::string_view key) {
  KeyReader reader(key);
  CUSTODY_ASSIGN_OR_RETURN(SubjectKey subject, ReadSubject(&reader));
  CUSTODY_RETURN_IF_ERROR(reader.Finish());
  return subject;
}

absl::StatusOr<SubjectKey> SubjectOfExternalKey(std::string_view key) {
  KeyReader reader(key);
  CUSTODY_RETURN_IF_ERROR(reader.Bytes().status());
  CUSTODY_RETURN_IF_ERROR(reader.Bytes().status());
  CUSTODY_ASSIGN_OR_RETURN(SubjectKey subject, ReadSubject(&reader));
  CUSTODY_RETURN_IF_ERROR(reader.Finish());
  return subject;
}

std::string EncodeEventIdRecord(const EventIdRecord& record) {
  std::string bytes(record.event_digest.view());
  AppendBigEndian64(record.index, &bytes);
  return bytes;
}

absl::StatusOr<EventIdRecord> DecodeEventIdRecord(std::string_view bytes) {
  if (bytes.size() != Digest::kSizeBytes + 8) return Malformed("an event id");
  CUSTODY_ASSIGN_OR_RETURN(const Digest digest,
                           Digest::FromBytes(bytes.substr(0, Digest::kSizeBytes)));
  return EventIdRecord{digest, ReadBigEndian64(bytes.substr(Digest::kSizeBytes))};
}

std::string EncodeHead(const HeadRecord& head) {
  std::string bytes;
  AppendBigEndian64(head.size, &bytes);
  bytes.append(head.root.view());
  return bytes;
}

absl::StatusOr<HeadRecord> DecodeHead(std::string_view bytes) {
  if (bytes.size() != 8 + Digest::kSizeBytes) return Malformed("the head");
  CUSTODY_ASSIGN_OR_RETURN(const Digest root, Digest::FromBytes(bytes.substr(8)));
  return HeadRecord{ReadBigEndian64(bytes), root};
}

std::string EncodeIndexLeaf(const StoredIndexLeaf& leaf) {
  std::string bytes = leaf.value.ToBytes();
  AppendBigEndian64(leaf.last_index, &bytes);
  return bytes;
}

absl::StatusOr<StoredIndexLeaf> DecodeIndexLeaf(std::string_view bytes) {
  const bool has_index = bytes.size() == IndexValue::kSizeBytes + 8;
  const absl::StatusOr<IndexValue> value =
      IndexValue::FromBytes(has_index ? bytes.substr(0, IndexValue::kSizeBytes) : bytes);
  if (!value.ok()) return Malformed("a leaf of the subject index");
  return StoredIndexLeaf{
      *value, has_index ? ReadBigEndian64(bytes.substr(IndexValue::kSizeBytes)) : std::uint64_t{0}};
}

std::string EncodeIndexBucket(const IndexBucketRecord& record) {
  std::string bytes;
  AppendBigEndian64(record.leaf_count, &bytes);
  bytes.append(record.root.view());
  return bytes;
}

absl::StatusOr<IndexBucketRecord> DecodeIndexBucket(std::string_view key, std::string_view bytes) {
  KeyReader reader(key);
  CUSTODY_ASSIGN_OR_RETURN(const std::uint16_t bucket, reader.U16());
  CUSTODY_RETURN_IF_ERROR(reader.Finish());
  if (bytes.size() != 8 + Digest::kSizeBytes) return Malformed("a bucket of the index");
  CUSTODY_ASSIGN_OR_RETURN(const Digest root, Digest::FromBytes(bytes.substr(8)));
  return IndexBucketRecord{bucket, ReadBigEndian64(bytes), root};
}

std::string EncodeU64(std::uint64_t value) {
  std::string bytes;
  AppendBigEndian64(value, &bytes);
  return bytes;
}

absl::StatusOr<std::uint64_t> DecodeU64(std::string_view bytes) {
  if (bytes.size() != 8) return Malformed("an index");
  return ReadBigEndian64(bytes);
}

}  // namespace custody
