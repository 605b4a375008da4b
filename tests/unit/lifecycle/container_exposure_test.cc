// Which excursions of a shipment concern a container, and how long it was too warm in its life.

#include "lifecycle/container_exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/effective_quality.h"
#include "tests/support/bedside_states.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

constexpr std::int64_t kHour = BedsideStates::kHourMs;
constexpr std::int64_t kNow = BedsideStates::kNowMs;

// Packed 100 hours ago, handed over after 10, delivered after 30, in the tank after 40.
class ExposureTest : public testing::Test {
 protected:
  ExposureTest() {
    Shipment().set_packed_at_ms(At(0));
    Shipment().set_relinquished_at_ms(At(10));
    Shipment().set_delivered_at_ms(At(30));
    world_.container().add_shipment_ids(kShipmentId);
    world_.container().clear_stays();
    v1::StayState* const stay = world_.container().add_stays();
    stay->set_device_id(world_.tank_id);
    stay->set_from_ms(At(40));
  }
  static std::int64_t At(int hour) { return kNow + (hour - 100) * kHour; }
  v1::ShipmentState& Shipment() {
    return *world_.At(v1::SUBJECT_KIND_SHIPMENT, kShipmentId).mutable_shipment();
  }
  // The only one; an hour long.
  v1::ExcursionState& ExcursionAt(int hour) {
    Shipment().clear_excursions();
    v1::ExcursionState* const excursion = Shipment().add_excursions();
    excursion->set_excursion_id(std::string(16, 'e'));
    excursion->set_excursion_class(v1::EXCURSION_CLASS_CRITICAL);
    excursion->set_started_at_ms(At(hour));
    excursion->set_ended_at_ms(At(hour + 1));
    excursion->set_above_action_ms(kHour);
    return *excursion;
  }
  v1::Quality Quality() {
    const absl::StatusOr<EffectiveQuality> quality =
        ComputeEffectiveQuality(world_, world_.container_id, v1::REGIME_EU, kNow);
    EXPECT_THAT(quality, IsOk());
    return quality->quality;
  }
  std::int64_t Exposure() {
    const absl::StatusOr<std::int64_t> exposure = ComputeExposureMs(world_, world_.container());
    EXPECT_THAT(exposure, IsOk());
    return *exposure;
  }

  const std::string kShipmentId = std::string(16, 'h');
  BedsideStates world_;
};

// The shipper keeps the cold from the packing on, and until the container is in a tank again.
TEST_F(ExposureTest, FromThePackingToTheNextStay) {
  for (const int hour : {0, 5, 20, 35, 39}) {
    ExcursionAt(hour);
    EXPECT_EQ(Quality(), v1::QUALITY_SUSPENDED) << hour;
    EXPECT_EQ(Exposure(), kHour) << hour;
  }
  for (const int hour : {-2, 41}) {
    ExcursionAt(hour);
    EXPECT_EQ(Quality(), v1::QUALITY_RELEASED) << hour;
    EXPECT_EQ(Exposure(), 0) << hour;
  }
}

TEST_F(ExposureTest, WithoutALaterStayTheShipperIsWhereItIs) {
  world_.container().clear_stays();
  ExcursionAt(90);
  EXPECT_EQ(Quality(), v1::QUALITY_SUSPENDED);
}

// Who may not say that the container is in the tank does not take it out of the shipper.
TEST_F(ExposureTest, ADoubtfulStayEndsNothing) {
  ExcursionAt(50);
  EXPECT_EQ(Quality(), v1::QUALITY_RELEASED);
  world_.container().mutable_stays(0)->set_doubtful(true);
  EXPECT_EQ(Quality(), v1::QUALITY_SUSPENDED);
}

TEST_F(ExposureTest, WithoutAPackingEveryExcursionConcernsTheContainer) {
  Shipment().clear_packed_at_ms();
  ExcursionAt(60);
  EXPECT_EQ(Quality(), v1::QUALITY_SUSPENDED);
}

TEST_F(ExposureTest, AssessedTimesAndTransfersCountInALife) {
  ExcursionAt(20).set_assessed(true);
  world_.container().set_exposure_ms(7);
  EXPECT_EQ(Exposure(), kHour + 7);
}

}  // namespace
}  // namespace custody
