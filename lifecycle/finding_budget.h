// Findings share an entry with the event and its links; they are fitted into what is left.

#ifndef CUSTODY_LIFECYCLE_FINDING_BUDGET_H_
#define CUSTODY_LIFECYCLE_FINDING_BUDGET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "custody/v1/reason.pb.h"
#include "lifecycle/parsed_event.h"

namespace custody {

inline constexpr std::size_t kFindingDetailBytesMax = 200;

// At most `bytes_max` bytes, cut before a character and without control characters.
std::string ShortenText(std::string_view text, std::size_t bytes_max);

// Shortens details to 200 bytes and drops repetitions. If the entry would still be too large,
// details go first; what is left is one finding for each code, severity and kind.
void FitFindings(const ParsedEvent& event, std::vector<v1::Finding>* findings);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_FINDING_BUDGET_H_
