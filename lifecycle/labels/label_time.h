// A date or time as a label states it, before anybody decides in which zone to read it.
//
// Most label structures carry no time zone: they are read in the zone of the site that printed the
// label. Callers record the resulting UTC instant together with the zone; they do not compute it
// again later, since zone rules of the operating system change.
//
// Threads: a value; pure functions. The first use of a zone reads the system's zone files.

#ifndef CUSTODY_LIFECYCLE_LABELS_LABEL_TIME_H_
#define CUSTODY_LIFECYCLE_LABELS_LABEL_TIME_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace custody {

enum class LabelZone { kLocal, kUtc };

struct LabelTime {
  absl::CivilMinute civil;
  LabelZone zone = LabelZone::kLocal;
  // False if the label states only a date; `civil` is then 23:59 of that day.
  bool time_stated = true;

  // The earliest instant that `civil` can mean. In the hour that a clock change repeats, and in the
  // one that it skips, the earlier reading is taken: a dose then expires too early, never too late.
  //
  //   zone_name   IANA name of the labelling site's zone, "Asia/Bangkok"; unused if zone is kUtc
  //
  // Errors: kInvalidArgument, E_ZONE, if there is no such zone (never guessed as UTC).
  absl::StatusOr<absl::Time> EarliestInstant(std::string_view zone_name) const;

  // "2030-12-31T23:59 local" or "2030-12-31T23:59Z".
  std::string ToString() const;

  friend bool operator==(const LabelTime&, const LabelTime&) = default;
};

// 1900s are written with century digit 9 on old collection labels, never on expiry labels.
enum class CenturyNine { kAllowed, kRejected };

// cyyjjj (day of the year) or cyyjjjhhmm. Errors: kInvalidArgument, E_LABEL_DATE.
absl::StatusOr<LabelTime> ParseOrdinalTime(std::string_view digits, CenturyNine century_nine);

// YYYYMMDDhhmm. Errors: kInvalidArgument, E_LABEL_DATE.
absl::StatusOr<LabelTime> ParseCalendarTime(std::string_view digits, LabelZone zone);

// A day that exists. Errors: kInvalidArgument, E_LABEL_DATE.
absl::StatusOr<absl::CivilDay> MakeDay(int year, int month, int day);

// A stated time of an existing day. Errors: kInvalidArgument, E_LABEL_DATE.
absl::StatusOr<LabelTime> MakeTime(absl::CivilDay day, std::string_view hhmm, LabelZone zone);

// A date without time: 23:59 of that day, local.
LabelTime EndOfDay(absl::CivilDay day);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_LABEL_TIME_H_
