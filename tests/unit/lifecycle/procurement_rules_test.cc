// From the donation number to the decision on the starting material (PRC-01 to PRC-05).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/donor_ledger.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

class ProcurementTest : public testing::Test {
 protected:
  DonorLedger world_;

  v1::ContainerState& Tissue() {
    return world_.ledger().mutable_view().Container(world_.container_id);
  }
  v1::Event Receipt() const {
    v1::Event event;
    v1::StartingMaterialReceived* const body = event.mutable_starting_material_received();
    body->set_donation_id(world_.donation_id);
    body->add_container_ids(world_.container_id);
    body->set_received_at_ms(world_.now_ms());
    body->set_seal_intact(v1::ANSWER_YES);
    body->set_label_correct(v1::ANSWER_YES);
    return event;
  }
  v1::Event Decision(v1::ReceiptDecision decision) const {
    v1::Event event;
    event.mutable_starting_material_decision()->set_donation_id(world_.donation_id);
    event.mutable_starting_material_decision()->add_container_ids(world_.container_id);
    event.mutable_starting_material_decision()->set_decision(decision);
    return event;
  }
  // Everything before the decision.
  void PlayReceipt() {
    world_.PlayUntil(DonorStep::kDetermined);
    Tissue().set_life(v1::CONTAINER_LIFE_AT_RECEIVER);
    ASSERT_THAT(world_.Play(Receipt()).codes, IsEmpty());
  }
};

// --- PRC-01

TEST_F(ProcurementTest, ANumberIsGivenToADonation) {
  world_.PlayUntil(DonorStep::kAssigned);
  EXPECT_EQ(world_.Donation().donor_id(), world_.newborn_id);
  EXPECT_EQ(world_.Donation().donation_identifier(), "din:A999926000101");
  EXPECT_THAT(world_.Newborn().donation_ids(), ElementsAre(world_.donation_id));
}

TEST_F(ProcurementTest, AssignmentIsRefusedForEachReason) {
  struct Row {
    const char* name;
    void (*spoil)(DonorLedger& world, v1::DonationAssigned& body);
    std::vector<std::string> codes;
  };
  const Row rows[] = {
      {"donor unknown",
       [](DonorLedger& world, v1::DonationAssigned& body) {
         body.set_donor_id(world.ledger().NewId());
       },
       {"E_UNKNOWN_SUBJECT"}},
      {"product unknown",
       [](DonorLedger& world, v1::DonationAssigned& body) {
         body.set_product_id(world.ledger().NewId());
       },
       {"E_POLICY_MISSING", "E_UNKNOWN_SUBJECT"}},
      {"no scheme",
       [](DonorLedger&, v1::DonationAssigned& body) { body.set_donation_identifier("nn:1"); },
       {"E_FIELD"}},
      {"letter O",
       [](DonorLedger&, v1::DonationAssigned& body) {
         body.set_donation_identifier("din:O999926000101");
       },
       {"E_DIN_CHARSET"}},
      {"no regime",
       [](DonorLedger&, v1::DonationAssigned& body) { body.clear_regimes(); },
       {"E_FIELD"}},
      {"no tissue",
       [](DonorLedger&, v1::DonationAssigned& body) { body.clear_tissue_type(); },
       {"E_FIELD"}},
      {"no intent",  // Not stated is not allogeneic.
       [](DonorLedger&, v1::DonationAssigned& body) { body.clear_intent(); },
       {"E_FIELD", "E_MISSING"}},
      {"autologous for nobody",
       [](DonorLedger&, v1::DonationAssigned& body) {
         body.set_intent(v1::DONATION_INTENT_AUTOLOGOUS);
       },
       {"E_MISSING"}},
      {"deferred",
       [](DonorLedger& world, v1::DonationAssigned&) { world.Newborn().set_deferred(true); },
       {"E_DONOR_DEFERRED"}},
      {"no consent",
       [](DonorLedger& world, v1::DonationAssigned&) { world.Mother().clear_consents(); },
       {"E_CONSENT"}},
      {"one scope only",
       [](DonorLedger& world, v1::DonationAssigned&) {
         world.Mother().mutable_consents(0)->mutable_scopes()->RemoveLast();
       },
       {"E_CONSENT"}},
      {"withdrawn at this very moment",
       [](DonorLedger& world, v1::DonationAssigned&) {
         v1::ConsentWithdrawalState* const withdrawal = world.Mother().add_withdrawals();
         withdrawal->add_scopes(v1::CONSENT_SCOPE_STORAGE);
         withdrawal->set_withdrawn_at_ms(world.now_ms());
       },
       {"E_CONSENT"}},
      {"withdrawn a moment later",
       [](DonorLedger& world, v1::DonationAssigned&) {
         v1::ConsentWithdrawalState* const withdrawal = world.Mother().add_withdrawals();
         withdrawal->add_scopes(v1::CONSENT_SCOPE_STORAGE);
         withdrawal->set_withdrawn_at_ms(world.now_ms() + 1);
       },
       {}},
      {"signed a moment later",
       [](DonorLedger& world, v1::DonationAssigned&) {
         world.Mother().mutable_consents(0)->set_signed_at_ms(world.now_ms() + 1);
       },
       {"E_CONSENT"}},
      {"local number",
       [](DonorLedger&, v1::DonationAssigned& body) {
         body.set_donation_identifier("local:2026-17");
       },
       {}},
  };
  for (const Row& row : rows) {
    DonorLedger world;
    world.PlayUntil(DonorStep::kScreened);
    v1::Event event = world.Make(DonorStep::kAssigned);
    row.spoil(world, *event.mutable_donation_assigned());
    const PlayedEvent played = world.Play(event);
    EXPECT_EQ(played.recorded, row.codes.empty()) << row.name;
    EXPECT_THAT(played.codes, ElementsAreArray(row.codes)) << row.name;
  }
}

