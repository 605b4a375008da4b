#include "lifecycle/labels/sec.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

std::string Reason(std::string_view text) {
  const auto result = SingleEuropeanCode::ParsePrinted(text);
  return result.ok() ? "ok" : std::string(ReasonCodeOf(result.status()));
}

TEST(SecTest, PrintedTissueCode) {
  ASSERT_OK_AND_ASSIGN(
      const SingleEuropeanCode sec,
      SingleEuropeanCode::ParsePrinted("SEC: PL001499Z549917123456 A00T041600320171231"));
  EXPECT_EQ(sec.country(), "PL");
  EXPECT_EQ(sec.establishment(), "001499");
  EXPECT_EQ(sec.donation_number(), "Z549917123456");
  EXPECT_EQ(sec.donation_sequence(), "PL001499Z549917123456");
  EXPECT_EQ(sec.coding(), ProductCoding::kIsbt128);
  EXPECT_EQ(sec.product_number(), "00T0416");
  EXPECT_EQ(sec.split_number(), "003");
  EXPECT_EQ(sec.expiry(), absl::CivilDay(2017, 12, 31));
  EXPECT_EQ(sec.din()->text(), "Z549917123456");
  EXPECT_EQ(sec.Printed(), "SEC: PL001499Z549917123456 A00T041600320171231");
}

TEST(SecTest, CellTherapySplitKeepsItsCase) {
  ASSERT_OK_AND_ASSIGN(const SingleEuropeanCode sec,
                       SingleEuropeanCode::Parse("PL001499Z549917123456A00S14160Ab20161231"));
  EXPECT_EQ(sec.product_number(), "00S1416");
  EXPECT_EQ(sec.split_number(), "0Ab");
}

TEST(SecTest, OtherCodingSystemsHaveNoDin) {
  ASSERT_OK_AND_ASSIGN(const SingleEuropeanCode eutc,
                       SingleEuropeanCode::Parse("PL001499Z549917123456E000005300120161231"));
  EXPECT_EQ(eutc.coding(), ProductCoding::kEutc);
  EXPECT_EQ(eutc.product_number(), "0000053");
  EXPECT_EQ(eutc.split_number(), "001");
  EXPECT_EQ(eutc.din(), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const SingleEuropeanCode padded,
                       SingleEuropeanCode::Parse("PL0014990000000123456A00T041600320171231"));
  EXPECT_EQ(padded.din(), std::nullopt);
}

TEST(SecTest, NoExpiry) {
  ASSERT_OK_AND_ASSIGN(const SingleEuropeanCode sec,
                       SingleEuropeanCode::Parse("PL001499Z549917123456A00T041600300000000"));
  EXPECT_EQ(sec.expiry(), std::nullopt);
}

TEST(SecTest, Refusals) {
  const std::string good = "PL001499Z549917123456A00T041600320171231";
  EXPECT_EQ(Reason(good), "ok");
  EXPECT_EQ(Reason(good.substr(1)), "E_SEC_FORMAT");
  EXPECT_EQ(Reason(good + "0"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456C00T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("pl001499Z549917123456A00T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499z549917123456A00T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456A00t041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456A01T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456E00T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456A00T041600320160231"), "E_LABEL_DATE");
  EXPECT_EQ(Reason("SEC:  PL001499Z549917123456 A00T041600320171231"), "E_SEC_FORMAT");
  EXPECT_EQ(Reason("PL001499Z549917123456  A00T041600320171231"), "E_SEC_FORMAT");
}

}  // namespace
}  // namespace custody
