#include "daemon/logging.h"

#include <gtest/gtest.h>

namespace custody {
namespace {

constexpr char kTime[] = "2026-11-21T06:00:00.000Z";

TEST(LoggingTest, JsonEscapesWhatWouldForgeARecord) {
  EXPECT_EQ(FormatRecord(true, kTime, LogLevel::kInfo, "a\"b\n{\"level\":\"error\"}",
                         {{"client", "x\r\ny"}}),
            "{\"time\":\"2026-11-21T06:00:00.000Z\",\"level\":\"info\","
            "\"message\":\"a\\\"b\\n{\\\"level\\\":\\\"error\\\"}\",\"client\":\"x\\r\\ny\"}");
}

TEST(LoggingTest, TextKeepsOneRecordOnOneLine) {
  EXPECT_EQ(FormatRecord(false, kTime, LogLevel::kWarning, "a\nb", {{"client", "x\ny z"}}),
            "2026-11-21T06:00:00.000Z warning a\\nb client=\"x\\ny z\"");
}

TEST(LoggingTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(FormatRecord(true, kTime, LogLevel::kError, "\xFF", {}),
            "{\"time\":\"2026-11-21T06:00:00.000Z\",\"level\":\"error\",\"message\":\"\\ufffd\"}");
}

}  // namespace
}  // namespace custody
