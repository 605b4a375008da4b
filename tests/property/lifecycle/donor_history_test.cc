// Whatever is recorded about a donor, from nothing: the states are the fold of the log, bad news
// always arrives at the donation, and nobody makes an outcome better than the evidence.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "lifecycle/donor_evidence.h"
#include "lifecycle/eligibility.h"
#include "tests/support/disturb.h"
#include "tests/support/donor_ledger.h"

namespace custody {
namespace {

// Every run begins where the persons are enrolled and no donor is known; that beginning is the fold
// of the log from nothing, and each run is the fold of its entries.
class DonorHistory : public DonorLedger {
 public:
  DonorHistory() {
    for (const v1::Role role :
         {v1::ROLE_DONOR_COORDINATOR, v1::ROLE_DONOR_PHYSICIAN, v1::ROLE_TESTING_LABORATORY,
          v1::ROLE_PROCUREMENT, v1::ROLE_QUALITY_ASSURANCE}) {
      for (const std::size_t which : {0U, 1U}) ledger().Actor(role, {}, which);
    }
    beginning_ = ledger().mutable_view();
    first_ = ledger().log().size();
    RC_ASSERT(NotFolded({}, 0).empty());
  }

  void Restart() {
    DonorLedger::Restart(beginning_);
    first_ = ledger().log().size();
  }

  std::vector<std::string> NotFolded() { return NotFolded(beginning_.states(), first_); }

  // An event about the donor, its mother or the donation.
  v1::Event AnyEvent() {
    v1::Event event;
    switch (*rc::gen::inRange(0, 9)) {
      case 0:
        event = MakeScreening();
        if (*rc::gen::arbitrary<bool>()) {
          event.mutable_screening_recorded()->add_findings()->set_code("RISK-TATTOO");
        }
        return event;
      case 1:
        return MakeSpecimen(*rc::gen::element(specimen_id, std::string(16, 'b')));
      case 2:
      case 3: {
        const auto marker = *rc::gen::element(v1::MARKER_HBSAG, v1::MARKER_CMV_AB,
                                              v1::MARKER_HCV_NAT, v1::MARKER_SYPH_SCREEN);
        return MakeReport(
            MakeResult(marker, static_cast<v1::TestOutcome>(*rc::gen::inRange(1, 14))));
      }
      case 4:
        return MakeConsent(mother_id, *rc::gen::element('c', 'd'));
      case 5:
        return MakeWithdrawal(mother_id);
      case 6: {
        event.mutable_reason()->set_code("LAB_ERROR");
        v1::TestResultCorrected* const body = event.mutable_test_result_corrected();
        body->set_donor_id(mother_id);
        const v1::DonorState* const mother = ledger().Donor(mother_id);
        if (mother != nullptr && !mother->results().empty()) {
          const v1::TestResult& old =
              mother->results(*rc::gen::inRange(0, mother->results_size())).result();
          body->set_result_id(old.result_id());
          body->set_old_outcome(old.outcome());
        }
        body->set_new_outcome(static_cast<v1::TestOutcome>(*rc::gen::inRange(1, 14)));
        return event;
      }
      case 7:
        event.mutable_post_donation_information()->set_donor_id(mother_id);
        return event;
      default:
        return MakeDetermination(static_cast<v1::EligibilityOutcome>(*rc::gen::inRange(1, 7)));
    }
  }

  std::vector<SignAs> AnySigners(const v1::Event& event) {
    std::vector<SignAs> signers;
    for (const v1::SignaturePlace& place : FindCatalogueEntry(event)->row.signatures()) {
      const v1::SignerRule& rule = place.any_of(0);
      signers.push_back(
          {ledger().Actor(rule.role(), {}, signers.size()), rule.role(), rule.meaning()});
    }
    if (signers.size() > 1 && *rc::gen::inRange(0, 4) == 0) signers.pop_back();
    return signers;
  }

 private:
  // The subjects whose state is not what the entries make of it.
  std::vector<std::string> NotFolded(const std::map<SubjectKey, v1::SubjectState>& start,
                                     std::size_t first) {
    const auto replayed = ledger().ReplayFrom(start, first);
    std::vector<std::string> different;
    for (const auto& [key, state] : ledger().mutable_view().states()) {
      const auto found = replayed.find(key);
      const bool same =
          found != replayed.end() && found->second.SerializeAsString() == state.SerializeAsString();
      if (!same) different.push_back(Describe(key));
    }
    return different;
  }

  MapStateView beginning_;
  std::size_t first_ = 0;
};

// Good for use: determined, not reopened, not held.
bool IsGood(DonorHistory& world, int regime) {
  const v1::SubjectState* const state =
      world.ledger().State(v1::SUBJECT_KIND_DONATION, world.donation_id);
  if (state == nullptr || !state->holds().empty()) return false;
  for (const v1::EligibilityState& determined : state->donation().eligibility()) {
    if (determined.regime() != regime || determined.reopened()) continue;
    return determined.outcome() == v1::ELIGIBILITY_OUTCOME_ELIGIBLE ||
           determined.outcome() == v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK;
  }
  return false;
}

RC_GTEST_PROP(DonorHistory, IsFoldedFromNothingAndNeverBetterThanItsEvidence, ()) {
  static DonorHistory* const history = new DonorHistory;
  DonorHistory& world = *history;
  world.Restart();
  world.PlayUntil(static_cast<DonorStep>(*rc::gen::inRange(0, 10)));
  const int steps = *rc::gen::inRange(1, 12);
  for (int i = 0; i < steps; ++i) {
    world.ledger().Advance(60'000);
    v1::Event event = world.AnyEvent();
    if (*rc::gen::inRange(0, 4) == 0) DisturbBody(world.now_ms(), &event);
    const bool observation = FindCatalogueEntry(event)->is_observation();
    const bool good[] = {IsGood(world, v1::REGIME_US), IsGood(world, v1::REGIME_EU)};
    const PlayedEvent played = world.Play(event, world.AnySigners(event));
    RC_ASSERT(played.recorded || !observation ||
              played.status.code() == absl::StatusCode::kInvalidArgument);
    for (const int regime : {v1::REGIME_US, v1::REGIME_EU}) {
      if (!IsGood(world, regime)) continue;
      // Only a determination on record makes good, and only as far as the evidence goes; one that
      // was refused may have said anything.
      const bool determined = played.recorded && event.has_eligibility_determined();
      RC_ASSERT(good[regime == v1::REGIME_US ? 0 : 1] || determined);
      const v1::TestResultReported& report = event.test_result_reported();
      const bool reactive = std::any_of(
          report.results().begin(), report.results().end(), [](const v1::TestResult& result) {
            return result.marker() != v1::MARKER_CMV_AB &&
                   ClassOf(result.marker(), result.outcome()) == ResultClass::kReactive;
          });
      RC_ASSERT(!reactive || report.donor_id() != world.mother_id);
      if (!determined) continue;
      const auto proposal =
          ProposeEligibility(world.ledger().view(), world.donation_id,
                             static_cast<v1::Regime>(regime), DefaultPolicy(world.product_id));
      RC_ASSERT(proposal.ok());
      RC_ASSERT(!IsBetter(event.eligibility_determined().outcome(), proposal->outcome));
    }
  }
  RC_ASSERT(world.NotFolded() == std::vector<std::string>());
}

}  // namespace
}  // namespace custody
