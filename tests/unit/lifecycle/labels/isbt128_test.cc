#include "lifecycle/labels/isbt128.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
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

std::vector<int> Numbers(const IsbtScan& scan) {
  std::vector<int> numbers;
  for (const IsbtStructure& structure : scan.structures) numbers.push_back(structure.number);
  return numbers;
}

TEST(IsbtScanTest, SingleDonationNumber) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan, ParseIsbtScan("=A99991712345600"));
  EXPECT_EQ(scan.din->text(), "A999917123456");
  EXPECT_EQ(scan.flags, "00");
  ASSERT_OK_AND_ASSIGN(const IsbtScan checked, ParseIsbtScan("=G12341765432170"));
  EXPECT_EQ(checked.flags, "70");
  EXPECT_EQ(Reason(ParseIsbtScan("=G12341765432171")), "E_DIN_CHECKSUM");
}

TEST(IsbtScanTest, LetterOIsNotADonationNumber) {
  const auto result = ParseIsbtScan("=O99991712345600");
  EXPECT_EQ(Reason(result), "E_DIN_CHARSET");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("letter O is not used in a DIN"));
}

TEST(IsbtScanTest, DonationNumberAndDivision) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan, ParseIsbtScan("=A99991712345600=,000012"));
  EXPECT_EQ(scan.din->text(), "A999917123456");
  EXPECT_EQ(scan.division, "000012");
}

TEST(IsbtScanTest, CompoundMessageOfADose) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan,
                       ParseIsbtScan("=+04000=A99992500000100=<S1234V99=,000042&>0303652359"));
  EXPECT_THAT(Numbers(scan), ElementsAre(23, 1, 3, 32, 5));
  EXPECT_EQ(scan.din->text(), "A999925000001");
  EXPECT_EQ(scan.product->pdc(), "S1234");
  EXPECT_EQ(scan.product->collection_type(), 'V');
  EXPECT_EQ(scan.division, "000042");
  EXPECT_EQ(scan.expiry->ToString(), "2030-12-31T23:59 local");
}

TEST(IsbtScanTest, Division99NeedsItsStructure) {
  const auto result = ParseIsbtScan("=+03000=A99992500000100=<S1234V99&>0303652359");
  EXPECT_EQ(Reason(result), "E_DIVISION_REQUIRED");
  EXPECT_EQ(Reason(ParseIsbtScan("=<S1234V99")), "E_DIVISION_REQUIRED");
}

TEST(IsbtScanTest, CountOfACompoundMessage) {
  EXPECT_EQ(Reason(ParseIsbtScan("=+05000=A99992500000100=<S1234V99=,000042&>0303652359")),
            "E_SCAN_COUNT");
  EXPECT_EQ(Reason(ParseIsbtScan("=+03000=A99992500000100=<S1234V99=,000042&>0303652359")),
            "E_SCAN_COUNT");
  EXPECT_EQ(Reason(ParseIsbtScan("=A99992500000100=+00000")), "E_SCAN_MALFORMED");
  // A national structure has no end, so it cannot be counted.
  EXPECT_EQ(Reason(ParseIsbtScan("=+02000=A99992500000100&aXYZ")), "E_SCAN_MALFORMED");
}

TEST(IsbtScanTest, TissueLabelWithEuropeanCode) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan,
                       ParseIsbtScan("=+05000=Z54991712345600=%T300=<T0416003&>0183652359"
                                     "&,4PL001499Z549917123456A00T041600320181231"));
  EXPECT_THAT(Numbers(scan), ElementsAre(23, 1, 2, 3, 5, 38));
  EXPECT_EQ(scan.sec->donation_number(), "Z549917123456");
  EXPECT_EQ(scan.status_text, "T300");
  EXPECT_EQ(scan.expiry->ToString(), "2018-12-31T23:59 local");
  EXPECT_EQ(scan.product->division(), "003");
}

