// deps: custody_decimal
//
// A decimal that parses is written back byte for byte, and rounding and comparing it never
// overflows.

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "lifecycle/decimal.h"

// Two decimals with a line end in between.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using custody::Decimal;
  const std::string_view text = custody::AsText({data, size});
  const std::size_t end = text.find('\n');
  const std::string_view first = text.substr(0, end);
  const std::string_view second =
      end == std::string_view::npos ? std::string_view("1.0") : text.substr(end + 1);
  const auto value = Decimal::Parse(first);
  const auto limit = Decimal::Parse(second);
  if (value.ok()) CUSTODY_CHECK(value->ToString() == first);
  if (!value.ok() || !limit.ok()) return 0;
  for (std::uint32_t decimals = 0; decimals <= Decimal::kDecimalsMax; ++decimals) {
    const Decimal rounded = custody::RoundHalfUp(*value, decimals);
    CUSTODY_CHECK(rounded.decimals() <= std::max(decimals, value->decimals()));
    CUSTODY_CHECK(custody::RoundHalfUp(rounded, decimals) == rounded);
    static_cast<void>(custody::RoundToFigures(*value, decimals + 1));
  }
  const bool less = custody::Meets(*value, custody::Comparator::kLess, *limit, std::nullopt,
                                   custody::Rounding::kNone);
  CUSTODY_CHECK(less == std::is_lt(*value <=> *limit));
  CUSTODY_CHECK(!(std::is_lt(*value <=> *limit) && std::is_lt(*limit <=> *value)));
  for (const auto rounding : {custody::Rounding::kUsp720, custody::Rounding::kPhEur}) {
    static_cast<void>(
        custody::Meets(*value, custody::Comparator::kWithin, *limit, *value, rounding));
  }
  return 0;
}
