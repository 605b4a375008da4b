#include <algorithm>
#include <optional>

#include "lifecycle/decimal.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

std::optional<Comparator> ComparatorOf(v1::Comparator comparator) {
  switch (comparator) {
    case v1::COMPARATOR_LESS:
      return Comparator::kLess;
    case v1::COMPARATOR_LESS_OR_EQUAL:
      return Comparator::kLessOrEqual;
    case v1::COMPARATOR_GREATER:
      return Comparator::kGreater;
    case v1::COMPARATOR_GREATER_OR_EQUAL:
      return Comparator::kGreaterOrEqual;
    case v1::COMPARATOR_EQUAL:
      return Comparator::kEqual;
    case v1::COMPARATOR_WITHIN:
      return Comparator::kWithin;
    default:
      return std::nullopt;
  }
}

std::optional<Rounding> RoundingOf(v1::Rounding rounding) {
  switch (rounding) {
    case v1::ROUNDING_NONE:
      return Rounding::kNone;
    case v1::ROUNDING_USP_7_20:
      return Rounding::kUsp720;
    case v1::ROUNDING_PH_EUR:
      return Rounding::kPhEur;
    default:
      return std::nullopt;
  }
}

std::optional<Decimal> DecimalOf(const v1::Decimal& decimal) {
  auto made = Decimal::Create(decimal.coefficient(), decimal.decimals());
  if (!made.ok()) return std::nullopt;
  return *made;
}

// The value to compare. The reported one, unless the raw one does not round to it; and unless the
// comparison would round the reported one again: the raw value is rounded once.
std::optional<Decimal> ValueToJudge(const v1::QcResult& result, const Decimal& limit,
                                    Rounding rounding) {
  const std::optional<Decimal> reported = DecimalOf(result.reported());
  if (!reported.has_value() || !result.has_raw()) return reported;
  const std::optional<Decimal> raw = DecimalOf(result.raw());
  if (!raw.has_value()) return std::nullopt;
  if (RoundHalfUp(*raw, reported->decimals()) != *reported) return raw;
  const bool rounded_again = rounding != Rounding::kNone && reported->decimals() > limit.decimals();
  return rounded_again ? raw : reported;
}

bool MeetsNumber(const v1::ReleaseRow& row, const v1::QcResult& result) {
  const std::optional<Comparator> comparator = ComparatorOf(row.comparator());
  const std::optional<Rounding> rounding = RoundingOf(row.rounding());
  if (!comparator.has_value() || !rounding.has_value() || !row.has_limit()) return false;
  if (!result.has_reported() || result.qualitative() != v1::QUALITATIVE_RESULT_UNSPECIFIED) {
    return false;
  }
  if (!row.unit().empty() && row.unit() != result.unit()) return false;
  const std::optional<Decimal> limit = DecimalOf(row.limit());
  if (!limit.has_value()) return false;
  std::optional<Decimal> upper;
  if (row.has_upper()) upper = DecimalOf(row.upper());
  const std::optional<Decimal> value = ValueToJudge(result, *limit, *rounding);
  return value.has_value() && Meets(*value, *comparator, *limit, upper, *rounding);
}

bool MeetsWord(const v1::ReleaseRow& row, const v1::QcResult& result) {
  if (row.expected() == v1::QUALITATIVE_RESULT_UNSPECIFIED) return false;
  return !result.has_reported() && result.qualitative() == row.expected();
}

}  // namespace

v1::ResultVerdict JudgeResult(const v1::ReleaseRow& row, const v1::QcResult& result) {
  const bool met =
      row.comparator() == v1::COMPARATOR_IS ? MeetsWord(row, result) : MeetsNumber(row, result);
  return met ? v1::RESULT_VERDICT_PASS : v1::RESULT_VERDICT_FAIL;
}

bool AcceptsMethod(const v1::ReleaseRow& row, std::string_view method) {
  return row.methods().empty() ||
         std::find(row.methods().begin(), row.methods().end(), method) != row.methods().end();
}

}  // namespace custody
