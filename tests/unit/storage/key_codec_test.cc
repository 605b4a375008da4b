#include "storage/key_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

TEST(KeyWriterTest, WritesPartsAsTheFormatSays) {
  const std::array<std::uint8_t, 2> digest = {0xAB, 0xCD};
  const std::string key = KeyWriter('t')
                              .U8(1)
                              .U16(0x0203)
                              .U32(0x04050607)
                              .U64(0x08090A0B0C0D0E0F)
                              .Fixed(digest)
                              .Bytes("a\x00"s)
                              .Rest("z")
                              .Take();
  EXPECT_EQ(ToHex(key), "740102030405060708090a0b0c0d0e0fabcd6100ff00017a");
}

TEST(KeyReaderTest, ReadsWhatTheWriterWrote) {
  const std::string text = "a\x00\x01\xFF\x00"s;
  const std::string key =
      KeyWriter('k').U8(255).U16(65535).U32(7).U64(1).Fixed("abcd").Bytes(text).Rest("xy").Take();
  KeyReader reader(key);
  EXPECT_EQ(reader.table(), 'k');
  ASSERT_OK_AND_ASSIGN(const auto u8, reader.U8());
  ASSERT_OK_AND_ASSIGN(const auto u16, reader.U16());
  ASSERT_OK_AND_ASSIGN(const auto u32, reader.U32());
  ASSERT_OK_AND_ASSIGN(const auto u64, reader.U64());
  ASSERT_OK_AND_ASSIGN(const auto fixed, reader.Fixed(4));
  ASSERT_OK_AND_ASSIGN(const auto bytes, reader.Bytes());
  EXPECT_EQ(u8, 255);
  EXPECT_EQ(u16, 65535);
  EXPECT_EQ(u32, 7U);
  EXPECT_EQ(u64, 1U);
  EXPECT_EQ(fixed, "abcd");
  EXPECT_EQ(bytes, text);
  EXPECT_EQ(reader.Rest(), "xy");
  EXPECT_OK(reader.Finish());
}

TEST(KeyReaderTest, ReportsDamagedKeys) {
  EXPECT_THAT(KeyReader("t\x01").U16(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("want 2")));
  EXPECT_THAT(KeyReader("").U8(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0 bytes left")));
  EXPECT_THAT(KeyReader("tab").Bytes(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("without its end")));
  EXPECT_THAT(KeyReader("ta\x00"s).Bytes(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("without its end")));
  EXPECT_THAT(KeyReader("ta\x00\x02"s).Bytes(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not escaped")));
  EXPECT_THAT(KeyReader("tab").Finish(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("2 bytes too many")));
}

TEST(PrefixEndTest, IsTheLowestKeyAboveThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\x00"s), "a\x01");
  EXPECT_EQ(PrefixEnd("a\x7F"), "a\x80");
  EXPECT_EQ(PrefixEnd("a\xFF\xFF"), "b");
  EXPECT_EQ(PrefixEnd("\xFF\xFF"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

}  // namespace
}  // namespace custody
