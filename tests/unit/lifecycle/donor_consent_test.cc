// Consents and their withdrawal (DNR-02, DNR-03): what grants, for whom, and from when on no more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/donor_ledger.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConsentRulesTest : public testing::Test {
 protected:
  DonorLedger world_;
};

TEST_F(ConsentRulesTest, AConsentNamesFormScopesAndDocument) {
  world_.PlayUntil(DonorStep::kMother);
  char consent = 'c';
  for (void (*const spoil)(v1::ConsentGranted&) :
       {+[](v1::ConsentGranted& body) { body.clear_scopes(); },
        +[](v1::ConsentGranted& body) { body.clear_form_id(); },
        +[](v1::ConsentGranted& body) { body.clear_consent_id(); },
        +[](v1::ConsentGranted& body) { body.clear_document(); }}) {
    v1::Event event = world_.MakeConsent(world_.mother_id, consent++);
    spoil(*event.mutable_consent_granted());
    EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_MISSING"));
  }
}

TEST_F(ConsentRulesTest, AConsentIsSignedBeforeItIsGranted) {
  world_.PlayUntil(DonorStep::kMother);
  v1::Event event = world_.MakeConsent(world_.mother_id);
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  event = world_.MakeConsent(world_.mother_id, 'd');
  event.mutable_consent_granted()->set_signed_at_ms(world_.now_ms() + 1);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("INCONSISTENT"));
  event = world_.MakeConsent(world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_UNKNOWN_SUBJECT"));
}

TEST_F(ConsentRulesTest, AWithdrawalHoldsTheDonations) {
  world_.PlayUntil(DonorStep::kDetermined);
  const PlayedEvent played = world_.Play(world_.MakeWithdrawal(world_.mother_id));
  EXPECT_THAT(played.codes, IsEmpty());
  ASSERT_EQ(world_.DonationSubject().holds_size(), 1);
  EXPECT_EQ(world_.DonationSubject().holds(0).hold_reason_code(), "E_CONSENT");
  ASSERT_EQ(world_.Mother().withdrawals_size(), 1);
  EXPECT_EQ(world_.Mother().withdrawals(0).withdrawn_at_ms(), world_.now_ms());
}

TEST_F(ConsentRulesTest, AWithdrawalWithoutAuthorityHoldsToo) {
  world_.PlayUntil(DonorStep::kDetermined);
  ASSERT_TRUE(world_
                  .Play(world_.MakeWithdrawal(world_.mother_id),
                        {{world_.ledger().AddPerson({v1::ROLE_AUDITOR}), v1::ROLE_DONOR_COORDINATOR,
                          v1::MEANING_RECEIVED}})
                  .recorded);
  EXPECT_EQ(world_.DonationSubject().holds_size(), 1);
  EXPECT_EQ(world_.Mother().withdrawals_size(), 1);
}

TEST_F(ConsentRulesTest, AWithdrawalOfResearchOnlyHoldsNothing) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event = world_.MakeWithdrawal(world_.mother_id);
  event.mutable_consent_withdrawn()->add_scopes(v1::CONSENT_SCOPE_RESEARCH);
  EXPECT_THAT(world_.Play(event).codes, IsEmpty());
  EXPECT_EQ(world_.DonationSubject().holds_size(), 0);
}

TEST_F(ConsentRulesTest, AWithdrawalOfAnUnknownConsentIsFound) {
  world_.PlayUntil(DonorStep::kConsented);
  v1::Event event = world_.MakeWithdrawal(world_.mother_id);
  event.mutable_consent_withdrawn()->set_consent_id(std::string(16, 'x'));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_CONSENT"));
  // The consent that is there stands.
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, IsEmpty());
}

