// Exact decimal numbers, as laboratories report them, and their comparison with policy limits.
//
// A Decimal is coefficient / 10^decimals and remembers how many decimals were reported: 90 and 90.0
// are equal in value and differ in precision, which decides how a result is rounded before it is
// compared. There is no floating point here.
//
// Threads: values; pure functions.
// Limits:  coefficient of 64 bits, 0 to 9 decimals.

#ifndef CUSTODY_LIFECYCLE_DECIMAL_H_
#define CUSTODY_LIFECYCLE_DECIMAL_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

class Decimal {
 public:
  static constexpr std::uint32_t kDecimalsMax = 9;

  constexpr Decimal() = default;

  // Errors: kInvalidArgument if decimals > 9.
  static absl::StatusOr<Decimal> Create(std::int64_t coefficient, std::uint32_t decimals);

  // "90.4", "-150.0", "12": digits, at most one point with digits on both sides, "-" if negative.
  // One value and precision has one text: no "+", no leading zeros, no "-0", no exponent.
  //
  // Errors: kInvalidArgument if the text has another form, more than 9 decimals, or a coefficient
  //         beyond 64 bits.
  static absl::StatusOr<Decimal> Parse(std::string_view text);

  constexpr std::int64_t coefficient() const { return coefficient_; }
  constexpr std::uint32_t decimals() const { return decimals_; }

  // Exactly the text that Parse() takes.
  std::string ToString() const;

  // By value, exactly, whatever the precision: 90 == 90.0. To compare precision too, compare
  // coefficient() and decimals().
  friend std::weak_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  constexpr Decimal(std::int64_t coefficient, std::uint32_t decimals)
      : coefficient_(coefficient), decimals_(decimals) {}

  std::int64_t coefficient_ = 0;
  std::uint32_t decimals_ = 0;
};

// `value` with at most `decimals` decimals, rounded once. A half is rounded away from zero, as USP
// 7.20 does by looking only at the digits: 90.5 -> 91, and -90.5 -> -91. A value that has no more
// decimals than that comes back unchanged; zeros are not added.
Decimal RoundHalfUp(Decimal value, std::uint32_t decimals);

// `value` with at most `figures` significant figures (>= 1), rounded as above: 1234 with two is
// 1200. Saturates at the largest coefficient, which no rounding rule reaches in practice.
Decimal RoundToFigures(Decimal value, std::uint32_t figures);

enum class Comparator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kWithin };

// How a result is rounded before it is compared; the limit is exact.
enum class Rounding {
  kNone,    // not at all
  kUsp720,  // to the decimals of the limit
  kPhEur,   // to the significant figures of the limit, trailing zeros included: 90 has two
};

// Whether `value` meets the limit.
//
//   limit   the limit, or the lower one for kWithin
//   upper   the upper limit of kWithin (both are included); ignored otherwise
//
// False if kWithin has no upper limit: what cannot be determined is never met. For kWithin the
// value is rounded for each limit by that limit's own precision.
bool Meets(Decimal value, Comparator comparator, Decimal limit, std::optional<Decimal> upper,
           Rounding rounding);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_DECIMAL_H_
