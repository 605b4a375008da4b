// Product code (ISBT 128 data structure 003): eight characters, in one of two layouts.
//
//   S1234 V Ab     product description code, collection type, division     (most products)
//   T1295 003      product description code, division of three digits      (first letter M N R T V
//   W)
//
// What a description code means stands in licensed tables that are not part of this project: codes
// are opaque here. Case matters: division "Ab" is not "AB".
//
// Threads: a value; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_PRODUCT_CODE_H_
#define CUSTODY_LIFECYCLE_LABELS_PRODUCT_CODE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lifecycle/labels/collection_type.h"

namespace custody {

class ProductCode {
 public:
  static constexpr std::size_t kSize = 8;

  // Errors: kInvalidArgument, E_SCAN_MALFORMED, on another length, a lower-case description code,
  // or a division that is neither 00, 99 nor a capital with a lower-case letter or 0.
  static absl::StatusOr<ProductCode> Parse(std::string_view text);

  const std::string& text() const { return text_; }

  // Product description code, five characters.
  std::string_view pdc() const { return std::string_view(text_).substr(0, 5); }

  // nullopt if the layout has none. A national product may use the character otherwise.
  std::optional<char> collection_type() const;

  // kNotInterpreted where the layout has no collection type or the product is national; research
  // codes are recognised in every product, because that errs to the safe side.
  CollectionUse Use() const;

  // "Ab", "00", "99" or, with a three-digit division, "003".
  std::string_view division() const;

  // The last two characters are 99: the product divisions structure (032) must be scanned as well.
  bool RequiresDivisionStructure() const { return text_.ends_with("99"); }

  // "00" or "000": the product is not divided.
  bool IsUndivided() const { return division().find_first_not_of('0') == std::string_view::npos; }

  friend bool operator==(const ProductCode&, const ProductCode&) = default;

 private:
  explicit ProductCode(std::string_view text) : text_(text) {}

  std::string text_;
};

// Five characters, a capital first, then capitals and digits.
// Errors: kInvalidArgument, E_SCAN_MALFORMED.
absl::Status CheckProductDescriptionCode(std::string_view pdc);

// Products whose first letter is M N R T V or W have a three-digit division.
bool HasThreeDigitDivision(std::string_view pdc);

// A capital letter, then a lower-case letter or 0.
bool IsDivisionPair(std::string_view pair);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_PRODUCT_CODE_H_
