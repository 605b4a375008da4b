#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/excursions.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

// The earliest of the instants that are stated; 0 states nothing.
class Earliest {
 public:
  void Add(std::int64_t instant_ms) {
    if (instant_ms <= 0) return;
    if (value_ == 0 || instant_ms < value_) value_ = instant_ms;
  }
  std::int64_t value() const { return value_; }

 private:
  std::int64_t value_ = 0;
};

// The shorter of what the policy asked for says and what was in force when thawing ended: a later
// policy may shorten the time after thaw, never lengthen it.
absl::StatusOr<std::int64_t> PostThawExpiryMs(const StateView& view, std::int64_t thawed_at_ms,
                                              const v1::Policy& policy) {
  std::int64_t shortest = policy.clinical().post_thaw_expiry_ms();
  for (const int regime : policy.regimes()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> then,
                             FindPolicyInForce(view, policy.product_id(),
                                               static_cast<v1::Regime>(regime), thawed_at_ms));
    if (!then.has_value()) continue;
    shortest = std::min(shortest, then->policy->clinical().post_thaw_expiry_ms());
  }
  return thawed_at_ms + shortest;
}

absl::Status AddUseBy(const StateView& view, const v1::ContainerState& container,
                      Earliest* earliest) {
  for (const v1::StayState& stay : container.stays()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* device,
                             view.Find({v1::SUBJECT_KIND_DEVICE, stay.device_id()}));
    if (device == nullptr) continue;
    for (const v1::ExcursionState& excursion : device->device().excursions()) {
      if (!excursion.shipment_id().empty() || !Intersects(stay, excursion)) continue;
      earliest->Add(excursion.use_by_ms());
    }
  }
  for (const std::string& id : container.shipment_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* shipment,
                             view.Find({v1::SUBJECT_KIND_SHIPMENT, id}));
    if (shipment == nullptr) continue;
    for (const v1::ExcursionState& excursion : shipment->shipment().excursions()) {
      earliest->Add(excursion.use_by_ms());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::int64_t> ComputePostThawExpiryMs(const StateView& view,
                                                     std::string_view container_id,
                                                     const v1::Policy& policy) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           view.Find({v1::SUBJECT_KIND_CONTAINER, std::string(container_id)}));
  if (state == nullptr || state->container().thawed_recorded_at_ms() == 0) return 0;
  return PostThawExpiryMs(view, state->container().thawed_recorded_at_ms(), policy);
}

absl::StatusOr<std::int64_t> ComputeEffectiveExpiryMs(const StateView& view,
                                                      std::string_view container_id,
                                                      const v1::Policy& policy) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           view.Find({v1::SUBJECT_KIND_CONTAINER, std::string(container_id)}));
  if (state == nullptr) return 0;
  const v1::ContainerState& container = state->container();
  Earliest earliest;
  earliest.Add(container.label_expires_at_ms());
  earliest.Add(container.post_preparation_expires_at_ms());
  if (!container.batch_id().empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* lot,
                             view.Find({v1::SUBJECT_KIND_BATCH, container.batch_id()}));
    if (lot != nullptr) earliest.Add(lot->batch().expires_at_ms());
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::int64_t post_thaw,
                           ComputePostThawExpiryMs(view, container_id, policy));
  earliest.Add(post_thaw);
  CUSTODY_RETURN_IF_ERROR(AddUseBy(view, container, &earliest));
  return earliest.value();
}

}  // namespace custody
