#include "lifecycle/labels/gs1.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename T>
std::string Reason(const absl::StatusOr<T>& result) {
  return std::string(ReasonCodeOf(result.status()));
}

std::string ReasonOf(const absl::Status& status) { return std::string(ReasonCodeOf(status)); }

constexpr char kDose[] =
    "]d201095060001343521727063010LOT7A\x1d"
    "21D000042";

TEST(Gs1ScanTest, DoseLabel) {
  ASSERT_OK_AND_ASSIGN(const Gs1Scan scan, ParseGs1Scan(kDose));
  EXPECT_EQ(scan.symbology, "]d2");
  EXPECT_EQ(scan.gtin, "09506000134352");
  EXPECT_EQ(scan.expiry->ToString(), "2027-06-30T23:59 local");
  EXPECT_EQ(scan.lot, "LOT7A");
  EXPECT_EQ(scan.serial, "D000042");
  EXPECT_EQ("]d2" + FormatGs1ElementString(scan.elements), kDose);
}

TEST(Gs1ScanTest, NeedsSymbologyOrFlag) {
  const std::string data = std::string(kDose).substr(3);
  EXPECT_EQ(Reason(ParseGs1Scan(data)), "E_GS1_FORMAT");
  EXPECT_OK(ParseGs1Scan(data, {.without_symbology = true}));
  EXPECT_OK(ParseGs1Scan("]C1" + data));
  EXPECT_OK(ParseGs1Scan("]Q3" + data));
  // A plain DataMatrix is not GS1, and the flag does not overrule what the scanner says.
  EXPECT_EQ(Reason(ParseGs1Scan("]d1" + data, {.without_symbology = true})), "E_GS1_FORMAT");
}

TEST(Gs1ScanTest, MissingSeparatorIsRefusedWhereItShows) {
  // 7003 has ten characters but no predefined length.
  EXPECT_EQ(Reason(ParseGs1Scan("]d27003270630120021D000042")), "E_GS1_FORMAT");
  EXPECT_EQ(Reason(ParseGs1Scan("]d2801895060001343520001521D1")), "E_GS1_FORMAT");
  EXPECT_EQ(Reason(ParseGs1Scan("]d210ABCDEFGHIJKLMNOPQ21D000042")), "E_GS1_FORMAT");  // Over 20.
  EXPECT_EQ(Reason(ParseGs1Scan("]d210LOT7A|21D000042")), "E_GS1_FORMAT");
  EXPECT_EQ(Reason(ParseGs1Scan("]d2\x1d"
                                "10LOT7A")),
            "E_SCAN_UNKNOWN_DI");
  EXPECT_EQ(Reason(ParseGs1Scan("]d210LOT7A\x1d\x1d"
                                "21D1")),
            "E_SCAN_UNKNOWN_DI");
  // What does not show takes up the rest: no container has this serial, and the lot has no serial.
  ASSERT_OK_AND_ASSIGN(const Gs1Scan glued, ParseGs1Scan("]d2010950600013435210LOT7A21D000042"));
  EXPECT_EQ(glued.lot, "LOT7A21D000042");
  EXPECT_FALSE(glued.serial.has_value());
}

TEST(Gs1ScanTest, SeparatorAfterPredefinedLengthIsHarmless) {
  ASSERT_OK_AND_ASSIGN(const Gs1Scan scan, ParseGs1Scan("]d20109506000134352\x1d"
                                                        "21D1\x1d"));
  EXPECT_EQ(scan.serial, "D1");
  EXPECT_EQ(Reason(ParseGs1Scan("]d20109506000134\x1d"
                                "21D1")),
            "E_GS1_FORMAT");
}

TEST(Gs1ScanTest, UnknownIdentifierIsRefused) {
  for (const char* text : {"]d29912", "]d2ABC", "]d20195060", "]d2010950600013435299", "]d2"}) {
    EXPECT_FALSE(ParseGs1Scan(text).ok()) << text;
  }
  EXPECT_EQ(Reason(ParseGs1Scan("]d29912")), "E_SCAN_UNKNOWN_DI");
  EXPECT_EQ(Reason(ParseGs1Scan("]d2010950600013435299")), "E_SCAN_UNKNOWN_DI");
}

// Every single wrong digit in every key is found.
TEST(Gs1KeyTest, AnyChangedDigitIsFound) {
  const std::pair<const char*, const char*> keys[] = {
      {"01", "09506000134352"}, {"00", "106141412345678908"},   {"414", "9506000134345"},
      {"417", "9506000134345"}, {"8017", "950600013435200015"}, {"8018", "950600013435200015"}};
  for (const auto& [ai, key] : keys) {
    EXPECT_OK(CheckGs1Value(ai, key));
    for (std::size_t i = 0; i < std::string(key).size(); ++i) {
      for (char digit = '0'; digit <= '9'; ++digit) {
        std::string changed = key;
        changed[i] = digit;
        if (changed == key) continue;
        EXPECT_EQ(ReasonOf(CheckGs1Value(ai, changed)), "E_CHECK_DIGIT") << ai << " " << changed;
      }
    }
    EXPECT_EQ(ReasonOf(CheckGs1Value(ai, std::string(key) + "0")), "E_GS1_FORMAT");
  }
}

