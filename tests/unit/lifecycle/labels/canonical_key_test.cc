#include "lifecycle/labels/canonical_key.h"

#include <gtest/gtest.h>

#include "lifecycle/labels/label_error.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

template <typename T>
std::string Reason(const absl::StatusOr<T>& result) {
  return std::string(ReasonCodeOf(result.status()));
}

TEST(CanonicalKeyTest, AcceptsWhatIsWritten) {
  const std::pair<const char*, CanonicalKeyKind> keys[] = {
      {"isbt:A9999:A999925000001:S1234:000042", CanonicalKeyKind::kIsbtContainer},
      {"isbt:A9999:A999925000001:S1234:000000", CanonicalKeyKind::kIsbtContainer},
      {"isbt:B1234:A999925000001:S1234:Ab", CanonicalKeyKind::kIsbtContainer},
      {"isbt:A9999:A999925000001:S1234:AbB0C0", CanonicalKeyKind::kIsbtContainer},
      {"isbt:A9999:A999925000001:T1295:003", CanonicalKeyKind::kIsbtContainer},
      {"gs1:01:09506000134352:21:D000042", CanonicalKeyKind::kGs1Container},
      {"gs1:01:09506000134352:21:D:21:7", CanonicalKeyKind::kGs1Container},
      {"gs1:00:106141412345678908", CanonicalKeyKind::kLogisticUnit},
      {"gs1:414:9506000134345", CanonicalKeyKind::kPlace},
      {"din:A999925000001", CanonicalKeyKind::kDonation},
  };
  for (const auto& [text, kind] : keys) {
    ASSERT_OK_AND_ASSIGN(const CanonicalKey key, ParseCanonicalKey(text));
    EXPECT_EQ(key.kind, kind) << text;
    EXPECT_EQ(key.text, text);
  }
}

TEST(CanonicalKeyTest, RefusesEverythingElse) {
  const std::pair<const char*, const char*> keys[] = {
      {"isbt:A9999:A999925000001:S1234", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:S1234:000042:", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A99992500000O:S1234:000042", "E_DIN_CHARSET"},
      {"isbt:O9999:A999925000001:S1234:000042", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:s1234:000042", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:S1234:00", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:S1234:99", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:S1234:AB", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:S1234:003", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:T1295:Ab", "E_SCAN_MALFORMED"},
      {"isbt:A9999:A999925000001:T1295:000", "E_SCAN_MALFORMED"},
      {"ISBT:A9999:A999925000001:S1234:000042", "E_SCAN_MALFORMED"},
      {"gs1:01:09506000134353:21:D000042", "E_CHECK_DIGIT"},
      {"gs1:01:09506000134352:21:", "E_GS1_FORMAT"},
      {"gs1:01:09506000134352:10:D000042", "E_SCAN_MALFORMED"},
      {"gs1:01:9506000134352:21:D000042", "E_GS1_FORMAT"},
      {"gs1:00:106141412345678909", "E_CHECK_DIGIT"},
      {"gs1:414:9506000134345:1", "E_GS1_FORMAT"},
      {"gs1:8018:950600013435200015", "E_SCAN_MALFORMED"},
      {"din:A99992500000", "E_SCAN_MALFORMED"},
      {"", "E_SCAN_MALFORMED"},
  };
  for (const auto& [text, reason] : keys)
    EXPECT_EQ(Reason(ParseCanonicalKey(text)), reason) << text;
}

TEST(CanonicalKeyTest, IsbtPartsThatContradictEachOther) {
  const Din din = *Din::Parse("A999925000001");
  const auto key = [&](const char* product, IsbtContainerParts parts) {
    return IsbtContainerKey(din, *ProductCode::Parse(product), parts);
  };
  EXPECT_EQ(Reason(key("S1234V99", {})), "E_DIVISION_REQUIRED");
  EXPECT_EQ(Reason(key("S1234V00", {.division = "000042"})), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(key("S1234V99", {.division = "000000"})), "E_SCAN_MALFORMED");
  EXPECT_EQ(Reason(key("S1234V00", {.fin_p = "A999"})), "E_SCAN_MALFORMED");
  // The collection type is an attribute, not part of the key.
  EXPECT_EQ(*key("S1234V00", {}), *key("S1234R00", {}));
}

// Different divisions never share a key, whatever way the label writes them.
TEST(CanonicalKeyTest, DivisionsDoNotCollide) {
  const Din din = *Din::Parse("A999925000001");
  EXPECT_NE(*IsbtContainerKey(din, *ProductCode::Parse("T1295003"), {}),
            *IsbtContainerKey(din, *ProductCode::Parse("T1295099"), {.division = "000003"}));
  EXPECT_NE(*IsbtContainerKey(din, *ProductCode::Parse("S1234VAb"), {}),
            *IsbtContainerKey(din, *ProductCode::Parse("S1234V99"), {.division = "Ab0000"}));
}

}  // namespace
}  // namespace custody
