#include "tests/fuzz/record_world.h"

#include "base/check.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/parsed_event.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"
#include "tests/support/lot_player.h"
#include "tests/support/scenario.h"

namespace custody {
namespace {

constexpr std::size_t kPlacesOfRole = 2;

}  // namespace

RecordWorld& RecordWorld::Get() {
  static auto* const world = new RecordWorld();  // Lives as long as the process.
  return *world;
}

RecordWorld::RecordWorld() {
  DoseWorld dose(DefaultPolicy(""));
  dose.PlayUntil(DoseStep::kTested);
  LotPlayer player(&dose.ledger(), DefaultPolicy(""));
  const LotScenario lot = MakeLotScenario(player.Options());
  for (const ScenarioStep& step : lot.All()) CUSTODY_CHECK(player.Play(step).ok());
  ledger_ = dose.ledger();
  site_ids_ = {ledger_.site_id(), dose.clinic_id};
  policy_hash_ = dose.policy_hash;
  for (const RecordedEntry& entry : ledger_.log()) {
    const absl::StatusOr<ParsedEvent> parsed = ReadRecordedEvent(entry.signed_event);
    CUSTODY_CHECK(parsed.ok());
    if (!parsed->catalogue->row.system()) {
      events_.push_back(parsed->event);
    }
  }
  EnrolActors();
}

void RecordWorld::EnrolActors() {
  for (int number = v1::Role_MIN; number <= v1::Role_MAX; ++number) {
    if (number == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(number)) continue;
    const auto role = static_cast<v1::Role>(number);
    for (const std::string& site : site_ids_) {
      for (std::size_t which = 0; which < kPlacesOfRole; ++which) {
        actors_[{role, site, which}] = ledger_.Actor(role, site, which);
      }
    }
  }
}

std::string RecordWorld::ActorOf(v1::Role role, const std::string& site_id,
                                 std::size_t which) const {
  // Governance has no site: its actors are those of the first one.
  const std::string& site = site_id.empty() ? site_ids_.front() : site_id;
  const auto found = actors_.find({role, site, which});
  return found == actors_.end() ? std::string() : found->second;
}

bool RecordWorld::CanSign(const std::string& id) const {
  return ledger_.Person(id) != nullptr || ledger_.Device(id) != nullptr;
}

}  // namespace custody
