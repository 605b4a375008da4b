#include "lifecycle/labels/scan.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

template <typename T>
std::string Reason(const absl::StatusOr<T>& result) {
  return std::string(ReasonCodeOf(result.status()));
}

std::vector<std::string> Kinds(const Scan& scan) {
  std::vector<std::string> kinds;
  for (const PersonalStructure& structure : scan.personal_data) kinds.push_back(structure.kind);
  return kinds;
}

constexpr char kDose[] = "=+04000=A99992500000100=<S1234V99=,000042&>0303652359";

TEST(ScanTest, IsbtDose) {
  ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan(kDose));
  EXPECT_EQ(scan.scheme, ScanScheme::kIsbt128);
  EXPECT_EQ(scan.container_key, "isbt:A9999:A999925000001:S1234:000042");
  EXPECT_EQ(scan.donation_key, "din:A999925000001");
  EXPECT_EQ(scan.pdc, "S1234");
  EXPECT_EQ(scan.collection_type, 'V');
  EXPECT_EQ(scan.collection_use, CollectionUse::kAnyPatient);
  EXPECT_EQ(scan.expiry->ToString(), "2030-12-31T23:59 local");
  EXPECT_FALSE(ContainsPersonalData(scan));
}

// Labels of one bag differ in flags and in order; the key does not.
TEST(ScanTest, SameContainerSameKey) {
  for (const char* text :
       {"=A99992500000100=<S1234V99=,000042", "=A99992500000185=<S1234V99=,000042",
        "=,000042=<S1234V99=A99992500000107", "]C4=A99992500000100=<S1234V99=,000042\r\n",
        "isbt:A9999:A999925000001:S1234:000042"}) {
    ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan(text));
    EXPECT_EQ(scan.container_key, "isbt:A9999:A999925000001:S1234:000042") << text;
    EXPECT_EQ(scan.donation_key, "din:A999925000001") << text;
  }
}

TEST(ScanTest, KeyHasFacilityOfProcessingAndDivisionAsScanned) {
  EXPECT_EQ(ParseScan("=A99992500000100=<S1234V00")->container_key,
            "isbt:A9999:A999925000001:S1234:000000");
  EXPECT_EQ(ParseScan("=A99992500000100=<S1234VAb")->container_key,
            "isbt:A9999:A999925000001:S1234:Ab");
  EXPECT_EQ(ParseScan("=A99992500000100=<T1295003")->container_key,
            "isbt:A9999:A999925000001:T1295:003");
  EXPECT_EQ(ParseScan("=A99992500000100=<S1234V00&+B1234ab12Z9")->container_key,
            "isbt:B1234:A999925000001:S1234:000000");
  // Neither the donation nor the product alone names a container.
  EXPECT_EQ(ParseScan("=A99992500000100")->container_key, std::nullopt);
  EXPECT_EQ(ParseScan("=<S1234V00")->container_key, std::nullopt);
  EXPECT_EQ(Reason(ParseScan("=A99992500000100=<S1234VAb=,000042")), "E_SCAN_MALFORMED");
}

// N26.
TEST(ScanTest, BadLabelsAreRefusedWithTheirReason) {
  EXPECT_EQ(Reason(ParseScan("=+03000=A99992500000100=<S1234V99&>0303652359")),
            "E_DIVISION_REQUIRED");
  EXPECT_EQ(Reason(ParseScan("A99992500OOO1P")), "E_DIN_CHARSET");
  EXPECT_EQ(Reason(ParseScan("A999925000001Q")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(ParseScan("A999925000001")), "E_DIN_CHECK");
  EXPECT_EQ(Reason(ParseScan("=G12341765432171")), "E_DIN_CHECKSUM");
  EXPECT_EQ(Reason(ParseScan("=+05000=A99992500000100=<S1234V99=,000042&>0303652359")),
            "E_SCAN_COUNT");
}

TEST(ScanTest, KeyboardDin) {
  ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan("A9999 25 000001 P"));
  EXPECT_EQ(scan.scheme, ScanScheme::kKeyboardDin);
  EXPECT_EQ(scan.donation_key, "din:A999925000001");
  EXPECT_EQ(scan.container_key, std::nullopt);
}

