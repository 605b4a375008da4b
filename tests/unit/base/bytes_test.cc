#include "base/bytes.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

TEST(HexTest, RoundTripsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  ASSERT_OK_AND_ASSIGN(const std::string back, FromHex(ToHex(bytes)));
  EXPECT_EQ(back, bytes);
}

TEST(HexTest, RejectsOddLengthAndForeignCharacters) {
  EXPECT_THAT(FromHex("abc"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("odd")));
  EXPECT_THAT(FromHex("0g"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("position 1")));
}

// One value must have one text: a note with another spelling of the same signature is another note.
TEST(Base64Test, RejectsEverySpellingButTheCanonicalOne) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FromBase64("AQI="));
  EXPECT_EQ(bytes, std::string("\x01\x02"));
  for (const char* text : {"AQI", "AQJ=", "AQ I=", "AQI=\n", "AQI==", "A-I="}) {
    EXPECT_THAT(FromBase64(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")))
        << text;
  }
}

TEST(BigEndianTest, ByteOrderIsNumberOrder) {
  std::string low;
  std::string high;
  AppendBigEndian64(255, &low);
  AppendBigEndian64(256, &high);
  EXPECT_LT(low, high);
  EXPECT_EQ(ReadBigEndian64(high), 256U);
}

}  // namespace
}  // namespace custody
