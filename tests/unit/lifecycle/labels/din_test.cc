#include "lifecycle/labels/din.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

struct DinVector {
  const char* din;
  char check;
  int type3_flag;
};

constexpr DinVector kVectors[] = {
    {"G123417654321", 'A', 70}, {"G123498654321", 'H', 77}, {"A999818123456", 'N', 83},
    {"A999820123456", 'E', 74}, {"A999921123456", '3', 63}, {"Z549917123456", 'P', 85},
    {"A999925000001", 'P', 85}, {"A999925000038", '*', 96}, {"A999925000288", '0', 60},
    {"A999925999999", '3', 63}, {"1234525000001", '3', 63},
};

template <typename T>
std::string Reason(const absl::StatusOr<T>& result) {
  return std::string(ReasonCodeOf(result.status()));
}

TEST(DinTest, CheckCharactersAndFlagsOfTheVectors) {
  for (const DinVector& vector : kVectors) {
    ASSERT_OK_AND_ASSIGN(const Din din, Din::Parse(vector.din));
    EXPECT_EQ(din.CheckCharacter(), vector.check) << vector.din;
    EXPECT_EQ(din.text(), vector.din);
    EXPECT_EQ(din.fin(), std::string_view(vector.din).substr(0, 5));
    ASSERT_OK_AND_ASSIGN(const Din typed,
                         Din::ParseKeyboard(std::string(vector.din) + vector.check));
    EXPECT_EQ(typed, din);
    ASSERT_OK_AND_ASSIGN(const ScannedDin scanned,
                         Din::ParseScanData(vector.din + std::to_string(vector.type3_flag)));
    EXPECT_EQ(scanned.din, din);
    EXPECT_EQ(scanned.flags, std::to_string(vector.type3_flag));
  }
}

TEST(DinTest, KeyboardEntryMayHaveSpaces) {
  ASSERT_OK_AND_ASSIGN(const Din din, Din::ParseKeyboard(" G1234 17 654321 A "));
  EXPECT_EQ(din.text(), "G123417654321");
}

// N26: the letter O is never taken for a zero, wherever it stands, and the sentence says so.
TEST(DinTest, KeyboardRejectsLetterOEverywhereWithHint) {
  const std::string good = "G123417654321";
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good + "A";
    bad[i] = 'O';
    const auto result = Din::ParseKeyboard(bad);
    EXPECT_THAT(result,
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("letter O is not used")))
        << bad;
    EXPECT_EQ(Reason(result), "E_DIN_CHARSET");
    EXPECT_THAT(std::string(result.status().message()),
                HasSubstr("position " + std::to_string(i + 1)));
  }
  EXPECT_THAT(Din::ParseKeyboard("G1234176I4321A"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you read a one?")));
}

TEST(DinTest, KeyboardCheckCharacterMissingOrWrong) {
  EXPECT_EQ(Reason(Din::ParseKeyboard("G123417654321")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(Din::ParseKeyboard("G123417654321B")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(Din::ParseKeyboard("G123417654321a")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(Din::ParseKeyboard("G123417654312A")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(Din::ParseKeyboard("G123417654321AA")), "E_SCAN_MALFORMED");
  // Telling the right character would let it be typed without looking at the label.
  const auto wrong = Din::ParseKeyboard("G123498654321B");
  EXPECT_THAT(std::string(wrong.status().message()), testing::Not(HasSubstr("'H'")));
}

TEST(DinTest, RejectsCharactersByPosition) {
  for (const char* bad : {"0999925000001", "a999925000001", "AO99925000001", "A99A925000001",
                          "A9999X5000001", "A99992500000A", "A9999250000 1", "A9999250000*1"}) {
    EXPECT_EQ(Reason(Din::Parse(bad)), "E_DIN_CHARSET") << bad;
  }
  EXPECT_OK(Din::Parse("AZZ9925000001"));
  EXPECT_EQ(Reason(Din::Parse("")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(Din::Parse("A99992500000")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(Din::Parse("A9999250000011")), "E_SCAN_MALFORMED");
}

TEST(DinTest, FlagsOfAScan) {
  EXPECT_EQ(Reason(Din::ParseScanData("G12341765432171")), "E_DIN_CHECKSUM");
  for (const char* flags : {"00", "07", "14", "20", "59", "97", "99", "A0", "0Y", "RX"}) {
    EXPECT_OK(Din::ParseScanData(std::string("G123417654321") + flags));
  }
  for (const char* flags : {"I0", "0O", "Q1", "1Z", "a0", "0*"}) {
    EXPECT_EQ(Reason(Din::ParseScanData(std::string("G123417654321") + flags)), "E_SCAN_MALFORMED")
        << flags;
  }
  EXPECT_EQ(Reason(Din::ParseScanData("G1234176543210")), "E_SCAN_MALFORMED");
}

// The reason travels as a payload and at the head of the message; both say the same.
TEST(LabelErrorTest, ReasonIsPayloadAndHeadOfMessage) {
  const absl::Status status = LabelError("E_DIN_CHECK", "no");
  EXPECT_EQ(ReasonCodeOf(status), "E_DIN_CHECK");
  EXPECT_EQ(status.message(), "E_DIN_CHECK: no");
  const absl::Status plain = absl::InvalidArgumentError("E_DIN_CHECK: no");
  EXPECT_EQ(ReasonCodeOf(plain), "");
}

// Brute force: the check finds every single substitution and every swap of neighbours.
TEST(Mod37Test, FindsEverySubstitutionAndEverySwap) {
  const std::string alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const DinVector& vector : kVectors) {
    const std::string din = vector.din;
    for (std::size_t i = 0; i < din.size(); ++i) {
      for (const char c : alphabet) {
        std::string changed = din;
        changed[i] = c;
        if (changed == din) continue;
        ASSERT_OK_AND_ASSIGN(const char check, Iso7064Mod37Character(changed));
        EXPECT_NE(check, vector.check) << din << " " << changed;
      }
    }
    for (std::size_t i = 1; i < din.size(); ++i) {
      std::string swapped = din;
      std::swap(swapped[i - 1], swapped[i]);
      if (swapped == din) continue;
      ASSERT_OK_AND_ASSIGN(const char check, Iso7064Mod37Character(swapped));
      EXPECT_NE(check, vector.check) << din << " " << swapped;
    }
  }
}

TEST(Mod37Test, WorkedExampleAndOtherTexts) {
  EXPECT_EQ(*Iso7064Mod37("G123417654321"), 10);
  EXPECT_EQ(*Iso7064Mod37Character("A99990000222244445555"), 'G');
  EXPECT_EQ(*Iso7064Mod37Character("321415000000000000"), 'L');
  EXPECT_EQ(Reason(Iso7064Mod37("g123417654321")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(Iso7064Mod37("G1234*")), "E_SCAN_MALFORMED");
}

}  // namespace
}  // namespace custody
