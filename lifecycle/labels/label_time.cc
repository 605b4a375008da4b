#include "lifecycle/labels/label_time.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

constexpr std::string_view kDateCode = "E_LABEL_DATE";

absl::StatusOr<int> YearOf(std::string_view cyy, CenturyNine century_nine) {
  const int century = cyy[0] - '0';
  const int year_in_century = DigitsToInt(cyy.substr(1));
  if (century < 9) return 2000 + 100 * century + year_in_century;
  if (century_nine == CenturyNine::kAllowed) return 1900 + year_in_century;
  return LabelError(kDateCode,
                    "century digit 9 (the 1900s) stands only on collection dates; check "
                    "the label");
}

absl::StatusOr<absl::CivilDay> DayOfYear(int year, int ordinal) {
  const absl::CivilDay first(year, 1, 1);
  const absl::CivilDay day = first + (ordinal - 1);
  if (ordinal < 1 || day.year() != year) {
    return LabelError(
        kDateCode, absl::StrFormat("year %d has no day number %d; check the label", year, ordinal));
  }
  return day;
}

// Abseil also takes file paths and "localtime"; both depend on the machine.
bool LooksLikeZoneName(std::string_view name) {
  if (name.empty() || name.size() > 64 || !IsUpper(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsDigit(c) || IsUpper(c) || IsLower(c) || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

absl::StatusOr<absl::TimeZone> LoadZone(std::string_view name) {
  absl::TimeZone zone;
  if (LooksLikeZoneName(name) && absl::LoadTimeZone(AbslView(name), &zone)) return zone;
  return LabelError("E_ZONE",
                    absl::StrFormat("no time zone of %d characters is known by that name; "
                                    "use an IANA name such as Europe/Madrid",
                                    name.size()));
}

}  // namespace

absl::StatusOr<absl::Time> LabelTime::EarliestInstant(std::string_view zone_name) const {
  absl::TimeZone time_zone = absl::UTCTimeZone();
  if (zone == LabelZone::kLocal) {
    CUSTODY_ASSIGN_OR_RETURN(time_zone, LoadZone(zone_name));
  }
  const absl::TimeZone::TimeInfo info = time_zone.At(absl::CivilSecond(civil));
  return std::min({info.pre, info.trans, info.post});
}

std::string LabelTime::ToString() const {
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d%s", civil.year(), civil.month(), civil.day(),
                         civil.hour(), civil.minute(), zone == LabelZone::kUtc ? "Z" : " local");
}

absl::StatusOr<absl::CivilDay> MakeDay(int year, int month, int day) {
  const absl::CivilDay result(year, month, day);
  if (result.year() != year || result.month() != month || result.day() != day) {
    return LabelError(kDateCode, absl::StrFormat("%04d-%02d-%02d is not a date; check the label",
                                                 year, month, day));
  }
  return result;
}

absl::StatusOr<LabelTime> MakeTime(absl::CivilDay day, std::string_view hhmm, LabelZone zone) {
  CUSTODY_RETURN_IF_ERROR(CheckPattern(hhmm, "N4", kDateCode, "the time of day"));
  const int hour = DigitsToInt(hhmm.substr(0, 2));
  const int minute = DigitsToInt(hhmm.substr(2));
  if (hour > 23 || minute > 59) {
    return LabelError(kDateCode,
                      absl::StrFormat("%02d:%02d is not a time; check the label", hour, minute));
  }
  return LabelTime{.civil = absl::CivilMinute(day.year(), day.month(), day.day(), hour, minute),
                   .zone = zone};
}

LabelTime EndOfDay(absl::CivilDay day) {
  return LabelTime{.civil = absl::CivilMinute(day.year(), day.month(), day.day(), 23, 59),
                   .zone = LabelZone::kLocal,
                   .time_stated = false};
}

absl::StatusOr<LabelTime> ParseOrdinalTime(std::string_view digits, CenturyNine century_nine) {
  const bool has_time = digits.size() != 6;
  CUSTODY_RETURN_IF_ERROR(CheckPattern(digits, has_time ? "N10" : "N6", kDateCode, "a label date"));
  CUSTODY_ASSIGN_OR_RETURN(const int year, YearOf(digits.substr(0, 3), century_nine));
  CUSTODY_ASSIGN_OR_RETURN(const absl::CivilDay day,
                           DayOfYear(year, DigitsToInt(digits.substr(3, 3))));
  if (!has_time) return EndOfDay(day);
  return MakeTime(day, digits.substr(6), LabelZone::kLocal);
}

absl::StatusOr<LabelTime> ParseCalendarTime(std::string_view digits, LabelZone zone) {
  CUSTODY_RETURN_IF_ERROR(CheckPattern(digits, "N12", kDateCode, "a label time"));
  CUSTODY_ASSIGN_OR_RETURN(const absl::CivilDay day, MakeDay(DigitsToInt(digits.substr(0, 4)),
                                                             DigitsToInt(digits.substr(4, 2)),
                                                             DigitsToInt(digits.substr(6, 2))));
  return MakeTime(day, digits.substr(8), zone);
}

}  // namespace custody
