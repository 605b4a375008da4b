// One signature over many observations, and the events that it makes.
//
//   events -> digests -> RFC 6962 tree over the digests -> BatchStatement{root, count, ...} ->
//   signature
//
// Each event of a batch is a SignedEvent of its own from then on: it carries the statement, the
// signature and its path, so that it proves itself without the others.
//
// Threads: pure functions.
// Limits:  1 to kBatchEventsMax events.

#ifndef CUSTODY_LIFECYCLE_BATCH_STATEMENT_H_
#define CUSTODY_LIFECYCLE_BATCH_STATEMENT_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "custody/v1/record.pb.h"

namespace custody {

inline constexpr std::size_t kBatchEventsMax = 1'024;

// What a batch statement states in events_root. Requires at least one event.
Digest BatchRoot(std::span<const std::string> events);

// The events of a batch, each with `signature` (statement and signature bytes; place and path are
// filled in). That the statement is about these events is checked; whether its signature is true is
// not, and neither are the events.
//
// Errors: kInvalidArgument E_MALFORMED if the statement cannot be read, or has another root or
// count; E_TOO_LARGE for more than kBatchEventsMax events.
absl::StatusOr<std::vector<v1::SignedEvent>> SplitBatch(const v1::Signature& signature,
                                                        std::vector<std::string> events);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_BATCH_STATEMENT_H_