TEST(ScanTest, Gs1Dose) {
  const std::string element_string =
      "01095060001343521727063010LOT7A\x1d"
      "21D000042";
  for (const std::string& text :
       {"]d2" + element_string, std::string("(01)09506000134352(17)270630(10)LOT7A(21)D000042")}) {
    ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan(text));
    EXPECT_EQ(scan.container_key, "gs1:01:09506000134352:21:D000042");
    EXPECT_EQ(scan.lot, "LOT7A");
    EXPECT_EQ(scan.expiry->ToString(), "2027-06-30T23:59 local");
  }
  const auto bare = ParseScan(element_string);
  EXPECT_THAT(bare,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("symbology identifier")));
  ASSERT_OK_AND_ASSIGN(const Scan flagged,
                       ParseScan(element_string, {.gs1 = {.without_symbology = true}}));
  EXPECT_EQ(flagged.container_key, "gs1:01:09506000134352:21:D000042");
}

TEST(ScanTest, Gs1ShipmentAndPlace) {
  ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan("]C1001061414123456789084149506000134345"));
  EXPECT_EQ(scan.shipment_key, "gs1:00:106141412345678908");
  EXPECT_EQ(scan.place_key, "gs1:414:9506000134345");
}

TEST(ScanTest, EuropeanCode) {
  for (const char* text :
       {"SEC: PL001499Z549917123456 A00T041600320171231",
        "PL001499Z549917123456A00T041600320171231", "PL001499Z549917123456 A00T041600320171231",
        "&,4PL001499Z549917123456A00T041600320171231"}) {
    ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan(text));
    EXPECT_EQ(scan.donation_key, "din:Z549917123456") << text;
    EXPECT_EQ(scan.expiry->ToString(), "2017-12-31T23:59 local") << text;
    EXPECT_EQ(scan.container_key, std::nullopt) << text;
  }
}

TEST(ScanTest, OtherSymbolsAreNotGuessed) {
  EXPECT_EQ(Reason(ParseScan("]E04006381333931")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseScan("]d101095060001343521")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseScan("")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseScan("\r\n")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseScan("=A99992500000100\n\n")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseScan(" =A99992500000100")), "E_DIN_CHARSET");
}

