#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

#include "lifecycle/decimal.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

v1::Decimal Number(std::string_view text) {
  const auto parsed = Decimal::Parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  v1::Decimal number;
  number.set_coefficient(parsed->coefficient());
  number.set_decimals(parsed->decimals());
  return number;
}

v1::ReleaseRow Row(v1::Comparator comparator, std::string_view limit, v1::Rounding rounding) {
  v1::ReleaseRow row;
  row.set_id("VI-02");
  row.set_unit("%");
  row.set_comparator(comparator);
  *row.mutable_limit() = Number(limit);
  row.set_rounding(rounding);
  return row;
}

v1::QcResult Reported(std::string_view value) {
  v1::QcResult result;
  *result.mutable_reported() = Number(value);
  result.set_unit("%");
  return result;
}

v1::QcResult WithRaw(std::string_view raw, std::string_view reported) {
  v1::QcResult result = Reported(reported);
  *result.mutable_raw() = Number(raw);
  return result;
}

constexpr auto kPass = v1::RESULT_VERDICT_PASS;
constexpr auto kFail = v1::RESULT_VERDICT_FAIL;

struct Trap {
  v1::Comparator comparator;
  const char* limit;
  const char* value;
  v1::ResultVerdict usp;
  v1::ResultVerdict none;
};

std::ostream& operator<<(std::ostream& out, const Trap& trap) {
  return out << v1::Comparator_Name(trap.comparator) << " " << trap.limit << " with " << trap.value;
}

class JudgeTrapTest : public testing::TestWithParam<Trap> {};

TEST_P(JudgeTrapTest, RoundsAsThePolicySays) {
  const Trap& trap = GetParam();
  const auto usp = Row(trap.comparator, trap.limit, v1::ROUNDING_USP_7_20);
  const auto none = Row(trap.comparator, trap.limit, v1::ROUNDING_NONE);
  EXPECT_EQ(JudgeResult(usp, Reported(trap.value)), trap.usp);
  EXPECT_EQ(JudgeResult(none, Reported(trap.value)), trap.none);
}

INSTANTIATE_TEST_SUITE_P(
    ComparatorTraps, JudgeTrapTest,
    testing::Values(Trap{v1::COMPARATOR_GREATER, "90", "90.4", kFail, kPass},
                    Trap{v1::COMPARATOR_GREATER, "90", "90.5", kPass, kPass},
                    Trap{v1::COMPARATOR_GREATER_OR_EQUAL, "95.0", "94.95", kPass, kFail},
                    Trap{v1::COMPARATOR_GREATER_OR_EQUAL, "95.0", "94.94", kFail, kFail},
                    Trap{v1::COMPARATOR_LESS_OR_EQUAL, "2.0", "2.05", kFail, kFail},
                    Trap{v1::COMPARATOR_LESS_OR_EQUAL, "2.0", "2.04", kPass, kFail},
                    Trap{v1::COMPARATOR_GREATER, "90", "90", kFail, kFail},
                    // Strict at the limit, whatever the decimals.
                    Trap{v1::COMPARATOR_GREATER, "90.0", "90.0", kFail, kFail},
                    Trap{v1::COMPARATOR_GREATER, "90.0", "90", kFail, kFail},
                    Trap{v1::COMPARATOR_GREATER, "90.0", "90.04", kFail, kPass},
                    Trap{v1::COMPARATOR_GREATER, "90.0", "90.05", kPass, kPass},
                    Trap{v1::COMPARATOR_LESS, "5.0", "4.95", kFail, kPass},
                    Trap{v1::COMPARATOR_EQUAL, "0", "0", kPass, kPass},
                    Trap{v1::COMPARATOR_EQUAL, "0", "1", kFail, kFail}));

TEST(JudgeResultTest, PhEurRoundsToSignificantFigures) {
  const auto row = Row(v1::COMPARATOR_LESS_OR_EQUAL, "120", v1::ROUNDING_PH_EUR);
  EXPECT_EQ(JudgeResult(row, Reported("120.4")), kPass);
  EXPECT_EQ(JudgeResult(row, Reported("120.5")), kFail);
  const auto small = Row(v1::COMPARATOR_LESS_OR_EQUAL, "0.20", v1::ROUNDING_PH_EUR);
  EXPECT_EQ(JudgeResult(small, Reported("0.204")), kPass);
  EXPECT_EQ(JudgeResult(small, Reported("0.205")), kFail);
}

TEST(JudgeResultTest, RangeIncludesBothEnds) {
  auto row = Row(v1::COMPARATOR_WITHIN, "90", v1::ROUNDING_NONE);
  *row.mutable_upper() = Number("120");
  EXPECT_EQ(JudgeResult(row, Reported("90")), kPass);
  EXPECT_EQ(JudgeResult(row, Reported("120")), kPass);
  EXPECT_EQ(JudgeResult(row, Reported("89.9")), kFail);
  EXPECT_EQ(JudgeResult(row, Reported("120.1")), kFail);
  row.clear_upper();
  EXPECT_EQ(JudgeResult(row, Reported("100")), kFail);
}

