// Times and durations as people write them.
//
//   time      RFC 3339 ("2026-11-02T08:30:00+07:00"), "now", "now-150d", "now+2h30min", either of
//             these with a local time of day ("now-150d at 08:30 Asia/Bangkok"), or milliseconds
//             since 1970
//   duration  "30min", "1h30min", "14d", "500ms", "90s", or milliseconds
//
// Threads: pure.

#ifndef CUSTODY_CLIENT_DRAFT_TIME_TEXT_H_
#define CUSTODY_CLIENT_DRAFT_TIME_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

// A moment and the offset of the clock that states it.
struct TimeText {
  std::int64_t utc_ms = 0;
  std::int32_t offset_minutes = 0;
};

// Errors: kInvalidArgument naming the text and the forms that are understood.
absl::StatusOr<TimeText> ParseTimeText(std::string_view text, std::int64_t now_ms);

// Milliseconds. Errors: kInvalidArgument.
absl::StatusOr<std::int64_t> ParseDurationText(std::string_view text);

// Replaces each "{isbt-time:TIME}" in `text` by the local time as a label of ISBT 128 writes it
// (cyyjjjhhmm; TIME needs a time of day and a zone). Other text stays as it is.
// Errors: kInvalidArgument.
absl::StatusOr<std::string> FillLabelTimes(std::string_view text, std::int64_t now_ms);

// "2026-11-02T01:30:00.000Z".
std::string FormatTimeMs(std::int64_t utc_ms);

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_TIME_TEXT_H_
