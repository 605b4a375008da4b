// Decimal against slow rational arithmetic: a decimal is a pair (numerator, 10^decimals) of 128
// bits, compared by cross multiplication and rounded by its definition.

#include "lifecycle/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace custody {
namespace {

__extension__ using Wide = __int128;

struct Rational {
  Wide numerator;
  Wide denominator;
};

Wide Power(std::uint32_t exponent) { return exponent == 0 ? Wide{1} : 10 * Power(exponent - 1); }

Rational Exact(const Decimal& value) { return {value.coefficient(), Power(value.decimals())}; }

bool Less(const Rational& a, const Rational& b) {
  return a.numerator * b.denominator < b.numerator * a.denominator;
}

Rational Minus(const Rational& a, const Rational& b) {
  return {a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator};
}

Rational Absolute(Rational a) {
  if (a.numerator < 0) a.numerator = -a.numerator;
  return a;
}

Decimal AnyDecimal() {
  // Small ones collide and hit halves; large ones reach the limits.
  const auto coefficient = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-2000, 2001),
                                           rc::gen::arbitrary<std::int64_t>());
  const auto decimals = *rc::gen::inRange<std::uint32_t>(0, Decimal::kDecimalsMax + 1);
  return *Decimal::Create(coefficient, decimals);
}

RC_GTEST_PROP(DecimalProperty, ParseOfToStringIsIdentity, ()) {
  const Decimal value = AnyDecimal();
  const auto parsed = Decimal::Parse(value.ToString());
  RC_ASSERT(parsed.ok());
  RC_ASSERT(parsed->coefficient() == value.coefficient());
  RC_ASSERT(parsed->decimals() == value.decimals());
}

RC_GTEST_PROP(DecimalProperty, OrderIsThatOfRationals, ()) {
  const Decimal a = AnyDecimal();
  const Decimal b = AnyDecimal();
  RC_ASSERT((a < b) == Less(Exact(a), Exact(b)));
  RC_ASSERT((a > b) == Less(Exact(b), Exact(a)));
  RC_ASSERT((a == b) == (!Less(Exact(a), Exact(b)) && !Less(Exact(b), Exact(a))));
}

// Nearest multiple of 10^-decimals, and at a distance of exactly one half the one farther from
// zero.
RC_GTEST_PROP(DecimalProperty, RoundingIsToTheNearestAndHalvesAwayFromZero, ()) {
  const Decimal value = *Decimal::Create(*rc::gen::inRange<std::int64_t>(-200000, 200001),
                                         *rc::gen::inRange<std::uint32_t>(0, 6));
  const auto decimals = *rc::gen::inRange<std::uint32_t>(0, 6);
  const Decimal rounded = RoundHalfUp(value, decimals);
  RC_ASSERT(rounded.decimals() == std::min(decimals, value.decimals()));
  const Rational half = {1, 2 * Power(rounded.decimals())};
  const Rational distance = Absolute(Minus(Exact(rounded), Exact(value)));
  if (rounded.decimals() == value.decimals()) {
    RC_ASSERT(rounded.coefficient() == value.coefficient());
    return;
  }
  RC_ASSERT(!Less(half, distance));
  if (!Less(distance, half)) RC_ASSERT(Less(Absolute(Exact(value)), Absolute(Exact(rounded))));
}

RC_GTEST_PROP(DecimalProperty, FiguresAreKept, ()) {
  const Decimal value = *Decimal::Create(*rc::gen::inRange<std::int64_t>(-200000, 200001),
                                         *rc::gen::inRange<std::uint32_t>(0, 6));
  const auto figures = *rc::gen::inRange<std::uint32_t>(1, 8);
  const Decimal rounded = RoundToFigures(value, figures);
  const auto digits = std::to_string(std::abs(value.coefficient())).size();
  if (digits <= figures) {
    RC_ASSERT(rounded == value);
    return;
  }
  // Half a unit of the last figure that is kept.
  const Rational half = {Power(static_cast<std::uint32_t>(digits) - figures),
                         2 * Power(value.decimals())};
  const Rational distance = Absolute(Minus(Exact(rounded), Exact(value)));
  RC_ASSERT(!Less(half, distance));
  if (!Less(distance, half)) RC_ASSERT(Less(Absolute(Exact(value)), Absolute(Exact(rounded))));
}

// Exactly one of less, equal, greater, whatever the rounding; the inclusive forms follow.
RC_GTEST_PROP(DecimalProperty, ComparatorsAgreeWithEachOther, ()) {
  const Decimal value = AnyDecimal();
  const Decimal limit = AnyDecimal();
  const auto rounding = *rc::gen::element(Rounding::kNone, Rounding::kUsp720, Rounding::kPhEur);
  const auto meets = [&](Comparator comparator) {
    return Meets(value, comparator, limit, std::nullopt, rounding);
  };
  const int less = meets(Comparator::kLess) ? 1 : 0;
  const int equal = meets(Comparator::kEqual) ? 1 : 0;
  const int greater = meets(Comparator::kGreater) ? 1 : 0;
  RC_ASSERT(less + equal + greater == 1);
  RC_ASSERT(meets(Comparator::kLessOrEqual) == (less + equal == 1));
  RC_ASSERT(meets(Comparator::kGreaterOrEqual) == (greater + equal == 1));
  RC_ASSERT(Meets(value, Comparator::kWithin, limit, limit, rounding) == (equal == 1));
}

}  // namespace
}  // namespace custody
