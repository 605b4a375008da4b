// Effective quality of a container: the worst of everything it comes from, derived at the moment of
// the question by walking its ancestors, never copied.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_EFFECTIVE_QUALITY_H_
#define CUSTODY_LIFECYCLE_EFFECTIVE_QUALITY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "custody/v1/state.pb.h"
#include "lifecycle/rule_context.h"
#include "lifecycle/state_view.h"

namespace custody {

// Something that makes the quality worse than released.
struct Blocker {
  v1::ReasonCode code;
  v1::Quality quality;
  SubjectKey subject;
  std::string detail;
  std::vector<std::uint64_t> evidence;
};

struct EffectiveQuality {
  v1::Quality quality = v1::QUALITY_QUARANTINE;
  // All of them, worst first.
  std::vector<Blocker> blockers;
  // Findings that warn but do not block (cases below critical).
  std::vector<Blocker> warnings;
  // Every subject that was read.
  std::vector<SubjectKey> read;
};

// Walks container -> lot -> batches -> donations -> donors (and birth mothers), consumed materials,
// shipments, storage devices.
//
//   regime   of the administering (or receiving) site: decides which eligibility counts
//   at_ms    moment of the question
//
// Errors: those of the view.
absl::StatusOr<EffectiveQuality> ComputeEffectiveQuality(const StateView& view,
                                                         std::string_view container_id,
                                                         v1::Regime regime, std::int64_t at_ms);

// min(label expiry, lot expiry, post-thaw, post-preparation, use-by of an assessed excursion); 0 if
// nothing states one. Post-thaw minutes come from the policy.
// Errors: those of the view.
absl::StatusOr<std::int64_t> ComputeEffectiveExpiryMs(const StateView& view,
                                                      std::string_view container_id,
                                                      const v1::Policy& policy);

// The post-thaw term of it alone; 0 if the container was not thawed.
// Errors: those of the view.
absl::StatusOr<std::int64_t> ComputePostThawExpiryMs(const StateView& view,
                                                     std::string_view container_id,
                                                     const v1::Policy& policy);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_EFFECTIVE_QUALITY_H_
