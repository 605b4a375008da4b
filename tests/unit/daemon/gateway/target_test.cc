#include "daemon/gateway/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using absl::StatusCode;

TEST(TargetTest, EveryRouteHasOneSpelling) {
  for (const char* text :
       {"/checkpoint", "/healthz", "/metrics", "/tile/0/000", "/tile/0/x001/x234/067",
        "/tile/7/000.p/1", "/tile/entries/000.p/255", "/tile/entries/x001/000",
        "/v1/inclusion?index=0&size=1", "/v1/consistency?from=1&to=1",
        "/v1/inclusion?index=9223372036854775807&size=9223372036854775808"}) {
    const auto target = ParseTarget(text);
    ASSERT_OK(target) << text;
    EXPECT_EQ(FormatTarget(*target), text);
  }
}

TEST(TargetTest, ReadsTheNumbersInEitherOrder) {
  ASSERT_OK_AND_ASSIGN(const Target target, ParseTarget("/v1/inclusion?size=300&index=7"));
  EXPECT_EQ(target.route, Route::kInclusion);
  EXPECT_EQ(target.first, 7U);
  EXPECT_EQ(target.second, 300U);
  ASSERT_OK_AND_ASSIGN(const Target proof, ParseTarget("/v1/consistency?to=9&from=3"));
  EXPECT_EQ(proof.route, Route::kConsistency);
  EXPECT_EQ(proof.first, 3U);
  EXPECT_EQ(proof.second, 9U);
}

struct BadTarget {
  const char* name;
  const char* text;
  StatusCode code;
};

class BadTargetTest : public testing::TestWithParam<BadTarget> {};

TEST_P(BadTargetTest, IsRefused) {
  const auto target = ParseTarget(GetParam().text);
  EXPECT_EQ(target.status().code(), GetParam().code) << target.status();
  EXPECT_FALSE(target.status().message().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadTargetTest,
    testing::Values(
        BadTarget{"Empty", "", StatusCode::kNotFound},
        BadTarget{"Root", "/", StatusCode::kNotFound},
        BadTarget{"NoSlash", "checkpoint", StatusCode::kNotFound},
        BadTarget{"TrailingSlash", "/checkpoint/", StatusCode::kNotFound},
        BadTarget{"TwoSlashes", "//checkpoint", StatusCode::kNotFound},
        BadTarget{"DotDot", "/tile/../checkpoint", StatusCode::kNotFound},
        BadTarget{"Escaped", "/%63heckpoint", StatusCode::kNotFound},
        BadTarget{"WholeUrl", "http://x/checkpoint", StatusCode::kNotFound},
        BadTarget{"Fragment", "/checkpoint#a", StatusCode::kNotFound},
        BadTarget{"LevelEight", "/tile/8/000", StatusCode::kNotFound},
        BadTarget{"LevelWithZero", "/tile/00/000", StatusCode::kNotFound},
        BadTarget{"NoGroups", "/tile/0/0", StatusCode::kNotFound},
        BadTarget{"LeadingGroup", "/tile/0/x000/001", StatusCode::kNotFound},
        BadTarget{"WidthZero", "/tile/0/000.p/0", StatusCode::kNotFound},
        BadTarget{"WidthFull", "/tile/0/000.p/256", StatusCode::kNotFound},
        BadTarget{"GoPath", "/tile/8/0/000", StatusCode::kNotFound},
        BadTarget{"QueryOfTile", "/tile/0/000?x=1", StatusCode::kInvalidArgument},
        BadTarget{"EmptyQuery", "/checkpoint?", StatusCode::kInvalidArgument},
        BadTarget{"NoQuery", "/v1/inclusion", StatusCode::kInvalidArgument},
        BadTarget{"OneNumber", "/v1/inclusion?index=1", StatusCode::kInvalidArgument},
        BadTarget{"Twice", "/v1/inclusion?index=1&index=2", StatusCode::kInvalidArgument},
        BadTarget{"Third", "/v1/inclusion?index=1&size=2&x=3", StatusCode::kInvalidArgument},
        BadTarget{"Negative", "/v1/inclusion?index=-1&size=2", StatusCode::kInvalidArgument},
        BadTarget{"LeadingZero", "/v1/inclusion?index=01&size=2", StatusCode::kInvalidArgument},
        BadTarget{"Overflow", "/v1/inclusion?index=1&size=18446744073709551616",
                  StatusCode::kInvalidArgument},
        BadTarget{"BeyondTrees", "/v1/inclusion?index=1&size=9223372036854775809",
                  StatusCode::kInvalidArgument},
        BadTarget{"IndexIsSize", "/v1/inclusion?index=2&size=2", StatusCode::kInvalidArgument},
        BadTarget{"FromZero", "/v1/consistency?from=0&to=2", StatusCode::kInvalidArgument},
        BadTarget{"Backwards", "/v1/consistency?from=3&to=2", StatusCode::kInvalidArgument}),
    [](const auto& row) { return row.param.name; });

TEST(TargetTest, LongTargetsAreNotLookedAt) {
  const std::string longest(kTargetBytesMax, 'a');
  EXPECT_EQ(ParseTarget(longest).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ParseTarget(longest + "a").status().code(), StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace custody
