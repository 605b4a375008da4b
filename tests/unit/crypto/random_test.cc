#include "crypto/random.h"

#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

TEST(RandomTest, GivesWhatIsAskedForAndNeverTheSame) {
  EXPECT_EQ(RandomBytes(0).size(), 0U);
  EXPECT_EQ(RandomBytes(33).size(), 33U);
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
}

TEST(UuidTest, GrowsEvenWhenTheClockStandsStillOrGoesBack) {
  std::string previous = NewUuidV7(1800000000000);
  for (int i = 0; i < 20000; ++i) {
    const std::string next = NewUuidV7(1800000000000 - (i % 3) * 1000);
    ASSERT_LT(previous, next);
    previous = next;
  }
}

TEST(UuidTest, CarriesTimeVersionAndVariant) {
  const std::int64_t time_ms = 1900000000123;
  const std::string uuid = NewUuidV7(time_ms);
  ASSERT_EQ(uuid.size(), 16U);
  EXPECT_EQ(ReadBigEndian64(uuid) >> 16, static_cast<std::uint64_t>(time_ms));
  EXPECT_EQ(static_cast<std::uint8_t>(uuid[6]) >> 4, 7);
  EXPECT_EQ(static_cast<std::uint8_t>(uuid[8]) >> 6, 2);
}

TEST(UuidTest, HasOneText) {
  const std::string text = "018f3c2e-7b1a-7cde-8f01-23456789abcd";
  ASSERT_OK_AND_ASSIGN(const std::string uuid, ParseUuid(text));
  EXPECT_EQ(FormatUuid(uuid), text);
  for (const char* wrong :
       {"", "018f3c2e7b1a7cde8f0123456789abcd", "018F3C2E-7b1a-7cde-8f01-23456789abcd",
        "018f3c2e-7b1a-7cde-8f01-23456789abc", "018f3c2e-7b1a-7cde-8f01-23456789abcdd",
        "018f3c2e-7b1a-7cde-8f01-23456789abcg", "018f3c2e+7b1a-7cde-8f01-23456789abcd",
        "018f3c2-e7b1a-7cde-8f01-23456789abcd"}) {
    EXPECT_THAT(ParseUuid(wrong), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("uuid")))
        << wrong;
  }
}

}  // namespace
}  // namespace custody