TEST(ScanTest, ExpiryInstant) {
  ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan("&>0270152359"));
  ASSERT_OK_AND_ASSIGN(const absl::Time instant, scan.ExpiryInstant("Asia/Bangkok"));
  EXPECT_EQ(absl::FormatTime(instant, absl::UTCTimeZone()), "2027-01-15T16:59:00+00:00");
  ASSERT_OK_AND_ASSIGN(const Scan none, ParseScan("=A99992500000100"));
  EXPECT_THAT(none.ExpiryInstant("Asia/Bangkok"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no expiry")));
}

TEST(RedactTest, EveryPersonalIsbtStructure) {
  const std::string text =
      "=+05000=;A99990000222244445555='A9999000042=#0019700101&#0006PID 99=A99992500000100";
  ASSERT_OK_AND_ASSIGN(const Scan scan, ParseScan(text));
  EXPECT_THAT(Kinds(scan), ElementsAre("DS019", "DS020", "DS024", "DS025"));
  ASSERT_OK_AND_ASSIGN(const std::string redacted, RedactScan(text, "tok-1"));
  EXPECT_EQ(redacted,
            "=+05000[DS019:tok-1][DS020:tok-1][DS024:tok-1][DS025:tok-1]=A99992500000100");
  // The redacted scan is still a scan: it parses, counts and has the same key.
  ASSERT_OK_AND_ASSIGN(const Scan again, ParseScan(redacted));
  EXPECT_FALSE(ContainsPersonalData(again));
  EXPECT_EQ(again.donation_key, scan.donation_key);
  ASSERT_OK_AND_ASSIGN(const std::string twice, RedactScan(redacted, "tok-2"));
  EXPECT_EQ(twice, redacted);
}

TEST(RedactTest, OpaqueTails) {
  ASSERT_OK_AND_ASSIGN(const std::string redacted, RedactScan("]C0=A99992500000100&;SMITH", "t"));
  EXPECT_EQ(redacted, "]C0=A99992500000100[OPAQUE:t]");
  ASSERT_OK_AND_ASSIGN(const std::string alone, RedactScan("&aSMITH", "t"));
  EXPECT_EQ(alone, "[OPAQUE:t]");
  EXPECT_FALSE(ContainsPersonalData(*ParseScan(alone)));
  EXPECT_EQ(Reason(ParseScan("[OPAQUE:t]=A99992500000100")), "E_SCAN_MALFORMED");
}

TEST(RedactTest, Gs1Elements) {
  const std::string text =
      "]d28018950600013435200015\x1d"
      "80191234\x1d"
      "7253DOE\x1d"
      "10LOT7A";
  ASSERT_OK_AND_ASSIGN(const std::string redacted, RedactScan(text, "t"));
  EXPECT_EQ(redacted, "]d2[AI8018:t][AI8019:t][AI7253:t]10LOT7A");
  ASSERT_OK_AND_ASSIGN(const Scan again, ParseScan(redacted));
  EXPECT_FALSE(ContainsPersonalData(again));
  EXPECT_EQ(again.lot, "LOT7A");
  ASSERT_OK_AND_ASSIGN(const std::string read,
                       RedactScan("(8018)950600013435200015(10)LOT7A", "t"));
  EXPECT_EQ(read, "[AI8018:t](10)LOT7A");
  EXPECT_FALSE(ContainsPersonalData(*ParseScan(read)));
  ASSERT_OK_AND_ASSIGN(const std::string last,
                       RedactScan("(10)LOT7A(8018)950600013435200015", "t"));
  EXPECT_EQ(last, "(10)LOT7A[AI8018:t]");
  EXPECT_EQ(ParseScan(last)->lot, "LOT7A");
}

// Found by fuzzing: a mark at the beginning hid that the rest is an element string.
TEST(RedactTest, MarkBeforeAnElementStringWithoutSymbology) {
  const ScanOptions flagged = {.gs1 = {.without_symbology = true}};
  ASSERT_OK_AND_ASSIGN(const std::string redacted, RedactScan("7256DOE\x1d"
                                                              "21D1",
                                                              "t", flagged));
  EXPECT_EQ(redacted, "[AI7256:t]21D1");
  ASSERT_OK_AND_ASSIGN(const Scan again, ParseScan(redacted, flagged));
  EXPECT_EQ(again.gs1->serial, "D1");
  EXPECT_OK(ParseScan("[AI7256:t](21)D1", flagged));
}

// A mark may only stand for something that identifies a person; nothing else can be hidden with
// one.
TEST(RedactTest, MarksOfOtherStructuresAreRefused) {
  for (const char* text :
       {"[DS001:t]", "[DS003:t]", "=A99992500000100[AI8018:t]", "[AI0010:t]", "[DS025:]",
        "[DS025:a b]", "[DS025", "[AI7253]", "]d2[DS025:t]", "]d2[AI0021:t]", "[X:t]"}) {
    EXPECT_FALSE(ParseScan(text).ok()) << text;
  }
  for (const char* token : {"", "a b", "a]", "a:b"}) {
    EXPECT_EQ(Reason(RedactScan(kDose, token)), "E_SCAN_MALFORMED") << token;
  }
}

TEST(RedactTest, LeavesOtherScansAlone) {
  for (const std::string& text :
       {std::string(kDose), std::string("A9999 25 000001 P"), std::string(kDose) + "\r"}) {
    ASSERT_OK_AND_ASSIGN(const std::string same, RedactScan(text, "t"));
    EXPECT_EQ(same, text);
  }
}

}  // namespace
}  // namespace custody
