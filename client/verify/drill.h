// False bundles made from true ones, to try out whether a lie would be noticed where bundles are
// verified. They carry true signatures: nothing here has a key.
//
// Threads: pure functions.

#ifndef CUSTODY_CLIENT_VERIFY_DRILL_H_
#define CUSTODY_CLIENT_VERIFY_DRILL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "custody/v1/bundle.pb.h"

namespace custody {

// What a ledger would show that hides what happened from entry `from` on: the entries before it,
// chains that end there, the newest checkpoint and its seal. All that is shown is true and proven
// (levels A and B); level C tells.
//
// Errors: kInvalidArgument if nothing would be withheld, or the bundle cannot be read.
absl::StatusOr<v1::Bundle> WithholdEntries(v1::Bundle bundle, std::uint64_t from);

// The bundle with one bit of the middle of its newest event changed. Level A tells.
// Errors: kInvalidArgument if it holds no event.
absl::StatusOr<v1::Bundle> AlterEntry(v1::Bundle bundle);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_DRILL_H_
