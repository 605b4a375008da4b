#include "lifecycle/container_exposure.h"

#include <set>
#include <string>

#include "base/status_macros.h"
#include "lifecycle/excursions.h"

namespace custody {
namespace {

// Sums excursions, each once.
class Exposure {
 public:
  explicit Exposure(std::int64_t stated_ms) : total_ms_(stated_ms) {}

  void AddStay(const v1::StayState& stay, const v1::DeviceState& device) {
    for (const v1::ExcursionState& excursion : device.excursions()) {
      if (excursion.shipment_id().empty() && Intersects(stay, excursion)) Add(excursion);
    }
  }
  void AddShipment(const v1::StayState& in_shipper, const v1::ShipmentState& shipment) {
    for (const v1::ExcursionState& excursion : shipment.excursions()) {
      if (Intersects(in_shipper, excursion)) Add(excursion);
    }
  }
  std::int64_t total_ms() const { return total_ms_; }

 private:
  void Add(const v1::ExcursionState& excursion) {
    if (counted_.insert(excursion.excursion_id()).second) total_ms_ += excursion.above_action_ms();
  }

  std::int64_t total_ms_;
  // Two stays in one device meet the same excursion.
  std::set<std::string> counted_;
};

}  // namespace

v1::StayState StayInShipper(const v1::ContainerState& container,
                            const v1::ShipmentState& shipment) {
  v1::StayState in_shipper;
  in_shipper.set_from_ms(shipment.packed_at_ms());
  for (const v1::StayState& stay : container.stays()) {
    const bool later =
        !stay.doubtful() && shipment.packed_at_ms() > 0 && stay.from_ms() > shipment.packed_at_ms();
    if (later && (in_shipper.to_ms() == 0 || stay.from_ms() < in_shipper.to_ms())) {
      in_shipper.set_to_ms(stay.from_ms());
    }
  }
  return in_shipper;
}

absl::StatusOr<std::int64_t> ComputeExposureMs(const StateView& view,
                                               const v1::ContainerState& container) {
  Exposure exposure(container.exposure_ms());
  for (const v1::StayState& stay : container.stays()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* device,
                             view.Find({v1::SUBJECT_KIND_DEVICE, stay.device_id()}));
    if (device != nullptr) exposure.AddStay(stay, device->device());
  }
  for (const std::string& id : container.shipment_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* shipment,
                             view.Find({v1::SUBJECT_KIND_SHIPMENT, id}));
    if (shipment == nullptr) continue;
    exposure.AddShipment(StayInShipper(container, shipment->shipment()), shipment->shipment());
  }
  return exposure.total_ms();
}

}  // namespace custody
