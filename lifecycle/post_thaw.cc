#include "lifecycle/post_thaw.h"

#include "absl/numeric/int128.h"

namespace custody {

std::optional<v1::QcResult> PostThawResultFor(const v1::ReleaseRow& row,
                                              const v1::Decimal* viability_percent,
                                              std::uint64_t viable_cells,
                                              std::uint64_t claimed_cells,
                                              const std::string& rapid_gram) {
  v1::QcResult result;
  result.set_test_id(row.id());
  result.set_unit(row.unit());
  if (row.comparator() == v1::COMPARATOR_IS) {
    if (rapid_gram.empty()) return std::nullopt;
    result.set_qualitative(rapid_gram == "NEGATIVE" ? v1::QUALITATIVE_RESULT_NEGATIVE
                                                    : v1::QUALITATIVE_RESULT_POSITIVE);
    return result;
  }
  if (!IsViabilityRow(row)) {
    if (viable_cells == 0 || claimed_cells == 0) return std::nullopt;
    constexpr std::uint64_t kPercentHundredths = 10'000;
    const absl::uint128 hundredths =
        absl::uint128(viable_cells) * kPercentHundredths / claimed_cells;
    result.mutable_reported()->set_coefficient(
        static_cast<std::int64_t>(absl::Uint128Low64(hundredths)));
    result.mutable_reported()->set_decimals(2);
    return result;
  }
  if (viability_percent == nullptr) return std::nullopt;
  *result.mutable_reported() = *viability_percent;
  return result;
}

bool IsViabilityRow(const v1::ReleaseRow& row) {
  return row.comparator() != v1::COMPARATOR_IS && !row.id().starts_with("CN-");
}

}  // namespace custody
