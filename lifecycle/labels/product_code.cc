#include "lifecycle/labels/product_code.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

// Products whose sixth character is a collection type by the international rules.
bool HasInternationalCollectionType(std::string_view pdc) {
  switch (pdc[0]) {
    case 'E':
    case 'F':
    case 'H':
    case 'S':
    case 'P':
      return true;
    case 'X':
      return pdc[1] == '0';
    case 'Y':
      return IsUpper(pdc[1]);
    default:
      return false;
  }
}

}  // namespace

absl::Status CheckProductDescriptionCode(std::string_view pdc) {
  return CheckPattern(pdc, "A1X4", "E_SCAN_MALFORMED", "the product description code");
}

bool HasThreeDigitDivision(std::string_view pdc) {
  return !pdc.empty() && std::string_view("MNRTVW").find(pdc[0]) != std::string_view::npos;
}

bool IsDivisionPair(std::string_view pair) {
  return pair.size() == 2 && IsUpper(pair[0]) && (IsLower(pair[1]) || pair[1] == '0');
}

absl::StatusOr<ProductCode> ProductCode::Parse(std::string_view text) {
  if (text.size() != kSize) {
    return LabelError(
        "E_SCAN_MALFORMED",
        absl::StrFormat("a product code has 8 characters, this has %d; scan the label "
                        "again",
                        text.size()));
  }
  CUSTODY_RETURN_IF_ERROR(CheckProductDescriptionCode(text.substr(0, 5)));
  if (HasThreeDigitDivision(text)) {
    CUSTODY_RETURN_IF_ERROR(
        CheckPattern(text.substr(5), "N3", "E_SCAN_MALFORMED", "the division of the product code"));
    return ProductCode(text);
  }
  CUSTODY_RETURN_IF_ERROR(CheckPattern(text.substr(5, 1), "Z1", "E_SCAN_MALFORMED",
                                       "the collection type of the product code"));
  const std::string_view division = text.substr(6);
  if (division != "00" && division != "99" && !IsDivisionPair(division)) {
    return LabelError("E_SCAN_MALFORMED",
                      "the division of the product code (positions 7 and 8) must be 00, 99, or a "
                      "capital letter and a lower-case letter or 0; is the scanner changing case?");
  }
  return ProductCode(text);
}

std::optional<char> ProductCode::collection_type() const {
  if (HasThreeDigitDivision(text_)) return std::nullopt;
  return text_[5];
}

CollectionUse ProductCode::Use() const {
  const std::optional<char> type = collection_type();
  if (!type.has_value()) return CollectionUse::kNotInterpreted;
  const CollectionUse use = CollectionUseOf(*type);
  if (use == CollectionUse::kNotForHumanUse || HasInternationalCollectionType(text_)) return use;
  return CollectionUse::kNotInterpreted;
}

std::string_view ProductCode::division() const {
  return std::string_view(text_).substr(HasThreeDigitDivision(text_) ? 5 : 6);
}

}  // namespace custody
