#include "lifecycle/decimal.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

Decimal D(std::string_view text) {
  const auto value = Decimal::Parse(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.value_or(Decimal());
}

TEST(DecimalTest, ParsesWhatItPrints) {
  for (const char* text :
       {"0", "0.0", "0.000000001", "90", "90.0", "90.4", "-150.0", "-0.05", "10.50",
        "9223372036854775807", "-9223372036854775808", "-9.223372036"}) {
    EXPECT_EQ(D(text).ToString(), text);
  }
  EXPECT_EQ(D("90.4").coefficient(), 904);
  EXPECT_EQ(D("90.4").decimals(), 1U);
  EXPECT_EQ(D("-0.05").coefficient(), -5);
}

TEST(DecimalTest, RejectsOtherSpellings) {
  for (const char* text : {"",
                           "-",
                           ".",
                           "90.",
                           ".5",
                           "+1",
                           "1e3",
                           "01",
                           "-0",
                           "-0.0",
                           "1.2.3",
                           " 1",
                           "1 ",
                           "0x1",
                           "1,5",
                           "--1",
                           "1.-5",
                           "0.0000000001",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "nan",
                           "92233720368547758.080"}) {
    EXPECT_THAT(Decimal::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("decimal")))
        << text;
  }
  EXPECT_THAT(Decimal::Create(1, 10),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("decimals (10)")));
}

TEST(DecimalTest, ComparesByValueAcrossPrecisions) {
  EXPECT_EQ(D("90"), D("90.000000000"));
  EXPECT_LT(D("89.999999999"), D("90"));
  EXPECT_GT(D("-149.9"), D("-150"));
  // Scaling these to nine decimals overflows 64 bits.
  EXPECT_LT(D("9223372036854775806"), D("9223372036854775807"));
  EXPECT_LT(D("9.223372036"), D("9223372036854775807"));
  EXPECT_LT(D("-9223372036854775808"), D("0.000000001"));
}

TEST(DecimalTest, RoundsOnceHalfAwayFromZero) {
  EXPECT_EQ(RoundHalfUp(D("90.5"), 0).ToString(), "91");
  EXPECT_EQ(RoundHalfUp(D("90.49"), 0).ToString(), "90");  // Not 90.5 first and then 91.
  EXPECT_EQ(RoundHalfUp(D("94.95"), 1).ToString(), "95.0");
  EXPECT_EQ(RoundHalfUp(D("-90.5"), 0).ToString(), "-91");
  EXPECT_EQ(RoundHalfUp(D("-90.4"), 0).ToString(), "-90");
  EXPECT_EQ(RoundHalfUp(D("-0.4"), 0).ToString(), "0");
  EXPECT_EQ(RoundHalfUp(D("90.4"), 3).ToString(), "90.4");
  EXPECT_EQ(RoundHalfUp(D("9223372036.854775807"), 0).ToString(), "9223372037");
  EXPECT_EQ(RoundHalfUp(D("-9223372036.854775808"), 8).ToString(), "-9223372036.85477581");
}

TEST(DecimalTest, RoundsToFigures) {
  EXPECT_EQ(RoundToFigures(D("1234"), 2).ToString(), "1200");
  EXPECT_EQ(RoundToFigures(D("1250"), 2).ToString(), "1300");
  EXPECT_EQ(RoundToFigures(D("94.95"), 3).ToString(), "95.0");
  EXPECT_EQ(RoundToFigures(D("9.96"), 2).ToString(), "10.0");
  EXPECT_EQ(RoundToFigures(D("1234.5"), 2).ToString(), "1200.0");
  EXPECT_EQ(RoundToFigures(D("0.0456"), 2).ToString(), "0.046");
  EXPECT_EQ(RoundToFigures(D("0"), 2).ToString(), "0");
  EXPECT_EQ(RoundToFigures(D("9223372036854775807"), 18).ToString(), "9223372036854775807");
}

struct Trap {
  Comparator comparator;
  const char* limit;
  const char* result;
  bool usp;
  bool none;
};

class ComparatorTrapTest : public testing::TestWithParam<Trap> {};

TEST_P(ComparatorTrapTest, DecidesAsThePolicySays) {
  const Trap& trap = GetParam();
  const Decimal result = D(trap.result);
  const Decimal limit = D(trap.limit);
  EXPECT_EQ(Meets(result, trap.comparator, limit, std::nullopt, Rounding::kUsp720), trap.usp);
  EXPECT_EQ(Meets(result, trap.comparator, limit, std::nullopt, Rounding::kNone), trap.none);
}

INSTANTIATE_TEST_SUITE_P(
    Traps, ComparatorTrapTest,
    testing::Values(Trap{Comparator::kGreater, "90", "90.4", false, true},
                    Trap{Comparator::kGreater, "90", "90.5", true, true},
                    Trap{Comparator::kGreaterOrEqual, "95.0", "94.95", true, false},
                    Trap{Comparator::kGreaterOrEqual, "95.0", "94.94", false, false},
                    Trap{Comparator::kLessOrEqual, "2.0", "2.05", false, false},
                    Trap{Comparator::kLessOrEqual, "2.0", "2.04", true, false},
                    Trap{Comparator::kGreater, "90", "90", false, false},
                    // The default avoids the first row: one decimal in the limit.
                    Trap{Comparator::kGreater, "90.0", "90.4", true, true},
                    Trap{Comparator::kLess, "2.0", "1.95", false, true},
                    Trap{Comparator::kLess, "2.0", "1.94", true, true},
                    Trap{Comparator::kEqual, "0", "0.4", true, false},
                    Trap{Comparator::kEqual, "0", "0.5", false, false}));

TEST(MeetsTest, WithinIncludesBothLimitsAndNeedsBoth) {
  const auto within = [](const char* value, std::optional<Decimal> upper) {
    return Meets(D(value), Comparator::kWithin, D("36.0"), upper, Rounding::kUsp720);
  };
  EXPECT_TRUE(within("36.0", D("38")));
  EXPECT_TRUE(within("38.4", D("38")));  // The upper limit has no decimals: 38.
  EXPECT_FALSE(within("38.5", D("38")));
  EXPECT_TRUE(within("35.95", D("38")));
  EXPECT_FALSE(within("35.94", D("38")));
  EXPECT_FALSE(within("37.0", std::nullopt));
  EXPECT_FALSE(within("37.0", D("35.0")));
}

TEST(MeetsTest, PhEurCountsSignificantFigures) {
  const auto at_most = [](const char* value, const char* limit) {
    return Meets(D(value), Comparator::kLessOrEqual, D(limit), std::nullopt, Rounding::kPhEur);
  };
  EXPECT_TRUE(at_most("5.04", "5.0"));
  EXPECT_FALSE(at_most("5.05", "5.0"));
  EXPECT_TRUE(at_most("94.4", "94"));
  EXPECT_TRUE(at_most("0.4", "0"));
  EXPECT_FALSE(at_most("0.5", "0"));
  // Two figures: 9.96 is 10 and meets ">= 10"; the USP rule would say the same, but not for 9.96
  // with the limit 10.0, which has three.
  EXPECT_TRUE(
      Meets(D("9.96"), Comparator::kGreaterOrEqual, D("10"), std::nullopt, Rounding::kPhEur));
  EXPECT_FALSE(
      Meets(D("9.96"), Comparator::kGreaterOrEqual, D("10.0"), std::nullopt, Rounding::kPhEur));
  EXPECT_TRUE(
      Meets(D("9.96"), Comparator::kGreaterOrEqual, D("10.0"), std::nullopt, Rounding::kUsp720));
}

}  // namespace
}  // namespace custody
