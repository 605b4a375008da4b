// Receipt and release of a material (MAT-01, MAT-02): each rule kept, and broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/dose_world.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MaterialTest : public testing::Test {
 protected:
  TestLedger ledger_;
  const std::string id_ = ledger_.NewId();

  v1::Event Receive() const {
    v1::Event event;
    v1::MaterialReceived* const body = event.mutable_material_received();
    body->set_material_id(id_);
    body->set_lot_number("LOT-1");
    body->set_supplier("supplier");
    body->set_received_at_ms(ledger_.now_ms());
    body->set_expires_at_ms(ledger_.now_ms() + 10);
    body->set_animal_origin(v1::ANSWER_NO);
    return event;
  }
  v1::Event Release() const {
    v1::Event event;
    event.mutable_material_released()->set_material_id(id_);
    return event;
  }
  PlayedEvent Play(const v1::Event& event) { return PlayInto(ledger_, event); }
  PlayedEvent PlayWithoutRole(const v1::Event& event) {
    const std::string auditor = ledger_.AddPerson({v1::ROLE_AUDITOR});
    return PlayInto(ledger_, event, {{auditor, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}});
  }
  v1::MaterialState& Material() { return ledger_.mutable_view().Material(id_); }
};

TEST_F(MaterialTest, IsReceivedThenReleased) {
  EXPECT_THAT(Play(Receive()).codes, IsEmpty());
  EXPECT_FALSE(Material().released());
  EXPECT_EQ(Material().animal_origin(), v1::ANSWER_NO);
  EXPECT_THAT(Play(Release()).codes, IsEmpty());
  EXPECT_TRUE(Material().released());
}

TEST_F(MaterialTest, ReceiptIsFoundWrong) {
  v1::Event event = Receive();
  event.mutable_material_received()->clear_supplier();
  EXPECT_THAT(Play(event).codes, ElementsAre("E_FIELD"));
  EXPECT_THAT(Play(Receive()).codes, ElementsAre("E_SUBJECT_EXISTS"));
  event = Receive();
  event.mutable_material_received()->set_material_id(ledger_.NewId());
  event.mutable_material_received()->clear_expires_at_ms();
  EXPECT_THAT(Play(event).codes, ElementsAre("E_FIELD"));
  event = Receive();
  event.mutable_material_received()->set_material_id(ledger_.NewId());
  event.mutable_material_received()->set_expires_at_ms(ledger_.now_ms());
  EXPECT_THAT(Play(event).codes, ElementsAre("E_MATERIAL"));
}

TEST_F(MaterialTest, ASecondReceiptOnlyMakesThingsStricter) {
  ASSERT_THAT(Play(Receive()).codes, IsEmpty());
  v1::Event event = Receive();
  event.mutable_material_received()->set_expires_at_ms(ledger_.now_ms() + 20);
  event.mutable_material_received()->set_animal_origin(v1::ANSWER_YES);
  event.mutable_material_received()->add_animal_proteins("PORCINE");
  ASSERT_TRUE(Play(event).recorded);
  EXPECT_EQ(Material().expires_at_ms(), ledger_.now_ms() + 10);
  EXPECT_EQ(Material().animal_origin(), v1::ANSWER_YES);
  EXPECT_THAT(Material().animal_proteins(), ElementsAre("PORCINE"));
  ASSERT_TRUE(Play(Receive()).recorded);
  EXPECT_EQ(Material().animal_origin(), v1::ANSWER_YES);
}

// That nothing of an animal is in it unlocks the dose for an allergic patient, so it waits.
TEST_F(MaterialTest, WithoutAuthorityItsOriginIsUnknown) {
  const PlayedEvent held = PlayWithoutRole(Receive());
  ASSERT_TRUE(held.recorded);
  EXPECT_EQ(Material().animal_origin(), v1::ANSWER_UNKNOWN);
  ASSERT_TRUE(ledger_.Attest(*held.entry).ok());
  EXPECT_EQ(Material().animal_origin(), v1::ANSWER_NO);
}

TEST_F(MaterialTest, ReleaseIsRefused) {
  EXPECT_THAT(Play(Release()).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
  ASSERT_THAT(Play(Receive()).codes, IsEmpty());
  v1::SubjectState& state = ledger_.mutable_view().State(v1::SUBJECT_KIND_MATERIAL, id_);
  state.add_holds();
  EXPECT_THAT(Play(Release()).codes, ElementsAre("E_HOLD"));
  state.clear_holds();
  ledger_.Advance(10);
  EXPECT_THAT(Play(Release()).codes, ElementsAre("E_MATERIAL"));
  EXPECT_FALSE(Material().released());
}

TEST_F(MaterialTest, TheLastMomentOfAMaterial) {
  ASSERT_THAT(Play(Receive()).codes, IsEmpty());
  ledger_.Advance(9);
  EXPECT_THAT(Play(Release()).codes, IsEmpty());
}

TEST_F(MaterialTest, OnlyQualityAssuranceReleases) {
  ASSERT_THAT(Play(Receive()).codes, IsEmpty());
  const std::string operator_id = ledger_.AddPerson({v1::ROLE_OPERATOR});
  const PlayedEvent played = PlayInto(
      ledger_, Release(), {{operator_id, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, testing::Contains("E_AUTHORITY"));
  EXPECT_FALSE(Material().released());
}

}  // namespace
}  // namespace custody
