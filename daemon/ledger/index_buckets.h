// All buckets of the subject index at a checkpoint in one value: in the history of the index and in
// what a stop leaves.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_LEDGER_INDEX_BUCKETS_H_
#define CUSTODY_DAEMON_LEDGER_INDEX_BUCKETS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/index_tree.h"

namespace custody {

// Size of the log u64; for each bucket, ascending: bucket u16, leaf_count u64, root 32; then the
// SHA-256 of all that, since a root does not say in which bucket a single leaf stands.
std::string EncodeIndexBuckets(std::uint64_t log_size, const IndexSnapshot& index);

struct IndexBuckets {
  std::uint64_t log_size = 0;
  IndexTree index;
};
// Nothing unless they are whole.
std::optional<IndexBuckets> DecodeIndexBuckets(std::string_view value);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_INDEX_BUCKETS_H_
