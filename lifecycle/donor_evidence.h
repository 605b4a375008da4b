// What one result or specimen is worth for a donation: person, window, assay, laboratory, class.
//
// Used by the eligibility proposal and by the findings on single results, so that both say the
// same.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_DONOR_EVIDENCE_H_
#define CUSTODY_LIFECYCLE_DONOR_EVIDENCE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "custody/v1/donor_events.pb.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/state_view.h"

namespace custody {

// Best to worst.
enum class ResultClass {
  // A final negative result.
  kNonReactive,
  // There is no result: pending, not tested, invalid run, inhibited.
  kNoResult,
  // A result that says neither: grey zone, repeats pending, supplemental test undecided.
  kUndecided,
  kReactive,
};

// A supplemental negative is kNoResult for a screening marker: it neither screens nor overturns.
ResultClass ClassOf(v1::Marker marker, v1::TestOutcome outcome);

// When and where the tissue was taken, for windows in local calendar days.
struct Recovery {
  std::int64_t procured_at_ms = 0;
  absl::TimeZone zone;
};

// nullopt if the donation is not procured yet, or the zone of its site is not known: no specimen
// can then be placed in a window. Errors: those of the view.
absl::StatusOr<std::optional<Recovery>> RecoveryOf(const StateView& view,
                                                   const v1::DonationState& donation);

// Where a specimen lies relative to its window.
enum class WindowPlace { kBefore, kInside, kAfter };

// The window of the policy for a tissue; nullptr if it states none.
const v1::SpecimenWindow* FindWindow(const v1::DonorPolicy& policy, v1::Regime regime,
                                     v1::TissueType tissue);

// Local calendar days, both ends included.
WindowPlace PlaceInWindow(const v1::SpecimenWindow& window, const Recovery& recovery,
                          std::int64_t drawn_at_ms);

// Local calendar days from one moment to another.
std::int64_t LocalDaysBetween(const absl::TimeZone& zone, std::int64_t from_ms, std::int64_t to_ms);

// The regime accepts the assay and the laboratory.
bool IsAcceptableTest(const v1::DonorPolicy& policy, v1::Regime regime,
                      const v1::TestResult& result,
                      const google::protobuf::RepeatedField<int>& accreditations);

// The specimen (or screening) is of the person who is to be tested: `tested` is the state of the
// donor, or of the birth mother of a newborn. False for everything taken from an infant.
bool IsOfPersonTested(const v1::DonorState& tested, v1::PersonExamined person, bool as_mother);

// nullptr if the donor has no such specimen.
const v1::SpecimenState* FindSpecimen(const v1::DonorState& donor, std::string_view specimen_id);

// Infusions may have diluted the specimen (21 CFR 1271.80(d)(2)), as far as it is known.
bool IsDilutionSuspected(const v1::DonorPolicy& policy, const v1::SpecimenState& specimen);

// The rule for a marker of a regime, tissue and intent; of several the strictest parts.
// nullopt if the policy has none.
std::optional<v1::MarkerRule> FindMarkerRule(const v1::DonorPolicy& policy, v1::Regime regime,
                                             const v1::DonationState& donation, v1::Marker marker);

// Results that stand: without those that a correction or a higher version of the same report
// replaced. A reactive result is replaced by a correction only.
std::vector<const v1::ResultState*> StandingResults(const v1::DonorState& donor);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_DONOR_EVIDENCE_H_
