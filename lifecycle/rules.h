// The table of rules: one guard and one fold for each event type, listed area by area.
//
// Threads: immutable.

#ifndef CUSTODY_LIFECYCLE_RULES_H_
#define CUSTODY_LIFECYCLE_RULES_H_

#include <span>

#include "custody/v1/event.pb.h"
#include "lifecycle/fold.h"
#include "lifecycle/rule_context.h"

namespace custody {

// Checks an event against the states before it.
using Guard = void (*)(RuleContext& context);
// Changes the kind-specific state (and holds or cases) of one touched subject. Called once for each
// subject of the event, with its kind and role in the input.
using Fold = void (*)(const FoldInput& input, v1::SubjectState* state);

struct Rule {
  v1::Event::BodyCase body_case;
  Guard guard;
  Fold fold;
};

// By area; each stands in its own file lifecycle/<area>_rules.cc.
std::span<const Rule> GovernanceRules();     // GOV, PRD, TRN
std::span<const Rule> RecordRules();         // REC
std::span<const Rule> VigilanceRules();      // VIG, CAS
std::span<const Rule> DonorRules();          // DNR
std::span<const Rule> ProcurementRules();    // PRC
std::span<const Rule> ManufacturingRules();  // MAT, MFG
std::span<const Rule> QualityRules();        // QC, REL
std::span<const Rule> StorageRules();        // CRY
std::span<const Rule> ShipmentRules();       // SHP
std::span<const Rule> ClinicalRules();       // CLN

// nullptr for an event whose rules do not exist in this version.
const Rule* FindRule(v1::Event::BodyCase body_case);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_RULES_H_