TEST_F(ProcurementTest, ANumberIsNeverUsedAgain) {
  world_.PlayUntil(DonorStep::kAssigned);
  const PlayedEvent again = world_.Play(world_.MakeAssignment(world_.ledger().NewId()));
  EXPECT_FALSE(again.recorded);
  EXPECT_THAT(again.codes, ElementsAre("E_DIN_REUSED"));
  EXPECT_THAT(world_.Play(world_.MakeAssignment(world_.donation_id)).codes,
              ElementsAre("E_SUBJECT_EXISTS"));
}

// --- PRC-02

TEST_F(ProcurementTest, TheTissueIsTaken) {
  world_.PlayUntil(DonorStep::kProcured);
  EXPECT_EQ(world_.Donation().procured_at_ms(), world_.now_ms() - 60'000);
}

TEST_F(ProcurementTest, ProcurementIsRecordedWithFindings) {
  struct Row {
    const char* name;
    void (*spoil)(DonorLedger& world, v1::TissueProcured& body);
    std::vector<std::string> codes;
  };
  const Row rows[] = {
      {"unknown donation",
       [](DonorLedger& world, v1::TissueProcured& body) {
         body.set_donation_id(world.ledger().NewId());
       },
       // The number names the one that was assigned.
       {"E_DIN_REUSED", "E_UNKNOWN_SUBJECT"}},
      {"another number",
       [](DonorLedger&, v1::TissueProcured& body) {
         body.set_donation_identifier("din:A999926000102");
       },
       {"E_LABEL_CONFLICT"}},
      {"another tissue",
       [](DonorLedger&, v1::TissueProcured& body) {
         body.set_tissue_type(v1::TISSUE_TYPE_BONE_MARROW);
       },
       {"INCONSISTENT"}},
      {"ends before it starts",
       [](DonorLedger&, v1::TissueProcured& body) {
         body.set_ended_at_ms(body.started_at_ms() - 1);
       },
       {"E_FIELD"}},
      {"starts and ends at once",
       [](DonorLedger&, v1::TissueProcured& body) { body.set_ended_at_ms(body.started_at_ms()); },
       {}},
      {"no times",
       [](DonorLedger&, v1::TissueProcured& body) {
         body.clear_started_at_ms();
         body.clear_ended_at_ms();
       },
       {"E_FIELD"}},
      {"consent withdrawn",
       [](DonorLedger& world, v1::TissueProcured&) {
         v1::ConsentWithdrawalState* const withdrawal = world.Mother().add_withdrawals();
         withdrawal->add_scopes(v1::CONSENT_SCOPE_THERAPEUTIC);
         withdrawal->set_withdrawn_at_ms(world.now_ms());
       },
       {"E_CONSENT"}},
      {"taken before",
       [](DonorLedger& world, v1::TissueProcured&) { world.Donation().set_procured_at_ms(1); },
       {"E_STATE"}},
  };
  for (const Row& row : rows) {
    DonorLedger world;
    world.PlayUntil(DonorStep::kAssigned);
    world.ledger().Advance(60'000);
    v1::Event event = world.MakeProcurement();
    row.spoil(world, *event.mutable_tissue_procured());
    const PlayedEvent played = world.Play(event);
    EXPECT_TRUE(played.recorded) << row.name << played.status;
    EXPECT_THAT(played.codes, ElementsAreArray(row.codes)) << row.name;
  }
}

TEST_F(ProcurementTest, TheFirstProcurementCounts) {
  world_.PlayUntil(DonorStep::kProcured);
  const std::int64_t first = world_.Donation().procured_at_ms();
  world_.ledger().Advance(60'000);
  ASSERT_TRUE(world_.Play(world_.MakeProcurement()).recorded);
  EXPECT_EQ(world_.Donation().procured_at_ms(), first);
}

TEST_F(ProcurementTest, WithoutItsWitnessNothingIsProcuredYet) {
  world_.PlayUntil(DonorStep::kAssigned);
  const std::string first = world_.ledger().Actor(v1::ROLE_PROCUREMENT);
  const PlayedEvent held =
      world_.Play(world_.MakeProcurement(), {{first, v1::ROLE_PROCUREMENT, v1::MEANING_PERFORMED}});
  EXPECT_THAT(held.codes, ElementsAre("E_FOUR_EYES"));
  EXPECT_EQ(world_.Donation().procured_at_ms(), 0);
  const std::string witness = world_.ledger().Actor(v1::ROLE_PROCUREMENT, {}, 1);
  ASSERT_TRUE(world_.ledger()
                  .Cosign(*held.entry, {witness, v1::ROLE_PROCUREMENT, v1::MEANING_WITNESSED})
                  .ok());
  EXPECT_NE(world_.Donation().procured_at_ms(), 0);
}

// --- PRC-03

TEST_F(ProcurementTest, PackagingMakesContainersThatCanTravel) {
  world_.PlayUntil(DonorStep::kPackaged);
  EXPECT_EQ(Tissue().life(), v1::CONTAINER_LIFE_OUT);
  EXPECT_EQ(Tissue().donation_id(), world_.donation_id);
  EXPECT_THAT(world_.Donation().container_ids(), ElementsAre(world_.container_id));
}

TEST_F(ProcurementTest, PackagingIsFoundWrong) {
  world_.PlayUntil(DonorStep::kAssigned);
  EXPECT_THAT(world_.Play(world_.Make(DonorStep::kPackaged)).codes, ElementsAre("E_STATE"));
  EXPECT_THAT(world_.Play(world_.Make(DonorStep::kPackaged)).codes,
              ElementsAre("E_STATE", "E_SUBJECT_EXISTS"));
  v1::Event event = world_.Make(DonorStep::kPackaged);
  event.mutable_procurement_packaged()->clear_container_ids();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD", "E_STATE"));
}

// --- PRC-04

TEST_F(ProcurementTest, WhatWasDeliveredIsReceived) {
  PlayReceipt();
  EXPECT_TRUE(world_.Donation().received());
}

TEST_F(ProcurementTest, ReceiptBeforeTheDeliveryIsFound) {
  world_.PlayUntil(DonorStep::kDetermined);
  for (const v1::ContainerLife life :
       {v1::CONTAINER_LIFE_OUT, v1::CONTAINER_LIFE_PACKED, v1::CONTAINER_LIFE_IN_TRANSIT}) {
    Tissue().set_life(life);
    EXPECT_THAT(world_.Play(Receipt()).codes, ElementsAre("E_STATE"));
  }
}

// Otherwise a receipt of nothing would do for the delivery.
TEST_F(ProcurementTest, AReceiptNamesWhatArrived) {
  world_.PlayUntil(DonorStep::kDetermined);
  v1::Event event = Receipt();
  event.mutable_starting_material_received()->clear_container_ids();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_FIELD"));
  EXPECT_FALSE(world_.Donation().received());
  // What is still on its way is not received either.
  EXPECT_THAT(world_.Play(Receipt()).codes, ElementsAre("E_STATE"));
  EXPECT_FALSE(world_.Donation().received());
}

TEST_F(ProcurementTest, ADonationIsReceivedWhenAllOfItIs) {
  PlayReceipt();
  const std::string second = world_.ledger().NewId();
  v1::Event packaged = world_.Make(DonorStep::kPackaged);
  packaged.mutable_procurement_packaged()->set_container_ids(0, second);
  ASSERT_TRUE(world_.Play(packaged).recorded);
  EXPECT_FALSE(world_.Donation().received());
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes, ElementsAre("E_MISSING"));
  // What was lost on the way will not arrive.
  v1::ContainerState& bag = world_.ledger().mutable_view().Container(second);
  bag.set_life(v1::CONTAINER_LIFE_LOST);
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes, IsEmpty());
}

TEST_F(ProcurementTest, ReceiptOfWhatIsBrokenOrOfAnotherDonation) {
  world_.PlayUntil(DonorStep::kDetermined);
  Tissue().set_life(v1::CONTAINER_LIFE_AT_RECEIVER);
  v1::Event event = Receipt();
  event.mutable_starting_material_received()->set_seal_intact(v1::ANSWER_NO);
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("INCONSISTENT"));
  event = Receipt();
  event.mutable_starting_material_received()->clear_label_correct();
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("INCONSISTENT"));
  event = Receipt();
  event.mutable_starting_material_received()->set_container_ids(0, world_.ledger().NewId());
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_CONTAINER_MISMATCH", "E_UNKNOWN_SUBJECT"));
}

