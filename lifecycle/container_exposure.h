// What a container felt on its way: which excursions of a shipment concern it, and how long it was
// too warm in its life.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_CONTAINER_EXPOSURE_H_
#define CUSTODY_LIFECYCLE_CONTAINER_EXPOSURE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/state_view.h"

namespace custody {

// The time in the shipper: from the packing to the first undoubted stay after it, without an end if
// there is none. Before the hand-over and after the delivery it is the shipper that keeps the cold,
// too.
v1::StayState StayInShipper(const v1::ContainerState& container, const v1::ShipmentState& shipment);

// Time above the action limit in the life of the container: excursions of its stays and shipments,
// assessed or not, and the times out of the cold that its transfers state.
// Errors: those of the view.
absl::StatusOr<std::int64_t> ComputeExposureMs(const StateView& view,
                                               const v1::ContainerState& container);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CONTAINER_EXPOSURE_H_
