// A whole lot as events, from the tissue to the released and frozen vials: steps in the order in
// which they are recorded, with who signs them. Any ledger of a test plays them.
//
// The figures are those of a plausible product: a cord donated by caesarean, 9.2 million cells
// isolated from 41 g, four passages to 165 million and 12.0 population doublings, vials of 3.8 mL
// with 25,384,000 cells in 10.0 % dimethyl sulfoxide, ISBT 128 labels read in Bangkok.
//
// Threads: pure.

#ifndef CUSTODY_TESTS_SUPPORT_SCENARIO_H_
#define CUSTODY_TESTS_SUPPORT_SCENARIO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "custody/v1/event.pb.h"

namespace custody {

// Persons of the manufacturer, by the part they play; each is another natural person.
enum class Actor {
  kOperatorA,
  kOperatorB,
  kSupervisor,
  kAnalyst,
  kQcManager,
  kQuality,
  kRelease,
  kStorageA,
  kStorageB,
  // A device: monitors the room.
  kRoomMonitor,
};

// The id of an actor in every scenario, 16 bytes.
std::string ActorId(Actor actor);

struct ScenarioSigner {
  Actor actor;
  v1::Role role;
  v1::Meaning meaning;
};

// One event to record. Set: occurred_at, site_id, body, scans, reason. The player adds ledger,
// event_id, subjects and, for a decision, policy_hash.
struct ScenarioStep {
  v1::Event event;
  std::vector<ScenarioSigner> signers;
};

struct LotScenarioOptions {
  // The donation must be known, its starting material accepted, and eligible for all regimes.
  std::string donation_id;
  std::string product_id;
  std::string site_id;
  std::string freezer_device_id;
  std::string tank_device_id;
  std::vector<v1::Regime> regimes = {v1::REGIME_US, v1::REGIME_EU};
  std::vector<v1::Route> routes = {v1::ROUTE_INTRAVENOUS};
  std::vector<std::string> restrictions;
  // 1 to 26; one ISBT division each.
  int containers = 6;
  // Donation number on the labels, 13 characters.
  std::string din = "A999926000101";
  // Start of the isolation; the lot is frozen 18 days later and released 40 days later.
  std::int64_t started_at_ms = 1'790'000'000'000;
  // Differs between scenarios played into one ledger, so that their ids do.
  char variant = '1';
};

struct LotScenario {
  std::string isolation_id;
  std::string lot_id;
  std::vector<std::string> container_ids;
  // Canonical keys, in the order of the containers.
  std::vector<std::string> container_keys;
  // The raw scan of each label.
  std::vector<std::string> scans;
  std::vector<std::string> material_ids;
  std::string sample_id;
  std::vector<std::string> result_ids;
  std::int64_t expires_at_ms = 0;

  // MAT-01 to MFG-15.
  std::vector<ScenarioStep> manufacture;
  // CRY-01 and CRY-02.
  std::vector<ScenarioStep> storage;
  // QC-01 and QC-02: every row of the default policy that a laboratory measures.
  std::vector<ScenarioStep> testing;
  // REL-01, REL-02, REL-03.
  std::vector<ScenarioStep> release;

  // All of them, in order.
  std::vector<ScenarioStep> All() const;
};

LotScenario MakeLotScenario(const LotScenarioOptions& options);

// A result of the laboratory as one would be reported: by the analyst, on the sample of the lot.
v1::QcResult MeasuredResult(const std::string& result_id, const std::string& sample_id,
                            const std::string& test_id, std::int64_t coefficient,
                            std::uint32_t decimals, const std::string& unit);
v1::QcResult WordResult(const std::string& result_id, const std::string& sample_id,
                        const std::string& test_id, v1::QualitativeResult word);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_SCENARIO_H_