TEST(IsbtScanTest, FlexibleTimeWinsAndStatesItsZone) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan utc, ParseIsbtScan("=(2001203012312359"));
  EXPECT_EQ(utc.expiry->ToString(), "2030-12-31T23:59Z");
  ASSERT_OK_AND_ASSIGN(const IsbtScan both,
                       ParseIsbtScan("=(2001203012311659&>0303652359=(1002203001010800"));
  EXPECT_EQ(both.expiry->ToString(), "2030-12-31T16:59Z");
  EXPECT_EQ(both.collected->ToString(), "2030-01-01T08:00 local");
  EXPECT_EQ(Reason(ParseIsbtScan("=(3001203012312359")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("=(2001203002292359")), "E_LABEL_DATE");
  EXPECT_EQ(Reason(ParseIsbtScan("=(2001203012312359=(1001203012312359")), "E_SCAN_MALFORMED");
}

TEST(IsbtScanTest, ChainOfIdentityAndGrid) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan coi, ParseIsbtScan("&/CHA999925000A01"));
  EXPECT_EQ(coi.chain_of_identity->text(), "CHA999925000A01");
  EXPECT_EQ(coi.chain_of_identity->CheckCharacter(), 'A');
  EXPECT_EQ(coi.chain_of_identity->issuer(), "A9999");
  ASSERT_OK_AND_ASSIGN(const IsbtScan grid, ParseIsbtScan("&:1234123456789012309"));
  EXPECT_EQ(grid.grid->issuer(), "1234");
  EXPECT_EQ(grid.grid->donor(), "1234567890123");
  EXPECT_EQ(Reason(ParseIsbtScan("&:1234123456789012308")), "E_GRID_CHECKSUM");
  EXPECT_EQ(Reason(ParseIsbtScan("&:0234123456789012309")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("&/CXA999925000A01")), "E_SCAN_MALFORMED");
}

TEST(IsbtScanTest, ProductCodesKeepTheirCase) {
  EXPECT_EQ(Reason(ParseIsbtScan("=<s1234V00")), "E_SCAN_MALFORMED");
  ASSERT_OK_AND_ASSIGN(const IsbtScan pair, ParseIsbtScan("=<S1234VAb"));
  EXPECT_EQ(pair.product->division(), "Ab");
  EXPECT_EQ(Reason(ParseIsbtScan("=<S1234VAB")), "E_SCAN_MALFORMED");
  ASSERT_OK_AND_ASSIGN(const IsbtScan designated, ParseIsbtScan("=<S12954A0"));
  EXPECT_EQ(designated.product->pdc(), "S1295");
  EXPECT_EQ(designated.product->collection_type(), '4');
  EXPECT_EQ(designated.product->division(), "A0");
  EXPECT_EQ(designated.product->Use(), CollectionUse::kDesignatedRecipient);
  ASSERT_OK_AND_ASSIGN(const IsbtScan tissue, ParseIsbtScan("=<T1295003"));
  EXPECT_EQ(tissue.product->pdc(), "T1295");
  EXPECT_EQ(tissue.product->division(), "003");
  EXPECT_EQ(tissue.product->collection_type(), std::nullopt);
  EXPECT_EQ(Reason(ParseIsbtScan("=<T1295V00")), "E_SCAN_MALFORMED");
}

TEST(CollectionTypeTest, GuardsBySafeSide) {
  const auto use = [](const char* code) { return ProductCode::Parse(code)->Use(); };
  EXPECT_EQ(use("S1234R00"), CollectionUse::kNotForHumanUse);
  EXPECT_EQ(use("S1234r00"), CollectionUse::kNotForHumanUse);
  EXPECT_EQ(use("D1234R00"),
            CollectionUse::kNotForHumanUse);  // National, but research all the same.
  EXPECT_EQ(use("S1234100"), CollectionUse::kAutologousOnly);
  EXPECT_EQ(use("S1234X00"), CollectionUse::kAutologousOnly);
  for (const char* code : {"S1234200", "S1234300", "S1234400", "S1234500", "S1234F00"}) {
    EXPECT_EQ(use(code), CollectionUse::kDesignatedRecipient) << code;
  }
  EXPECT_EQ(use("S1234V00"), CollectionUse::kAnyPatient);
  EXPECT_EQ(use("D1234V00"), CollectionUse::kNotInterpreted);
  EXPECT_EQ(use("S1234800"), CollectionUse::kNotInterpreted);
  EXPECT_EQ(use("X0234V00"), CollectionUse::kAnyPatient);
  EXPECT_EQ(use("X1234V00"), CollectionUse::kNotInterpreted);
  EXPECT_EQ(use("YA234V00"), CollectionUse::kAnyPatient);
  EXPECT_EQ(use("T1234000"), CollectionUse::kNotInterpreted);
}

