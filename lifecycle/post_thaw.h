// Measurements after thaw in the shape that a row of the policy judges.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_POST_THAW_H_
#define CUSTODY_LIFECYCLE_POST_THAW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "custody/v1/policy.pb.h"
#include "custody/v1/quality_events.pb.h"

namespace custody {

// Rows in words are the rapid Gram stain, rows "CN-" are viable cells in percent of the label claim
// (two decimals), all others are viability.
//
//   viability_percent  nullptr when it was not measured
//   returns            nullopt if the row's value was not measured
std::optional<v1::QcResult> PostThawResultFor(const v1::ReleaseRow& row,
                                              const v1::Decimal* viability_percent,
                                              std::uint64_t viable_cells,
                                              std::uint64_t claimed_cells,
                                              const std::string& rapid_gram);

// The row judges viability, which is what the method of a report (CLN-09) is about.
bool IsViabilityRow(const v1::ReleaseRow& row);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_POST_THAW_H_