TEST(Gs1KeyTest, ReturnableAsset) {
  EXPECT_OK(CheckGs1Value("8003", "09506000134352SHIPPER7"));
  EXPECT_OK(CheckGs1Value("8003", "09506000134352"));
  EXPECT_EQ(ReasonOf(CheckGs1Value("8003", "19506000134359")), "E_GS1_FORMAT");
  EXPECT_EQ(ReasonOf(CheckGs1Value("8003", "09506000134353SHIPPER7")), "E_CHECK_DIGIT");
}

TEST(Gs1ScanTest, DatesCenturyAndDayZero) {
  const auto expiry = [](const std::string& data, int year) {
    const auto scan = ParseGs1Scan("]d2" + data, {.reference_year = year});
    return scan.ok() ? scan->expiry->ToString() : Reason(scan);
  };
  EXPECT_EQ(expiry("17270200", 2026), "2027-02-28T23:59 local");
  EXPECT_EQ(expiry("17280200", 2026), "2028-02-29T23:59 local");
  EXPECT_EQ(expiry("17271200", 2026), "2027-12-31T23:59 local");
  EXPECT_EQ(expiry("17760101", 2026), "2076-01-01T23:59 local");  // 50 years ahead
  EXPECT_EQ(expiry("17770101", 2026), "1977-01-01T23:59 local");  // 51
  EXPECT_EQ(expiry("17490101", 2098), "2049-01-01T23:59 local");  // 49 back
  EXPECT_EQ(expiry("17480101", 2098), "2148-01-01T23:59 local");  // 50
  EXPECT_EQ(expiry("17270229", 2026), "E_LABEL_DATE");
  EXPECT_EQ(expiry("17271301", 2026), "E_LABEL_DATE");
  EXPECT_EQ(expiry("17270000", 2026), "E_LABEL_DATE");
  EXPECT_EQ(expiry("70032706301430", 2026), "2027-06-30T14:30 local");
  EXPECT_EQ(expiry("70032706001430", 2026), "E_LABEL_DATE");
  EXPECT_EQ(expiry("70032706302460", 2026), "E_LABEL_DATE");
  // The time of day wins over the day, whatever the order.
  EXPECT_EQ(expiry("70032706301430\x1d"
                   "17270630",
                   2026),
            "2027-06-30T14:30 local");
}

TEST(Gs1ScanTest, ShipmentLabel) {
  ASSERT_OK_AND_ASSIGN(const Gs1Scan scan, ParseGs1Scan("]C1001061414123456789084331015000-\x1d"
                                                        "4333019600-\x1d"
                                                        "4149506000134345"));
  EXPECT_EQ(scan.sscc, "106141412345678908");
  EXPECT_EQ(scan.max_centidegrees, -15000);
  EXPECT_EQ(scan.min_centidegrees, -19600);
  EXPECT_EQ(scan.gln, "9506000134345");
  EXPECT_EQ(Reason(ParseGs1Scan("]C14331015000+")), "E_GS1_FORMAT");
}

TEST(Gs1ScanTest, SameElementTwice) {
  EXPECT_OK(
      ParseGs1Scan("]d210A\x1d"
                   "10A"));
  EXPECT_EQ(Reason(ParseGs1Scan("]d210A\x1d"
                                "10B")),
            "E_GS1_FORMAT");
}

TEST(Gs1ScanTest, PersonalIdentifiersAreRecognisedAndNotRepeated) {
  ASSERT_OK_AND_ASSIGN(const Gs1Scan scan, ParseGs1Scan("]d28018950600013435200015\x1d"
                                                        "80191234\x1d"
                                                        "725019700101\x1d"
                                                        "7253DOE\x1d"
                                                        "72581/2\x1d"
                                                        "7259BABY"));
  for (const Gs1Element& element : scan.elements) EXPECT_TRUE(element.personal_data) << element.ai;
  EXPECT_EQ(scan.elements.size(), 6U);
  const auto wrong = ParseGs1Scan("]d28018950600013435200014");
  EXPECT_EQ(Reason(wrong), "E_CHECK_DIGIT");
  EXPECT_THAT(std::string(wrong.status().message()), Not(HasSubstr("9506")));
}

TEST(Gs1TableTest, PersonalRows) {
  std::vector<std::string> personal;
  for (const Gs1Row& row : Gs1Table()) {
    if (row.personal_data) personal.emplace_back(row.ai);
    EXPECT_EQ(FindGs1Row(row.ai), &row) << "an identifier is the beginning of another";
  }
  EXPECT_THAT(personal, testing::ElementsAre("7250", "7251", "7252", "7253", "7254", "7255", "7256",
                                             "7257", "7258", "7259", "8017", "8018", "8019"));
}

TEST(Gs1TextTest, HumanReadableForm) {
  ASSERT_OK_AND_ASSIGN(const Gs1Scan scan,
                       ParseGs1HumanReadable("(01)09506000134352(17)270630(10)LOT7A(21)D000042"));
  EXPECT_EQ("]d2" + FormatGs1ElementString(scan.elements), kDose);
  for (const char* text : {"(01)0950600013435", "01)09506000134352", "(01", "(99)1",
                           "(1)09506000134352", "(010)9506000134352", "(10)A(B", "(10)", ""}) {
    EXPECT_FALSE(ParseGs1HumanReadable(text).ok()) << text;
  }
}

}  // namespace
}  // namespace custody
