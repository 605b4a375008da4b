// Holds one stretch of the log after the other against the tree, so that a scrub can go on where it
// stopped, whenever that was. Each call belongs to one snapshot; the next may use a later one.
//
//   span n   the entries under tile n of level 0, that tile, and the tiles above it that end with
//   it
//
// A tile is right if its root is what the tile above it says; an entry, if it hashes to its place
// in a tile that is right. What is newer than the last full tile is compared with the edge in
// memory, which start-up has compared with the head.
//
// Threads: one thread; snapshot and sink must outlive it.

#ifndef CUSTODY_DAEMON_LEDGER_SPAN_CHECK_H_
#define CUSTODY_DAEMON_LEDGER_SPAN_CHECK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/tiles.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/scrub_checks.h"

namespace custody {

// Errors of all: kCancelled if `go_on` says so; those of the view other than kDataLoss, which is
// damage and goes to the sink.
class SpanCheck {
 public:
  // Called after each entry; may wait. Returns false to give up.
  using GoOn = std::function<bool()>;
  SpanCheck(std::shared_ptr<const LedgerSnapshot> snapshot, const DamageSink& sink);

  // Spans of the snapshot, the last one partial.
  std::uint64_t span_count() const;
  absl::Status CheckSpan(std::uint64_t span, const GoOn& go_on);
  // One entry below the snapshot's size. The tile over it is taken to be right.
  absl::Status CheckEntry(std::uint64_t index);
  // One bucket of the index against its leaves; returns how many it has.
  absl::StatusOr<std::uint64_t> CheckBucket(std::uint16_t bucket);
  // The head against the right edge, the last seal and the buckets.
  absl::Status CheckHead();

 private:
  // The hashes of tile `span`; empty if it is missing or unreadable, which is reported.
  absl::StatusOr<std::string> HashesOf(std::uint64_t span);
  // What the tile above says about a full tile; nullopt if it cannot be read.
  std::optional<Digest> RootAbove(std::uint32_t level, std::uint64_t tile) const;
  // The hash of the stored entry; nullopt if it is missing or unreadable, which is reported.
  absl::StatusOr<std::optional<Digest>> HashEntry(std::uint64_t index,
                                                  std::optional<Digest> expected);
  // Entries from `begin` on that were found and do not hash to these.
  void ReportOthersThan(std::string_view hashes, std::uint64_t begin,
                        const std::vector<std::optional<Digest>>& found);
  absl::Status CheckInnerTiles(std::uint64_t span);

  const std::shared_ptr<const LedgerSnapshot> snapshot_;
  const DamageSink& sink_;
  const StoredTiles tiles_;
  ScrubChecks checks_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SPAN_CHECK_H_
