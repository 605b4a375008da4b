// CLN-01: what is on record of a patient after several enrolments is the strictest of each fact.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {
namespace {

class EnrolmentTest : public testing::Test {
 protected:
  v1::Event Enrolment(v1::CmvStatus cmv, v1::Answer rest) const {
    v1::Event event = world_.MakeEnrolment();
    v1::PatientEnrolled* const body = event.mutable_patient_enrolled();
    body->set_cmv_igg(cmv);
    body->set_immunosuppressed(rest);
    body->set_dmso_allergy(rest);
    body->set_donor_specific_antibodies(rest);
    return event;
  }
  // Signed by somebody who is no physician.
  PlayedEvent PlayDoubtful(const v1::Event& event) {
    const std::string nurse = world_.ledger().AddPerson({v1::ROLE_NURSE}, world_.clinic_id);
    return world_.Play(event, {{nurse, v1::ROLE_TREATING_PHYSICIAN, v1::MEANING_AUTHORED}});
  }
  void ExpectFacts(v1::CmvStatus cmv, v1::Answer rest) {
    EXPECT_EQ(world_.Patient().cmv_igg(), cmv);
    EXPECT_EQ(world_.Patient().immunosuppressed(), rest);
    EXPECT_EQ(world_.Patient().dmso_allergy(), rest);
    EXPECT_EQ(world_.Patient().donor_specific_antibodies(), rest);
  }

  DoseWorld world_{DefaultPolicy("")};
};

TEST_F(EnrolmentTest, EachFactBecomesStricterOnly) {
  ASSERT_TRUE(world_.Play(Enrolment(v1::CMV_STATUS_POSITIVE, v1::ANSWER_NO)).recorded);
  ExpectFacts(v1::CMV_STATUS_POSITIVE, v1::ANSWER_NO);
  ASSERT_TRUE(world_.Play(Enrolment(v1::CMV_STATUS_UNSPECIFIED, v1::ANSWER_UNSPECIFIED)).recorded);
  ExpectFacts(v1::CMV_STATUS_POSITIVE, v1::ANSWER_NO);
  ASSERT_TRUE(world_.Play(Enrolment(v1::CMV_STATUS_UNKNOWN, v1::ANSWER_UNKNOWN)).recorded);
  ExpectFacts(v1::CMV_STATUS_UNKNOWN, v1::ANSWER_UNKNOWN);
  ASSERT_TRUE(world_.Play(Enrolment(v1::CMV_STATUS_NEGATIVE, v1::ANSWER_YES)).recorded);
  ExpectFacts(v1::CMV_STATUS_NEGATIVE, v1::ANSWER_YES);
  ASSERT_TRUE(world_.Play(Enrolment(v1::CMV_STATUS_POSITIVE, v1::ANSWER_NO)).recorded);
  ExpectFacts(v1::CMV_STATUS_NEGATIVE, v1::ANSWER_YES);
}

// What was stated meanwhile is not taken back by the attestation of what was stated first.
TEST_F(EnrolmentTest, AttestedLateTheFirstTakesBackItsOwnDoubtOnly) {
  const PlayedEvent held = PlayDoubtful(Enrolment(v1::CMV_STATUS_POSITIVE, v1::ANSWER_NO));
  ASSERT_TRUE(held.recorded);
  ExpectFacts(v1::CMV_STATUS_UNKNOWN, v1::ANSWER_UNKNOWN);
  v1::Event second = Enrolment(v1::CMV_STATUS_NEGATIVE, v1::ANSWER_UNSPECIFIED);
  second.mutable_patient_enrolled()->set_dmso_allergy(v1::ANSWER_YES);
  ASSERT_TRUE(world_.Play(second).recorded);
  ASSERT_TRUE(world_.ledger().Attest(*held.entry).ok());
  EXPECT_EQ(world_.Patient().cmv_igg(), v1::CMV_STATUS_NEGATIVE);
  EXPECT_EQ(world_.Patient().dmso_allergy(), v1::ANSWER_YES);
  EXPECT_EQ(world_.Patient().immunosuppressed(), v1::ANSWER_NO);
}

TEST_F(EnrolmentTest, ADoubtfulEnrolmentAddsWhatIsStricterToo) {
  world_.PlayUntil(DoseStep::kEnrolled);
  ASSERT_TRUE(PlayDoubtful(Enrolment(v1::CMV_STATUS_POSITIVE, v1::ANSWER_YES)).recorded);
  ExpectFacts(v1::CMV_STATUS_NEGATIVE, v1::ANSWER_YES);
}

}  // namespace
}  // namespace custody