TEST(JudgeResultTest, ReportedValueDecidesWhenTheRawOneRoundsToIt) {
  const auto row = Row(v1::COMPARATOR_GREATER_OR_EQUAL, "90.0", v1::ROUNDING_NONE);
  EXPECT_EQ(JudgeResult(row, WithRaw("89.96", "90.0")), kPass);
  EXPECT_EQ(JudgeResult(row, WithRaw("89.94", "90.0")), kFail);
}

TEST(JudgeResultTest, RawValueDecidesWhenTheReportedOneIsNotItsRounding) {
  const auto row = Row(v1::COMPARATOR_GREATER, "90.0", v1::ROUNDING_USP_7_20);
  EXPECT_EQ(JudgeResult(row, WithRaw("88.21", "90.2")), kFail);
  EXPECT_EQ(JudgeResult(row, WithRaw("90.21", "88.2")), kPass);
  // No finer than the reported one, and different.
  EXPECT_EQ(JudgeResult(row, WithRaw("88", "90.2")), kFail);
}

TEST(JudgeResultTest, RawValueIsRoundedOnlyOnce) {
  // 94.949 -> 94.95 -> 95.0 would pass by rounding twice.
  const auto row = Row(v1::COMPARATOR_GREATER_OR_EQUAL, "95.0", v1::ROUNDING_USP_7_20);
  EXPECT_EQ(JudgeResult(row, WithRaw("94.949", "94.95")), kFail);
  EXPECT_EQ(JudgeResult(row, WithRaw("94.951", "94.95")), kPass);
}

TEST(JudgeResultTest, ComparesWords) {
  v1::ReleaseRow row;
  row.set_id("ST-01");
  row.set_comparator(v1::COMPARATOR_IS);
  row.set_expected(v1::QUALITATIVE_RESULT_NO_GROWTH);
  v1::QcResult result;
  EXPECT_EQ(JudgeResult(row, result), kFail);
  result.set_qualitative(v1::QUALITATIVE_RESULT_GROWTH);
  EXPECT_EQ(JudgeResult(row, result), kFail);
  // NEGATIVE says something else than NO_GROWTH; words are not translated.
  result.set_qualitative(v1::QUALITATIVE_RESULT_NEGATIVE);
  EXPECT_EQ(JudgeResult(row, result), kFail);
  result.set_qualitative(v1::QUALITATIVE_RESULT_NO_GROWTH);
  EXPECT_EQ(JudgeResult(row, result), kPass);
}

TEST(AcceptsMethodTest, WordForWordOrAny) {
  v1::ReleaseRow row;
  EXPECT_TRUE(AcceptsMethod(row, "anything"));
  EXPECT_TRUE(AcceptsMethod(row, ""));
  row.add_methods("USP <71>");
  row.add_methods("Ph. Eur. 2.6.1");
  EXPECT_TRUE(AcceptsMethod(row, "Ph. Eur. 2.6.1"));
  EXPECT_FALSE(AcceptsMethod(row, "Ph. Eur. 2.6.14"));
  EXPECT_FALSE(AcceptsMethod(row, "usp <71>"));
  EXPECT_FALSE(AcceptsMethod(row, ""));
}

TEST(JudgeResultTest, ResultOfTheWrongShapeFails) {
  const auto number = Row(v1::COMPARATOR_GREATER, "90.0", v1::ROUNDING_USP_7_20);
  v1::QcResult word;
  word.set_unit("%");
  word.set_qualitative(v1::QUALITATIVE_RESULT_CONFORMS);
  EXPECT_EQ(JudgeResult(number, word), kFail);

  v1::ReleaseRow wordless;
  wordless.set_comparator(v1::COMPARATOR_IS);
  EXPECT_EQ(JudgeResult(wordless, v1::QcResult()), kFail);

  v1::QcResult too_fine = Reported("95.0");
  too_fine.mutable_reported()->set_decimals(10);
  EXPECT_EQ(JudgeResult(number, too_fine), kFail);

  auto unruled = number;
  unruled.clear_rounding();
  EXPECT_EQ(JudgeResult(unruled, Reported("95.0")), kFail);
  auto uncompared = number;
  uncompared.clear_comparator();
  EXPECT_EQ(JudgeResult(uncompared, Reported("95.0")), kFail);
  auto unlimited = number;
  unlimited.clear_limit();
  EXPECT_EQ(JudgeResult(unlimited, Reported("95.0")), kFail);
}

TEST(JudgeResultTest, NumberInAnotherUnitFails) {
  const auto row = Row(v1::COMPARATOR_GREATER, "90.0", v1::ROUNDING_USP_7_20);
  v1::QcResult result = Reported("95.0");
  EXPECT_EQ(JudgeResult(row, result), kPass);
  result.set_unit("permille");
  EXPECT_EQ(JudgeResult(row, result), kFail);
}

}  // namespace
}  // namespace custody