// --- PRC-05

TEST_F(ProcurementTest, EligibleMaterialIsAccepted) {
  PlayReceipt();
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes, IsEmpty());
  EXPECT_EQ(world_.Donation().starting_material(), v1::RECEIPT_DECISION_ACCEPT);
}

TEST_F(ProcurementTest, AcceptanceNeedsReceiptAndEveryRegime) {
  world_.PlayUntil(DonorStep::kDetermined);
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes, ElementsAre("E_MISSING"));
  world_.Donation().add_received_container_ids(world_.container_id);
  struct Row {
    v1::EligibilityOutcome outcome;
    bool accepted;
  };
  for (const Row& row : {Row{v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK, true},
                         Row{v1::ELIGIBILITY_OUTCOME_PENDING_RETEST, true},
                         Row{v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED, true},
                         Row{v1::ELIGIBILITY_OUTCOME_INCOMPLETE, false},
                         Row{v1::ELIGIBILITY_OUTCOME_INELIGIBLE, false}}) {
    world_.Donation().mutable_eligibility(1)->set_outcome(row.outcome);
    const PlayedEvent played = world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT));
    EXPECT_EQ(played.recorded, row.accepted) << row.outcome;
    if (row.accepted) continue;
    EXPECT_THAT(played.codes, ElementsAre("E_DONATION_NOT_ELIGIBLE"));
  }
  world_.Donation().mutable_eligibility(1)->set_outcome(v1::ELIGIBILITY_OUTCOME_ELIGIBLE);
  world_.Donation().mutable_eligibility(1)->set_reopened(true);
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes,
              ElementsAre("E_DONATION_NOT_ELIGIBLE"));
  world_.Donation().mutable_eligibility()->RemoveLast();
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes,
              ElementsAre("E_DONATION_NOT_ELIGIBLE"));
}

TEST_F(ProcurementTest, QuarantineAndRejectionNeedNothing) {
  world_.PlayUntil(DonorStep::kPackaged);
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_QUARANTINE)).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_REJECT)).codes, IsEmpty());
}

TEST_F(ProcurementTest, RejectedForEver) {
  PlayReceipt();
  ASSERT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_REJECT)).codes, IsEmpty());
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_ACCEPT)).codes,
              ElementsAre("E_AFTER_FINAL"));
  EXPECT_EQ(world_.Donation().starting_material(), v1::RECEIPT_DECISION_REJECT);
}

TEST_F(ProcurementTest, ADecisionIsStatedUnderThePolicy) {
  PlayReceipt();
  EXPECT_THAT(world_.Play(Decision(v1::RECEIPT_DECISION_UNSPECIFIED)).codes,
              ElementsAre("E_FIELD"));
  v1::Event event = Decision(v1::RECEIPT_DECISION_ACCEPT);
  event.set_policy_hash(std::string(32, 'x'));
  EXPECT_THAT(world_.Play(event).codes, ElementsAre("E_POLICY_HASH"));
}

}  // namespace
}  // namespace custody
