#include "tests/support/lot_player.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "lifecycle/catalogue.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

// The material of a lot arrives 20 days before its tissue is processed.
constexpr std::int64_t kMaterialDays = 20;

std::vector<v1::Role> RolesOf(Actor actor) {
  switch (actor) {
    case Actor::kOperatorA:  // Holds the role; the rules, not the roles, keep the maker from
                             // releasing.
      return {v1::ROLE_OPERATOR, v1::ROLE_RELEASE_AUTHORITY};
    case Actor::kOperatorB:
      return {v1::ROLE_OPERATOR};
    case Actor::kSupervisor:
      return {v1::ROLE_SUPERVISOR};
    case Actor::kAnalyst:
      return {v1::ROLE_QC_ANALYST};
    case Actor::kQcManager:
      return {v1::ROLE_QC_MANAGER};
    case Actor::kQuality:
      return {v1::ROLE_QUALITY_ASSURANCE};
    case Actor::kRelease:
      return {v1::ROLE_RELEASE_AUTHORITY};
    case Actor::kStorageA:
    case Actor::kStorageB:
      return {v1::ROLE_STORAGE_CUSTODIAN};
    case Actor::kRoomMonitor:
      break;
  }
  return {};
}

}  // namespace

LotPlayer::LotPlayer(TestLedger* ledger, const v1::Policy& policy) : ledger_(*ledger) {
  product_id_ = ledger_.AddProduct({v1::REGIME_US, v1::REGIME_EU});
  policy_hash_ = ledger_.ActivatePolicy(product_id_, policy);
  freezer_id_ = ledger_.AddDevice(v1::DEVICE_TYPE_FREEZER);
  tank_id_ = ledger_.AddDevice(v1::DEVICE_TYPE_STORAGE);
  const std::string donor_id = ledger_.NewId();
  donation_id_ = ledger_.NewId();
  ledger_.mutable_view().Donor(donor_id).set_donor_type(v1::DONOR_TYPE_ADULT);
  v1::DonationState& donation = ledger_.mutable_view().Donation(donation_id_);
  donation.set_donor_id(donor_id);
  donation.set_intent(v1::DONATION_INTENT_ALLOGENEIC);
  donation.set_product_id(product_id_);
  donation.set_starting_material(v1::RECEIPT_DECISION_ACCEPT);
  for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU}) {
    donation.add_regimes(regime);
    v1::EligibilityState* const eligibility = donation.add_eligibility();
    eligibility->set_regime(regime);
    eligibility->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
  }
  for (int actor = 0; actor <= static_cast<int>(Actor::kRoomMonitor); ++actor) {
    IdOf(static_cast<Actor>(actor));
  }
}

LotScenarioOptions LotPlayer::Options() {
  LotScenarioOptions options;
  options.donation_id = donation_id_;
  options.product_id = product_id_;
  options.site_id = ledger_.site_id();
  options.freezer_device_id = freezer_id_;
  options.tank_device_id = tank_id_;
  options.started_at_ms = ledger_.now_ms() + kMaterialDays * kDayMs;
  return options;
}

const std::string& LotPlayer::IdOf(Actor actor) {
  std::string& id = ids_[actor];
  if (!id.empty()) return id;
  id = actor == Actor::kRoomMonitor ? ledger_.AddDevice(v1::DEVICE_TYPE_LOGGER)
                                    : ledger_.AddPerson(RolesOf(actor));
  return id;
}

absl::StatusOr<RecordedEntry> LotPlayer::Play(const ScenarioStep& step) {
  ledger_.set_now_ms(std::max(ledger_.now_ms(), step.event.occurred_at().utc_ms()));
  v1::Event event = step.event;
  if (!FindCatalogueEntry(event)->is_observation()) event.set_policy_hash(policy_hash_);
  if (event.has_qc_result_reported()) {
    for (v1::QcResult& result : *event.mutable_qc_result_reported()->mutable_results()) {
      if (result.analyst_id() == ActorId(Actor::kAnalyst)) {
        result.set_analyst_id(IdOf(Actor::kAnalyst));
      }
    }
  }
  std::vector<SignAs> signers;
  for (const ScenarioSigner& signer : step.signers) {
    SignAs& as = signers.emplace_back();
    as.id = IdOf(signer.actor);
    as.role = signer.role;
    as.meaning = signer.meaning;
  }
  return ledger_.Record(std::move(event), signers);
}

}  // namespace custody
