// Page sizes, and page tokens of lists that go on behind an id.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_SERVICES_PAGE_H_
#define CUSTODY_DAEMON_SERVICES_PAGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace custody {

inline constexpr std::uint32_t kPageEntriesDefault = 100;

// 0 asks for the default; more than the maximum gets the maximum.
inline std::size_t PageSize(std::uint32_t wanted, std::uint32_t page_entries_max) {
  return std::min(wanted == 0 ? kPageEntriesDefault : wanted, page_entries_max);
}

inline std::string FormatPageToken(std::string_view last_id) { return ToHex(last_id); }
// Errors: kInvalidArgument if it is no token of ours. The empty token is the first page.
inline absl::StatusOr<std::string> ParsePageToken(std::string_view token) {
  absl::StatusOr<std::string> id = FromHex(token);
  if (!id.ok()) return absl::InvalidArgumentError("page_token was not made by this ledger");
  return id;
}

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_PAGE_H_
