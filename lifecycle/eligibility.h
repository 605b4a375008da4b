// Donor eligibility as a pure proposal (21 CFR 1271.50-1271.90, Directive 2006/17/EC).
//
// The function only proposes; EligibilityDetermined is signed by a person and must equal the
// proposal or be worse. The worse of two valid results wins, never the newer.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_ELIGIBILITY_H_
#define CUSTODY_LIFECYCLE_ELIGIBILITY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/donor_events.pb.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/reason.pb.h"
#include "lifecycle/state_view.h"

namespace custody {

// Why a marker, specimen or screening did not simply pass.
struct EligibilityRemark {
  v1::ReasonCode code;
  v1::Marker marker = v1::MARKER_UNSPECIFIED;
  std::string detail;

  bool operator==(const EligibilityRemark&) const = default;
};

struct EligibilityProposal {
  v1::EligibilityOutcome outcome = v1::ELIGIBILITY_OUTCOME_INCOMPLETE;
  std::vector<v1::Marker> missing;
  std::vector<std::string> labels;
  std::vector<std::string> evaluated_result_ids;
  std::vector<EligibilityRemark> remarks;
  // INCOMPLETE only for want of a documented risk assessment: with one, ELIGIBLE_RISK is allowed.
  bool risk_assessment_would_do = false;
};

// Errors: those of the view; kNotFound if the donation or its donor is unknown.
absl::StatusOr<EligibilityProposal> ProposeEligibility(const StateView& view,
                                                       std::string_view donation_id,
                                                       v1::Regime regime, const v1::Policy& policy);

// True if `stated` is better than `proposed` (order: NOT_REQUIRED, ELIGIBLE, ELIGIBLE_RISK,
// PENDING_RETEST, INCOMPLETE, INELIGIBLE).
bool IsBetter(v1::EligibilityOutcome stated, v1::EligibilityOutcome proposed);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_ELIGIBILITY_H_
