#include "lifecycle/eligibility.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/donation_world.h"

namespace custody {
namespace {

constexpr v1::Marker kMarkers[] = {
    v1::MARKER_HIV12_AB, v1::MARKER_HIV1_NAT, v1::MARKER_HBSAG,       v1::MARKER_HBC_AB,
    v1::MARKER_HCV_AB,   v1::MARKER_HCV_NAT,  v1::MARKER_SYPH_SCREEN, v1::MARKER_SYPH_CONFIRM,
    v1::MARKER_CMV_AB,   v1::MARKER_CMV_NAT,  v1::MARKER_WNV_NAT,     v1::MARKER_PARVO_B19_NAT};
constexpr const char* kDays[] = {"2025-03-02", "2025-03-10", "2025-03-17", "2025-03-18",
                                 "2025-09-06"};

// Adds up to a dozen arbitrary results beside a clean panel that is complete about half the time.
void Fill(DonationWorld* world) {
  if (*rc::gen::arbitrary<bool>()) world->AddCleanPanel("2025-03-10");
  std::vector<std::string> specimens;
  for (const char* const day : kDays) specimens.push_back(world->AddSpecimen(day));
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const v1::Marker marker =
        *rc::gen::elementOf(std::vector<v1::Marker>(std::begin(kMarkers), std::end(kMarkers)));
    const auto outcome = static_cast<v1::TestOutcome>(*rc::gen::inRange(0, 14));
    v1::ResultState& result = world->AddResult(marker, outcome, *rc::gen::elementOf(specimens));
    result.set_attested(*rc::gen::arbitrary<bool>());
    result.mutable_result()->set_report_number(*rc::gen::arbitrary<bool>() ? "R-1" : "");
    result.mutable_result()->set_report_version(
        static_cast<std::uint32_t>(*rc::gen::inRange(1, 4)));
    if (*rc::gen::inRange(0, 4) == 0) result.clear_accreditations();
  }
}

EligibilityProposal Propose(const DonationWorld& world, v1::Regime regime) {
  auto proposal = ProposeEligibility(world.view, DonationWorld::kDonation, regime, world.policy);
  RC_ASSERT(proposal.ok());
  return *std::move(proposal);
}

RC_GTEST_PROP(EligibilityProperty, OrderOfResultsDoesNotMatter, ()) {
  DonationWorld world("2025-03-10", v1::TISSUE_TYPE_WHARTONS_JELLY);
  Fill(&world);
  const auto regime = *rc::gen::element(v1::REGIME_US, v1::REGIME_EU);
  const EligibilityProposal before = Propose(world, regime);
  auto* const results = world.Tested().mutable_results();
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::shuffle(results->pointer_begin(), results->pointer_end(), random);
  const EligibilityProposal after = Propose(world, regime);
  RC_ASSERT(before.outcome == after.outcome);
  RC_ASSERT(before.missing == after.missing);
  RC_ASSERT(before.labels == after.labels);
  RC_ASSERT(before.evaluated_result_ids == after.evaluated_result_ids);
  RC_ASSERT(before.risk_assessment_would_do == after.risk_assessment_would_do);
}

// A marker that only asks for a label is left out: reactive is an answer to it, and an answer is
// better than none.
RC_GTEST_PROP(EligibilityProperty, ReactiveResultNeverImprovesTheOutcome, ()) {
  DonationWorld world("2025-03-10", v1::TISSUE_TYPE_WHARTONS_JELLY);
  Fill(&world);
  const auto regime = *rc::gen::element(v1::REGIME_US, v1::REGIME_EU);
  const EligibilityProposal before = Propose(world, regime);
  const v1::Marker marker = *rc::gen::suchThat(
      rc::gen::elementOf(std::vector<v1::Marker>(std::begin(kMarkers), std::end(kMarkers))),
      [](v1::Marker m) { return m != v1::MARKER_CMV_AB; });
  const auto outcome = *rc::gen::element(v1::TEST_OUTCOME_REACTIVE, v1::TEST_OUTCOME_DETECTED,
                                         v1::TEST_OUTCOME_CONFIRMED_POS);
  v1::ResultState& result = world.AddResult(
      marker, outcome, world.AddSpecimen(kDays[*rc::gen::inRange<std::size_t>(0, 5)]));
  result.set_attested(*rc::gen::arbitrary<bool>());
  RC_ASSERT(!IsBetter(Propose(world, regime).outcome, before.outcome));
}

}  // namespace
}  // namespace custody
