#include "client/draft/time_text.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"

namespace custody {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

// Longer names first, so that "min" is not read as "m".
constexpr Unit kUnits[] = {
    {"min", 60'000}, {"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"s", 1'000}};
constexpr std::int64_t kDurationMsMax = std::int64_t{200} * 366 * 86'400'000;

bool IsInteger(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  }
  return true;
}

absl::Status BadDuration(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is no duration; write for example 30min, 1h30min, 14d, 500ms", text));
}

const Unit* UnitAtStart(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

// Takes "30min" off the start; nullopt if no such part stands there or it is too long.
std::optional<std::int64_t> TakeDurationPart(std::string_view* text) {
  constexpr std::size_t kDigitsMax = 12;
  const std::size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
  std::int64_t count = 0;
  if (digits == 0 || digits > kDigitsMax ||
      !absl::SimpleAtoi(AbslView(text->substr(0, digits)), &count)) {
    return std::nullopt;
  }
  text->remove_prefix(digits);
  const Unit* unit = UnitAtStart(*text);
  if (unit == nullptr || count > kDurationMsMax / unit->milliseconds) return std::nullopt;
  text->remove_prefix(unit->name.size());
  return count * unit->milliseconds;
}

// A day and a time of day in a zone: " at 08:30 Asia/Bangkok".
struct LocalTime {
  absl::Time moment;
  absl::TimeZone zone;
};

absl::StatusOr<LocalTime> ParseLocalTime(std::string_view text, std::int64_t now_ms) {
  const absl::Status malformed = absl::InvalidArgumentError(
      absl::StrFormat("'%s' is no local time; write now-150d at 08:30 Asia/Bangkok", text));
  const std::size_t at = text.find(" at ");
  if (at == std::string_view::npos || text.size() < at + 11 || text[at + 6] != ':' ||
      text[at + 9] != ' ') {
    return malformed;
  }
  const absl::StatusOr<TimeText> day = ParseTimeText(text.substr(0, at), now_ms);
  if (!day.ok()) return day.status();
  int hour = 0;
  int minute = 0;
  LocalTime local;
  if (!absl::SimpleAtoi(AbslView(text.substr(at + 4, 2)), &hour) ||
      !absl::SimpleAtoi(AbslView(text.substr(at + 7, 2)), &minute) || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 ||
      !absl::LoadTimeZone(AbslView(text.substr(at + 10)), &local.zone)) {
    return malformed;
  }
  const absl::CivilDay date = absl::ToCivilDay(absl::FromUnixMillis(day->utc_ms), local.zone);
  local.moment = absl::FromCivil(
      absl::CivilMinute(date.year(), date.month(), date.day(), hour, minute), local.zone);
  return local;
}

}  // namespace

absl::StatusOr<std::string> FillLabelTimes(std::string_view text, std::int64_t now_ms) {
  constexpr std::string_view kOpen = "{isbt-time:";
  std::string filled;
  while (true) {
    const std::size_t begin = text.find(kOpen);
    if (begin == std::string_view::npos) break;
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos)
      return absl::InvalidArgumentError("'{isbt-time:' is not closed");
    const std::size_t inner = begin + kOpen.size();
    CUSTODY_ASSIGN_OR_RETURN(const LocalTime local,
                             ParseLocalTime(text.substr(inner, end - inner), now_ms));
    const absl::TimeZone::CivilInfo civil = local.zone.At(local.moment);
    filled.append(text.substr(0, begin));
    filled.append(absl::StrFormat("%03d%03d%02d%02d", civil.cs.year() - 2000,
                                  absl::GetYearDay(absl::CivilDay(civil.cs)), civil.cs.hour(),
                                  civil.cs.minute()));
    text.remove_prefix(end + 1);
  }
  filled.append(text);
  return filled;
}

absl::StatusOr<std::int64_t> ParseDurationText(std::string_view text) {
  std::int64_t total = 0;
  if (IsInteger(text)) {
    if (!absl::SimpleAtoi(AbslView(text), &total)) return BadDuration(text);
    return total;
  }
  std::string_view rest = text;
  if (rest.empty()) return BadDuration(text);
  while (!rest.empty()) {
    const std::optional<std::int64_t> part = TakeDurationPart(&rest);
    if (!part.has_value()) return BadDuration(text);
    total += *part;
    if (total > kDurationMsMax) return BadDuration(text);
  }
  return total;
}

absl::StatusOr<TimeText> ParseTimeText(std::string_view text, std::int64_t now_ms) {
  if (text.find(" at ") != std::string_view::npos) {
    CUSTODY_ASSIGN_OR_RETURN(const LocalTime local, ParseLocalTime(text, now_ms));
    const int offset_seconds = local.zone.At(local.moment).offset;
    return TimeText{absl::ToUnixMillis(local.moment), offset_seconds / 60};
  }
  if (text == "now") return TimeText{now_ms, 0};
  if (text.substr(0, 4) == "now-" || text.substr(0, 4) == "now+") {
    CUSTODY_ASSIGN_OR_RETURN(const std::int64_t distance, ParseDurationText(text.substr(4)));
    return TimeText{text[3] == '-' ? now_ms - distance : now_ms + distance, 0};
  }
  if (IsInteger(text)) {
    TimeText time;
    if (absl::SimpleAtoi(AbslView(text), &time.utc_ms)) return time;
  }
  absl::Time moment;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, AbslView(text), &moment, &error)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s' is no time; write 2026-11-02T08:30:00+07:00, now, now-150d or "
                        "now-150d at 08:30 Asia/Bangkok",
                        text));
  }
  TimeText time{absl::ToUnixMillis(moment), 0};
  // The offset stands at the end: "+07:00", "-03:30" or "Z".
  if (text.size() > 6 && (text[text.size() - 6] == '+' || text[text.size() - 6] == '-')) {
    const std::string_view zone = text.substr(text.size() - 6);
    const std::int32_t minutes =
        ((zone[1] - '0') * 10 + (zone[2] - '0')) * 60 + (zone[4] - '0') * 10 + (zone[5] - '0');
    time.offset_minutes = zone[0] == '-' ? -minutes : minutes;
  }
  return time;
}

std::string FormatTimeMs(std::int64_t utc_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(utc_ms),
                          absl::UTCTimeZone());
}

}  // namespace custody
