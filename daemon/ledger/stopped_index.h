// The buckets of the subject index as they were when the ledger stopped, in one value, so that the
// start after a clean stop reads that value instead of up to 65,536 rows.
//
// A shortcut and nothing else: if it is missing, older than the log, or damaged, a start reads the
// table of buckets, and in either case compares the root with the last seal.
//
// Value: EncodeIndexBuckets().
//
// Threads: pure functions over a store.

#ifndef CUSTODY_DAEMON_LEDGER_STOPPED_INDEX_H_
#define CUSTODY_DAEMON_LEDGER_STOPPED_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "crypto/index_tree.h"
#include "storage/store.h"

namespace custody {

// All buckets at a checkpoint: size of the log u64; for each bucket, ascending: bucket u16,
// leaf_count u64, root 32; then the SHA-256 of all that, since a root does not say in which bucket
// a single leaf stands.
std::string EncodeIndexBuckets(std::uint64_t log_size, const IndexSnapshot& index);
// Nothing unless they are whole and of a log of this size.
std::optional<IndexTree> DecodeIndexBuckets(std::uint64_t log_size, std::string_view value);

// Errors: the store's.
absl::Status WriteStoppedIndex(std::uint64_t log_size, const IndexSnapshot& index, Store* store);

// Nothing unless it is whole and of a log of this size.
std::optional<IndexTree> ReadStoppedIndex(std::uint64_t log_size, const ReadView& view);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_STOPPED_INDEX_H_