TEST_F(ConsentRulesTest, AWithdrawalCountsBeforeItsConsentIsRecorded) {
  world_.PlayUntil(DonorStep::kNewborn);
  v1::Event withdrawal = world_.MakeWithdrawal(world_.mother_id);
  withdrawal.mutable_consent_withdrawn()->set_consent_id(std::string(16, 'c'));
  EXPECT_THAT(world_.Play(withdrawal).codes, ElementsAre("E_CONSENT"));
  ASSERT_TRUE(world_.Play(world_.MakeConsent(world_.mother_id)).recorded);
  world_.ledger().Advance(60'000);
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, ElementsAre("E_CONSENT"));
}

TEST_F(ConsentRulesTest, AWithdrawalCountsOnTheChainOfARelative) {
  world_.PlayUntil(DonorStep::kConsented);
  v1::Event withdrawal = world_.MakeWithdrawal(world_.newborn_id);
  withdrawal.mutable_consent_withdrawn()->set_consent_id(std::string(16, 'c'));
  EXPECT_THAT(world_.Play(withdrawal).codes, IsEmpty());
  EXPECT_THAT(world_.Play(world_.MakeAssignment(world_.donation_id)).codes,
              ElementsAre("E_CONSENT"));
}

TEST_F(ConsentRulesTest, AWithdrawalNamesTheMothersConsentOnTheChainOfTheChild) {
  world_.PlayUntil(DonorStep::kDetermined);
  world_.Newborn().clear_donation_ids();
  world_.Mother().add_donation_ids(world_.donation_id);
  v1::Event withdrawal = world_.MakeWithdrawal(world_.newborn_id);
  ASSERT_TRUE(world_.Play(withdrawal).recorded);
  EXPECT_EQ(world_.DonationSubject().holds_size(), 0);
  withdrawal.mutable_consent_withdrawn()->set_consent_id(std::string(16, 'c'));
  ASSERT_TRUE(world_.Play(withdrawal).recorded);
  EXPECT_EQ(world_.DonationSubject().holds_size(), 1);
}

// A withdrawal of one scope does not move the time of an earlier one of another scope.
TEST_F(ConsentRulesTest, WithdrawalsKeepTheirTimesByScope) {
  world_.PlayUntil(DonorStep::kConsented);
  v1::Event storage = world_.MakeWithdrawal(world_.mother_id);
  storage.mutable_consent_withdrawn()->add_scopes(v1::CONSENT_SCOPE_STORAGE);
  storage.mutable_consent_withdrawn()->set_received_at_ms(world_.now_ms() + 60'000);
  v1::Event research = world_.MakeWithdrawal(world_.mother_id);
  research.mutable_consent_withdrawn()->add_scopes(v1::CONSENT_SCOPE_RESEARCH);
  ASSERT_TRUE(world_.Play(storage).recorded);
  ASSERT_TRUE(world_.Play(research).recorded);
  EXPECT_THAT(world_.Play(world_.MakeAssignment(world_.donation_id)).codes, IsEmpty());
  world_.ledger().Advance(60'000);
  EXPECT_THAT(world_.Play(world_.MakeProcurement()).codes, ElementsAre("E_CONSENT"));
}

TEST_F(ConsentRulesTest, AConsentSignedAfterTheWithdrawalGrantsAgain) {
  world_.PlayUntil(DonorStep::kConsented);
  ASSERT_TRUE(world_.Play(world_.MakeWithdrawal(world_.mother_id)).recorded);
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, ElementsAre("E_CONSENT"));
  world_.ledger().Advance(60'000);
  // The old form again is no new consent.
  EXPECT_THAT(world_.Play(world_.MakeConsent(world_.mother_id)).codes,
              ElementsAre("E_SUBJECT_EXISTS"));
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, ElementsAre("E_CONSENT"));
  EXPECT_THAT(world_.Play(world_.MakeConsent(world_.newborn_id, 'd')).codes, IsEmpty());
  EXPECT_THAT(world_.Play(world_.MakeScreening()).codes, IsEmpty());
}

}  // namespace
}  // namespace custody
