// Plays the steps of a scenario into a ledger in memory: enrols its persons and devices, makes its
// donation usable, and records each step at the time at which it happened.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_LOT_PLAYER_H_
#define CUSTODY_TESTS_SUPPORT_LOT_PLAYER_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "tests/support/scenario.h"
#include "tests/support/test_ledger.h"

namespace custody {

class LotPlayer {
 public:
  // Registers a product with the policy, and a freezer and a tank. The donation is written into the
  // states by hand: accepted, eligible for US and EU.
  LotPlayer(TestLedger* ledger, const v1::Policy& policy);

  // What a lot of this player has in common; the first step happens now or later.
  LotScenarioOptions Options();

  // Sets the clock to the time of the step, translates its actors, signs and records it. The error
  // is the refusal.
  absl::StatusOr<RecordedEntry> Play(const ScenarioStep& step);

  const std::string& policy_hash() const { return policy_hash_; }
  // The person or device of the ledger that plays an actor, enrolled on first use.
  const std::string& IdOf(Actor actor);

 private:
  TestLedger& ledger_;
  std::string product_id_;
  std::string policy_hash_;
  std::string freezer_id_;
  std::string tank_id_;
  std::string donation_id_;
  std::map<Actor, std::string> ids_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_LOT_PLAYER_H_
