// Looking for bit rot: everything that a store can be held against without replaying its log.

#ifndef CUSTODY_DAEMON_LEDGER_SCRUB_H_
#define CUSTODY_DAEMON_LEDGER_SCRUB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ledger/damage.h"
#include "daemon/ledger/rebuild.h"
#include "storage/store.h"

namespace custody {

struct ScrubReport {
  std::uint64_t entries = 0;  // That were read or missed.
  std::uint64_t damage_count = 0;
  // The first kScrubDamageMax of them, in the order in which they were met.
  std::vector<Damage> damage;
};

inline constexpr std::size_t kScrubDamageMax = 1'000;

// Re-hashes every entry against the stored tiles, every full tile against the entries below it, the
// root against the head; follows the links of every entry through the chains; rebuilds the index
// from its leaves and compares it with its buckets and the last seal. Damage that it meets, also
// bytes that the store itself refuses to read, is reported, and it goes on. It does not recompute
// states, lists and edges: a rebuild does.
//
// Memory does not grow with the log. Errors: kCancelled if `progress` gives up; kNotFound if the
// store holds no ledger; kFailedPrecondition on another format version; those of the store other
// than kDataLoss.
absl::StatusOr<ScrubReport> ScrubLog(const ReadView& view, const RebuildProgress& progress);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SCRUB_H_
