#include "lifecycle/labels/label_time.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

absl::Time Utc(int year, int month, int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilMinute(year, month, day, hour, minute), absl::UTCTimeZone());
}

std::string Ordinal(std::string_view digits, CenturyNine century_nine = CenturyNine::kRejected) {
  const auto time = ParseOrdinalTime(digits, century_nine);
  return time.ok() ? time->ToString() : std::string(ReasonCodeOf(time.status()));
}

TEST(LabelTimeTest, DayOfTheYear) {
  EXPECT_EQ(Ordinal("018365"), "2018-12-31T23:59 local");
  EXPECT_EQ(Ordinal("024366"), "2024-12-31T23:59 local");
  EXPECT_EQ(Ordinal("028060"), "2028-02-29T23:59 local");
  EXPECT_EQ(Ordinal("130001"), "2130-01-01T23:59 local");
  EXPECT_EQ(Ordinal("0183652359"), "2018-12-31T23:59 local");
  EXPECT_EQ(Ordinal("0183650000"), "2018-12-31T00:00 local");
  for (const char* bad : {"018366", "018000", "018367", "0183652400", "0183651260", "01836",
                          "0183655", "01836a", ""}) {
    EXPECT_EQ(Ordinal(bad), "E_LABEL_DATE") << bad;
  }
}

TEST(LabelTimeTest, NineteenHundredsOnlyForCollection) {
  EXPECT_EQ(Ordinal("998365"), "E_LABEL_DATE");
  EXPECT_EQ(Ordinal("998365", CenturyNine::kAllowed), "1998-12-31T23:59 local");
}

TEST(LabelTimeTest, DateWithoutTimeSaysSo) {
  EXPECT_FALSE(ParseOrdinalTime("018365", CenturyNine::kRejected)->time_stated);
  EXPECT_TRUE(ParseOrdinalTime("0183652359", CenturyNine::kRejected)->time_stated);
}

// N24: a label printed in Bangkok, used in Madrid at 19:30 of the same winter day.
TEST(LabelTimeTest, BangkokExpiryInMadrid) {
  ASSERT_OK_AND_ASSIGN(const LabelTime expiry,
                       ParseOrdinalTime("0270152359", CenturyNine::kRejected));
  ASSERT_OK_AND_ASSIGN(const absl::Time instant, expiry.EarliestInstant("Asia/Bangkok"));
  EXPECT_EQ(instant, Utc(2027, 1, 15, 16, 59));
  const LabelTime bedside = {.civil = absl::CivilMinute(2027, 1, 15, 19, 30)};
  ASSERT_OK_AND_ASSIGN(const absl::Time now, bedside.EarliestInstant("Europe/Madrid"));
  EXPECT_EQ(now - instant, absl::Minutes(91));
  const absl::Time end_of_infusion = Utc(2027, 1, 15, 16, 30) + absl::Minutes(60);
  EXPECT_GT(end_of_infusion, instant);
}

TEST(LabelTimeTest, UtcNeedsNoZone) {
  ASSERT_OK_AND_ASSIGN(const LabelTime time, ParseCalendarTime("203012312359", LabelZone::kUtc));
  ASSERT_OK_AND_ASSIGN(const absl::Time instant, time.EarliestInstant(""));
  EXPECT_EQ(instant, Utc(2030, 12, 31, 23, 59));
}

// Clock changes in Madrid: 2027-03-28 02:00 -> 03:00 and 2027-10-31 03:00 -> 02:00.
TEST(LabelTimeTest, ClockChangesReadAsTheEarlierInstant) {
  const LabelTime repeated = {.civil = absl::CivilMinute(2027, 10, 31, 2, 30)};
  EXPECT_EQ(*repeated.EarliestInstant("Europe/Madrid"), Utc(2027, 10, 31, 0, 30));
  const LabelTime skipped = {.civil = absl::CivilMinute(2027, 3, 28, 2, 30)};
  EXPECT_LE(*skipped.EarliestInstant("Europe/Madrid"), Utc(2027, 3, 28, 1, 0));
}

TEST(LabelTimeTest, UnknownZoneIsNotUtc) {
  const LabelTime time = {.civil = absl::CivilMinute(2027, 1, 1, 0, 0)};
  for (const char* zone : {"", "Europe/Nowhere", "localtime", "/etc/localtime", "../Europe/Madrid",
                           "Europe/../Europe/Madrid"}) {
    const auto result = time.EarliestInstant(zone);
    EXPECT_EQ(ReasonCodeOf(result.status()), "E_ZONE") << zone;
  }
}

}  // namespace
}  // namespace custody
