#include "lifecycle/labels/sec.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/label_time.h"
#include "lifecycle/labels/product_code.h"

namespace custody {
namespace {

constexpr std::string_view kCode = "E_SEC_FORMAT";
constexpr std::string_view kNoExpiry = "00000000";

absl::Status CheckExpiry(std::string_view digits) {
  if (digits == kNoExpiry) return absl::OkStatus();
  return MakeDay(DigitsToInt(digits.substr(0, 4)), DigitsToInt(digits.substr(4, 2)),
                 DigitsToInt(digits.substr(6)))
      .status();
}

absl::Status CheckProduct(char coding, std::string_view product_number) {
  if (coding == 'A') {
    if (!product_number.starts_with("00") ||
        !CheckProductDescriptionCode(product_number.substr(2)).ok()) {
      return LabelError(kCode,
                        absl::StrFormat("product number %s is not 00 and an ISBT 128 product "
                                        "description code (positions 23 to 29); compare with "
                                        "the label",
                                        product_number));
    }
    return absl::OkStatus();
  }
  if (coding == 'E') {
    return CheckPattern(product_number, "N7", kCode, "the EUTC product number of the SEC");
  }
  if (coding == 'B') return absl::OkStatus();
  return LabelError(kCode,
                    absl::StrFormat("product coding system '%c' at position 22 of the SEC is not "
                                    "A, B or E; compare with the label",
                                    coding));
}

}  // namespace

absl::StatusOr<SingleEuropeanCode> SingleEuropeanCode::Parse(std::string_view text) {
  CUSTODY_RETURN_IF_ERROR(CheckPattern(text, "A2X6X13A1X7Z3N8", kCode, "the SEC"));
  CUSTODY_RETURN_IF_ERROR(CheckProduct(text[21], text.substr(22, 7)));
  CUSTODY_RETURN_IF_ERROR(CheckExpiry(text.substr(32)));
  return SingleEuropeanCode(text);
}

absl::StatusOr<SingleEuropeanCode> SingleEuropeanCode::ParsePrinted(std::string_view text) {
  if (text.starts_with("SEC:")) {
    text.remove_prefix(4);
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  if (text.size() > 21 && (text[21] == ' ' || text[21] == '\n')) {
    return Parse(std::string(text.substr(0, 21)) + std::string(text.substr(22)));
  }
  return Parse(text);
}

std::string SingleEuropeanCode::Printed() const {
  return absl::StrFormat("SEC: %s %s", Part(0, 21), Part(21, 19));
}

std::optional<absl::CivilDay> SingleEuropeanCode::expiry() const {
  const std::string_view digits = Part(32, 8);
  if (digits == kNoExpiry) return std::nullopt;
  return absl::CivilDay(DigitsToInt(digits.substr(0, 4)), DigitsToInt(digits.substr(4, 2)),
                        DigitsToInt(digits.substr(6)));
}

std::optional<Din> SingleEuropeanCode::din() const {
  if (coding() != ProductCoding::kIsbt128) return std::nullopt;
  absl::StatusOr<Din> din = Din::Parse(donation_number());
  if (!din.ok()) return std::nullopt;
  return *std::move(din);
}

}  // namespace custody
