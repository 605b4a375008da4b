// What the store of a replay holds besides what LogBuilder writes: ids and events that were there,
// the leaves on the right edge of the tree, and how far the audit came. Entries it does not hold:
// no rule reads more of an old event than its code and its subjects.
//
//   "i" event id       u64: the entry that has it
//   "d" event digest   the event's code 0x00, then for each subject: kind u16, length u16, id
//   "medge"            leaf hashes behind the last full tile, 32 bytes each
//   "maudited-2"       u64: entries of which everything was judged, signatures too
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_AUDIT_WORK_ROWS_H_
#define CUSTODY_DAEMON_AUDIT_WORK_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/tiles.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/state_view.h"
#include "storage/store.h"

namespace custody {

std::string EncodeEventRow(const ParsedEvent& event);
// Errors: kUnavailable if it is malformed, which is the fault of the store alone.
absl::StatusOr<RecordedEvent> DecodeEventRow(std::string_view bytes);

// nullopt: the replay has not seen it. Errors: as DecodeEventRow(); those of the view.
absl::StatusOr<std::optional<RecordedEvent>> ReadEventRow(const ReadView& view,
                                                          const Digest& event_digest);

// How far an audit came. Errors: kInvalidArgument if the store is of no audit; kUnavailable if it
// is damaged; those of the view.
absl::StatusOr<std::uint64_t> ReadAudited(const ReadView& view);
void PutAudited(std::uint64_t entries, WriteBatch* writes);

void PutEdge(const TileEdge& edge, WriteBatch* writes);
// The leaf hash of an entry before `size`, where the edge ends. Errors: kUnavailable if the store
// is damaged; the view's.
absl::StatusOr<Digest> ReadLeafHash(const ReadView& view, std::uint64_t size, std::uint64_t index);

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_WORK_ROWS_H_