struct TotalSize {
  int number;
  const char* sample;
};

// Every row of the table: one well-formed sample alone, followed by another structure, and cut
// short. The lengths are written out here so that a slip in the table's patterns shows.
class IsbtTableTest : public testing::TestWithParam<TotalSize> {};

TEST_P(IsbtTableTest, ConsumesExactlyItsLength) {
  const std::string sample = GetParam().sample;
  ASSERT_OK_AND_ASSIGN(const auto alone, SplitIsbtScan(sample));
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(alone[0].number, GetParam().number);
  EXPECT_EQ(alone[0].raw, sample);
  EXPECT_FALSE(SplitIsbtScan(sample.substr(0, sample.size() - 1)).ok());
  if (GetParam().number == 30 || GetParam().number == 23) return;
  ASSERT_OK_AND_ASSIGN(const auto two, SplitIsbtScan(sample + "=<S1234V00"));
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].raw, sample);
  EXPECT_EQ(two[1].raw, "=<S1234V00");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, IsbtTableTest,
    testing::Values(TotalSize{1, "=A99992500000100"}, TotalSize{2, "=%Mq00"},
                    TotalSize{3, "=<S1234V00"}, TotalSize{4, "=>030365"},
                    TotalSize{5, "&>0303652359"}, TotalSize{6, "=*025001"},
                    TotalSize{7, "&*0250010800"}, TotalSize{8, "=}025002"},
                    TotalSize{9, "&}0250020800"}, TotalSize{10, "&(N0001"},
                    TotalSize{11, "={000000000000000000"}, TotalSize{12, "=\\000000000000000000"},
                    TotalSize{13, "&\\000000000000000000"}, TotalSize{14, "&{000000000000000000"},
                    TotalSize{15, "=[000000000000000000"}, TotalSize{16, "=\"000000000000000000"},
                    TotalSize{17, "=)0000000000"}, TotalSize{18, "&)0000000000"},
                    TotalSize{19, "=;A99990000222244445555"}, TotalSize{20, "='A9999000042"},
                    TotalSize{21, "=-0000000000"}, TotalSize{22, "&-0000000000"},
                    TotalSize{23, "=+00000"}, TotalSize{24, "=#0019700101"},
                    TotalSize{25, "&#0005AB 12"}, TotalSize{26, "=]203012"},
                    TotalSize{27, "&\"321415000000000000"}, TotalSize{28, "=$A999925000001010"},
                    TotalSize{29, "&$0112345678901234"}, TotalSize{30, "&%0011234567890"},
                    TotalSize{31, "=(2001203012312359"}, TotalSize{32, "=,000042"},
                    TotalSize{33, "&+A9999ab12Z9"}, TotalSize{34, "=/A9999000000S1234"},
                    TotalSize{35, "&,1000000000000LOT7A1"}, TotalSize{36, "&,2000000000000000007"},
                    TotalSize{37, "&,30000000000000000000"},
                    TotalSize{38, "&,4PL001499Z549917123456A00T041600320171231"},
                    TotalSize{39, "&:1234123456789012309"}, TotalSize{40, "&/CHA999925000A01"}),
    [](const auto& param_info) { return "DS" + std::to_string(param_info.param.number); });

TEST(IsbtTableTest2, EveryRowHasASampleAndTheRightClass) {
  EXPECT_EQ(IsbtStructureTable().size(), 40U);
  for (const IsbtStructureRow& row : IsbtStructureTable()) {
    const bool personal =
        row.number == 19 || row.number == 20 || row.number == 24 || row.number == 25;
    const bool retired =
        row.number == 11 || row.number == 15 || row.number == 16 || row.number == 37;
    EXPECT_EQ(row.personal_data, personal) << row.number;
    EXPECT_EQ(row.retired, retired) << row.number;
  }
}

