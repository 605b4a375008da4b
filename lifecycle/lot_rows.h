// The rows of a policy, judged for one lot: what a certificate of analysis lists and what a release
// needs.
//
// A row is met when at least one attested result by a method of the row passes and none that stands
// fails: the worse of two valid results wins, never the newer. Rows that no laboratory measures are
// computed from the record:
//
//   PA-01  highest passage number of the lot and its ancestors
//   PA-02  highest total of population doublings of the lot and its ancestors
//   LB-01  labels printed - used - destroyed
//   RS-01  cryoprotectant of the fill, % v/v, unless a result is reported
//   DE-01  every donation that the lot comes from is eligible for every regime asked for
//
// Rows of scope BANK may be met by a result of any ancestor batch.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_LOT_ROWS_H_
#define CUSTODY_LIFECYCLE_LOT_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/genealogy.h"
#include "lifecycle/state_view.h"

namespace custody {

// What a lot is to be used for; decides which rows count.
struct LotUse {
  std::vector<v1::Regime> regimes;
  // Rows that name routes count only if one of them is here.
  std::vector<v1::Route> routes;
};

enum class RowOutcome {
  kMet,
  kNotMet,
  // No attested result by a method of the row, and none that fails.
  kMissing,
  // Missing, but another row of its group of alternatives is met.
  kNotNeeded,
};

struct RowJudgement {
  // Of the policy that was judged by; lives as long as it.
  const v1::ReleaseRow* row = nullptr;
  RowOutcome outcome = RowOutcome::kMissing;
  // For people: the value, or what is wrong with it.
  std::string detail;
  // Entries with the results.
  std::vector<std::uint64_t> evidence;

  // The lot must not be released: not met, or missing where the row says that this blocks.
  bool blocks() const;
};

// Every row of stage RELEASE that applies to this kind of batch and this use, in the policy's
// order.
//
// Errors: those of the view; kNotFound if the batch is unknown.
absl::StatusOr<std::vector<RowJudgement>> JudgeLotRows(const StateView& view,
                                                       std::string_view batch_id,
                                                       const v1::Policy& policy, const LotUse& use);

// Why a donation does not count as eligible under a regime; nullopt if it does. NOT_REQUIRED is
// enough for autologous donations only.
std::optional<std::string> WhyNotEligible(const v1::DonationState& donation, v1::Regime regime);

// The result says that a limit is not met, and nothing took it back: neither a correction nor an
// investigation that found an assignable cause.
bool IsStandingFailure(const v1::QcResultState& result);

// The determination in force; nullptr if there is none.
const v1::EligibilityState* FindEligibility(const v1::DonationState& donation, v1::Regime regime);

// Highest passage number and total of doublings of a batch and everything it comes from; they only
// grow along the genealogy.
struct CultureAge {
  std::uint32_t passage_number = 0;
  std::optional<v1::Decimal> population_doublings;
};
absl::StatusOr<CultureAge> FindCultureAge(const StateView& view, const Ancestry& ancestry);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LOT_ROWS_H_
