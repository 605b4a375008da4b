#include "lifecycle/decimal.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"

namespace custody {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kCoefficientMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kCoefficientMin = std::numeric_limits<std::int64_t>::min();

// Powers up to 10^19 occur; a coefficient of 64 bits times 10^9 stays below 2^94.
Wide PowerOfTen(std::uint32_t exponent) {
  Wide power = 1;
  for (std::uint32_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

Wide Scaled(Decimal value, std::uint32_t decimals) {
  return Wide{value.coefficient()} * PowerOfTen(decimals - value.decimals());
}

// Divides and rounds half away from zero.
Wide DivideRounded(Wide dividend, Wide divisor) {
  const Wide half = divisor / 2;
  return dividend >= 0 ? (dividend + half) / divisor : (dividend - half) / divisor;
}

std::uint32_t DigitsOf(std::int64_t coefficient) {
  std::uint32_t digits = 0;
  for (; coefficient != 0; coefficient /= 10) ++digits;
  return digits;
}

absl::Status TextError() {
  return absl::InvalidArgumentError(
      "a decimal is digits with at most one point and nine decimals, such as 90.4 or -150.0, "
      "without "
      "leading zeros, and its digits fit 64 bits");
}

Decimal Rounded(Decimal value, Decimal limit, Rounding rounding) {
  switch (rounding) {
    case Rounding::kNone:
      return value;
    case Rounding::kUsp720:
      return RoundHalfUp(value, limit.decimals());
    case Rounding::kPhEur:
      // A limit of zero has no significant figures; its decimals are what it states.
      if (limit.coefficient() == 0) return RoundHalfUp(value, limit.decimals());
      return RoundToFigures(value, DigitsOf(limit.coefficient()));
  }
  return value;
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

absl::StatusOr<Decimal> Decimal::Create(std::int64_t coefficient, std::uint32_t decimals) {
  if (decimals > kDecimalsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("decimals (%d) is above %d", decimals, kDecimalsMax));
  }
  return Decimal(coefficient, decimals);
}

absl::StatusOr<Decimal> Decimal::Parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view number = text.substr(negative ? 1 : 0);
  const std::size_t point = number.find('.');
  const bool has_point = point != std::string_view::npos;
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction = has_point ? number.substr(point + 1) : std::string_view();
  if (!IsDigits(whole) || (has_point && !IsDigits(fraction)) || fraction.size() > kDecimalsMax ||
      (whole.size() > 1 && whole[0] == '0')) {
    return TextError();
  }
  const std::string digits =
      std::string(negative ? "-" : "") + std::string(whole) + std::string(fraction);
  std::int64_t coefficient = 0;
  if (!absl::SimpleAtoi(digits, &coefficient)) return TextError();
  if (negative && coefficient == 0) return TextError();
  return Decimal(coefficient, static_cast<std::uint32_t>(fraction.size()));
}

std::string Decimal::ToString() const {
  std::string digits = absl::StrFormat("%d", coefficient_);
  if (decimals_ == 0) return digits;
  const bool negative = coefficient_ < 0;
  if (negative) digits.erase(0, 1);
  if (digits.size() <= decimals_) digits.insert(0, decimals_ + 1 - digits.size(), '0');
  digits.insert(digits.size() - decimals_, ".");
  return negative ? "-" + digits : digits;
}

std::weak_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const std::uint32_t decimals = std::max(a.decimals_, b.decimals_);
  const Wide first = Scaled(a, decimals);
  const Wide second = Scaled(b, decimals);
  if (first < second) return std::weak_ordering::less;
  return first > second ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

Decimal RoundHalfUp(Decimal value, std::uint32_t decimals) {
  if (decimals >= value.decimals()) return value;
  const Wide coefficient =
      DivideRounded(value.coefficient(), PowerOfTen(value.decimals() - decimals));
  const auto rounded = Decimal::Create(static_cast<std::int64_t>(coefficient), decimals);
  CUSTODY_CHECK(rounded.ok());  // Fewer decimals than before.
  return *rounded;
}

Decimal RoundToFigures(Decimal value, std::uint32_t figures) {
  CUSTODY_CHECK(figures >= 1);
  const std::uint32_t digits = DigitsOf(value.coefficient());
  if (digits <= figures) return value;
  const std::uint32_t dropped = digits - figures;
  if (dropped <= value.decimals()) return RoundHalfUp(value, value.decimals() - dropped);
  const Wide power = PowerOfTen(dropped);
  const Wide coefficient = std::clamp(DivideRounded(value.coefficient(), power) * power,
                                      Wide{kCoefficientMin}, Wide{kCoefficientMax});
  const auto rounded = Decimal::Create(static_cast<std::int64_t>(coefficient), value.decimals());
  CUSTODY_CHECK(rounded.ok());
  return *rounded;
}

bool Meets(Decimal value, Comparator comparator, Decimal limit, std::optional<Decimal> upper,
           Rounding rounding) {
  const Decimal rounded = Rounded(value, limit, rounding);
  switch (comparator) {
    case Comparator::kLess:
      return rounded < limit;
    case Comparator::kLessOrEqual:
      return rounded <= limit;
    case Comparator::kGreater:
      return rounded > limit;
    case Comparator::kGreaterOrEqual:
      return rounded >= limit;
    case Comparator::kEqual:
      return rounded == limit;
    case Comparator::kWithin:
      return upper.has_value() && rounded >= limit && Rounded(value, *upper, rounding) <= *upper;
  }
  return false;
}

}  // namespace custody