TEST(IsbtScanTest, NationalTailsTakeTheRestAndCountAsPersonal) {
  for (const char* text :
       {"=A99992500000100&a=<S1234V00", "=A99992500000100&;123", "=A99992500000100&!1"}) {
    ASSERT_OK_AND_ASSIGN(const IsbtScan scan, ParseIsbtScan(text));
    ASSERT_EQ(scan.structures.size(), 2U);
    EXPECT_TRUE(scan.structures[1].opaque);
    EXPECT_TRUE(scan.structures[1].personal_data);
    EXPECT_FALSE(scan.product.has_value());
  }
}

TEST(IsbtScanTest, UnknownIdentifiersAreNeverGuessed) {
  for (const char* text :
       {"=@123", "&,5000", "&,", "&&", "=A99992500000100X", "=A99992500000100=", "==", "hello"}) {
    EXPECT_EQ(Reason(ParseIsbtScan(text)), "E_SCAN_UNKNOWN_DI") << text;
  }
  EXPECT_EQ(Reason(ParseIsbtScan("")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan(std::string(9000, '='))), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("=A99992500000100\x1d=<S1234V00")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("=A9999250000\xC3\x89")), "E_SCAN_MALFORMED");
}

TEST(IsbtScanTest, TwoLabelsInOneScan) {
  EXPECT_EQ(Reason(ParseIsbtScan("=A99992500000100=A99992500000200")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("=<S1234V00=<S1234V00")), "E_SCAN_MALFORMED");
  EXPECT_OK(ParseIsbtScan("&)0000000001&)0000000002"));
}

TEST(IsbtScanTest, SymbologyIsRemembered) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan, ParseIsbtScan("]C4=A99992500000100=<S1234V00"));
  EXPECT_EQ(scan.symbology, "]C4");
  EXPECT_TRUE(scan.product.has_value());
}

TEST(IsbtScanTest, FacilityLotConsignment) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan,
                       ParseIsbtScan("&+B1234ab12Z9&,1000000000000LOT7A1=$A999925000001010"));
  EXPECT_EQ(scan.processing->fin, "B1234");
  EXPECT_EQ(scan.processing->product_code, "ab12Z9");
  EXPECT_EQ(scan.lot, "LOT7A1");
  EXPECT_EQ(scan.consignment->fin, "A9999");
  EXPECT_EQ(scan.consignment->year, 25);
  EXPECT_EQ(Reason(ParseIsbtScan("&+O1234ab12Z9")), "E_SCAN_MALFORMED");
}

TEST(IsbtScanTest, InfectionMarkers) {
  ASSERT_OK_AND_ASSIGN(const IsbtScan scan, ParseIsbtScan("&\"321415000000000000"));
  ASSERT_EQ(scan.markers.size(), 19U);
  std::vector<std::string> reactive;
  for (const InfectionMarker& marker : scan.markers) {
    if (marker.result == MarkerResult::kReactive) reactive.emplace_back(marker.name);
  }
  EXPECT_THAT(reactive, ElementsAre("HCV antibody", "CMV antibody"));
  EXPECT_EQ(Reason(ParseIsbtScan("&\"921415000000000000")), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(ParseIsbtScan("&\"000000000100000000")),
            "E_SCAN_MALFORMED");  // Unassigned half.
}

// A message about a structure that identifies a person does not repeat it.
TEST(IsbtScanTest, ErrorsDoNotRepeatPersonalData) {
  const auto result = ParseIsbtScan("=;A9999000022224444555X");
  EXPECT_EQ(Reason(result), "E_SCAN_MALFORMED");
  EXPECT_THAT(std::string(result.status().message()), Not(HasSubstr("2222")));
}

TEST(IsbtScanTest, DivisionsOfSixCharacters) {
  for (const char* good : {"000001", "999999", "AbB0C0", "Ab0000", "A0Bz00"}) {
    EXPECT_OK(CheckDivisionSix(good));
  }
  for (const char* bad :
       {"000000", "00Ab00", "AB0000", "Ab00Cd", "abcdef", "00042", "0000042", "00004a"}) {
    EXPECT_EQ(
        Reason(absl::StatusOr<int>(CheckDivisionSix(bad).ok() ? absl::InternalError("accepted")
                                                              : CheckDivisionSix(bad))),
        "E_SCAN_MALFORMED")
        << bad;
  }
}

}  // namespace
}  // namespace custody
