// Every key that the ledger writes. Numbers are big-endian, so byte order is number order and a
// range scan is a history. A subject in a key is `kind:u8 id:escaped` (storage/key_codec.h).
//
//   'b' size:u64                    -> see index_history.h  buckets of the index at a checkpoint
//   'c' subject position:u64        -> index:u64            chain of a subject
//   'd' event_digest:32             -> index:u64
//   'e' index:u64                   -> Entry bytes, exactly as hashed
//   'f' parent child                -> ""                   genealogy, forward
//   'g' child parent                -> ""                   genealogy, back
//   'h' size:u64                    -> see index_history.h  buckets that the batch behind a
//                                                           checkpoint changed
//   'i' event_id:16                 -> event_digest:32 index:u64
//   'k' size:u64                    -> signed note of the checkpoint of that size
//   'm' name                        -> see MetaKey
//   'o' case_id:16                  -> ""                   cases that are open
//   'p' event_digest:32             -> PendingEvent
//   'q' code:escaped first:u64      -> distances            entries by catalogue code
//                                                           (entry_lists.h)
//   's' subject                     -> SubjectState
//   't' level:u8 tile:u64           -> 8,192 bytes          full tiles only
//   'u' site_id:16 first:u64        -> distances            entries by site
//   'v' kind:u8 signer:16 first:u64 -> distances            entries by signing person or device
//   'w' order_id:16                 -> ""                   orders with a running follow-up
//   'x' key:32                      -> event_count:u64 head:32 last_index:u64
//                                                           leaves of the subject index; those
//                                                           that format 1 wrote end with the head
//   'y' bucket:u16                  -> leaf_count:u64 root:32    its buckets
//   'z' scheme:escaped value:escaped subject -> ""          numbers of other systems
//
// Entries by time need no table: recorded_at never decreases.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_LEDGER_SCHEMA_H_
#define CUSTODY_DAEMON_LEDGER_SCHEMA_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/index_tree.h"
#include "lifecycle/subject.h"

namespace custody {

// Raised when a program that knows only the older format could not read the store. A store of an
// older format that is still read becomes one of this format with the first start that writes.
inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr std::uint32_t kFormatVersionMin = 1;

enum class Table : char {
  kIndexBuckets = 'b',
  kChain = 'c',
  kEventDigest = 'd',
  kEntry = 'e',
  kEdgeForward = 'f',
  kEdgeBack = 'g',
  kIndexChange = 'h',
  kEventId = 'i',
  kCheckpoint = 'k',
  kMeta = 'm',
  kOpenCase = 'o',
  kPending = 'p',
  kByCode = 'q',
  kState = 's',
  kTile = 't',
  kBySite = 'u',
  kBySigner = 'v',
  kRunningOrder = 'w',
  kIndexLeaf = 'x',
  kIndexBucket = 'y',
  kExternal = 'z',
};

enum class MetaKey {
  kFormat,        // "format" -> u32
  kHead,          // "head" -> size:u64 root:32
  kOrigin,        // "origin" -> text
  kStoppedIndex,  // "stopped-index", of earlier versions: what is a file now (stopped_log.h)
  kWitnessed,     // "witnessed" -> signed note of the newest checkpoint that a quorum has cosigned
};

std::string KeyOfMeta(MetaKey which);
std::string KeyOfEntry(std::uint64_t index);
std::string KeyOfTile(std::uint32_t level, std::uint64_t tile);
std::string KeyOfCheckpoint(std::uint64_t size);
std::string KeyOfEventId(std::string_view event_id);
std::string KeyOfEventDigest(const Digest& event_digest);
std::string KeyOfPending(const Digest& event_digest);
std::string KeyOfState(const SubjectKey& subject);
std::string KeyOfChain(const SubjectKey& subject, std::uint64_t position);
std::string KeyOfEdge(Table direction, const SubjectKey& from, const SubjectKey& to);
std::string KeyOfOpenCase(std::string_view case_id);
std::string KeyOfRunningOrder(std::string_view order_id);
std::string KeyOfIndexLeaf(const Digest& key);
std::string KeyOfIndexBucket(std::uint16_t bucket);
std::string KeyOfIndexBuckets(std::uint64_t size);
std::string KeyOfIndexChange(std::uint64_t size);
std::string KeyOfExternal(std::string_view scheme, std::string_view value,
                          const SubjectKey& subject);

// Prefixes of ranges; use with PrefixEnd().
std::string PrefixOfTable(Table table);
std::string PrefixOfEdges(Table direction, const SubjectKey& from);
std::string PrefixOfStates(v1::SubjectKind kind);
std::string PrefixOfCode(std::string_view code);
std::string PrefixOfSite(std::string_view site_id);
std::string PrefixOfSigner(const SubjectKey& signer);
std::string PrefixOfExternal(std::string_view scheme, std::string_view value);
// Leaves of one bucket of the index.
std::string PrefixOfIndexBucketLeaves(std::uint16_t bucket);

// What stands in a key. Errors of all: kDataLoss if it is malformed.
// The last 8 bytes of keys that end in an index.
absl::StatusOr<std::uint64_t> IndexInKey(std::string_view key);
absl::StatusOr<SubjectKey> TargetOfEdgeKey(std::string_view key);
// The subject at the beginning of a key of states, of chains, or of edges (their first end).
absl::StatusOr<SubjectKey> FirstSubjectInKey(std::string_view key);
absl::StatusOr<SubjectKey> SubjectOfStateKey(std::string_view key);
absl::StatusOr<SubjectKey> SubjectOfExternalKey(std::string_view key);

// Values.
struct EventIdRecord {
  Digest event_digest;
  std::uint64_t index = 0;
};
std::string EncodeEventIdRecord(const EventIdRecord& record);
absl::StatusOr<EventIdRecord> DecodeEventIdRecord(std::string_view bytes);

struct HeadRecord {
  std::uint64_t size = 0;
  Digest root;
};
std::string EncodeHead(const HeadRecord& head);
absl::StatusOr<HeadRecord> DecodeHead(std::string_view bytes);

// A leaf of the index, and the entry that its head is the hash of. A leaf that format 1 wrote says
// no index; no checkpoint whose index can still be proved is older than its head, so it reads as 0.
struct StoredIndexLeaf {
  IndexValue value;
  std::uint64_t last_index = 0;
};
std::string EncodeIndexLeaf(const StoredIndexLeaf& leaf);
absl::StatusOr<StoredIndexLeaf> DecodeIndexLeaf(std::string_view bytes);

std::string EncodeIndexBucket(const IndexBucketRecord& record);
absl::StatusOr<IndexBucketRecord> DecodeIndexBucket(std::string_view key, std::string_view bytes);

std::string EncodeU64(std::uint64_t value);
absl::StatusOr<std::uint64_t> DecodeU64(std::string_view bytes);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SCHEMA_H_
