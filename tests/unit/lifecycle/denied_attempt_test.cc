#include "lifecycle/denied_attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "lifecycle/catalogue.h"
#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

using ::testing::IsEmpty;

class DeniedAttemptTest : public ::testing::Test {
 protected:
  DeniedAttemptTest() {
    AddOrder(order_, patient_);
    AddOrder(other_order_, other_patient_);
  }

  void AddOrder(const std::string& order, const std::string& patient) {
    ledger_.mutable_view()
        .State(v1::SUBJECT_KIND_ORDER, order)
        .mutable_order()
        ->set_phase(v1::ORDER_PHASE_MATCHED);
    ledger_.mutable_view()
        .State(v1::SUBJECT_KIND_PATIENT, patient)
        .mutable_patient()
        ->add_order_ids(order);
  }

  v1::AttemptDenied Deny(const std::string& wristband) {
    v1::Event event;
    v1::AdministrationAuthorised& body = *event.mutable_administration_authorised();
    body.set_order_id(order_);
    body.set_patient_id(patient_);
    body.add_container_ids(ledger_.NewId());  // Unknown.
    body.set_scanned_patient_token(wristband);
    ledger_.FillHeader(&event);
    const absl::StatusOr<ParsedEvent> parsed =
        ParseUnsignedEvent(event.SerializeAsString(), ledger_.origin());
    EXPECT_THAT(parsed, IsOk());
    const absl::StatusOr<v1::Event> denied = BuildAttemptDenied(
        ledger_.view(), *parsed,
        RefusalStatus(absl::StatusCode::kFailedPrecondition, v1::REASON_CODE_E_PATIENT_MISMATCH,
                      "another patient", ""));
    EXPECT_THAT(denied, IsOk());
    EXPECT_EQ(denied->attempt_denied().event(), parsed->digest.view());
    return denied->attempt_denied();
  }

  TestLedger ledger_;
  std::string order_ = ledger_.NewId();
  std::string patient_ = ledger_.NewId();
  std::string other_order_ = ledger_.NewId();
  std::string other_patient_ = ledger_.NewId();
};

TEST_F(DeniedAttemptTest, NamesEventReasonsAndKnownSubjects) {
  const v1::AttemptDenied denied = Deny(patient_);
  EXPECT_EQ(denied.event_code(), "CLN-06");
  ASSERT_EQ(denied.reasons_size(), 1);
  EXPECT_EQ(denied.reasons(0).code(), v1::REASON_CODE_E_PATIENT_MISMATCH);
  EXPECT_THAT(denied.reasons(0).message(), IsEmpty());
  ASSERT_EQ(denied.targets_size(), 2);
  EXPECT_EQ(denied.targets(0).id(), order_);
  EXPECT_EQ(denied.targets(1).id(), patient_);
  EXPECT_THAT(denied.scanned_order_id(), IsEmpty());
}

TEST_F(DeniedAttemptTest, NamesTheOrderOfTheWristband) {
  EXPECT_EQ(Deny(other_patient_).scanned_order_id(), other_order_);
  EXPECT_THAT(Deny(ledger_.NewId()).scanned_order_id(), IsEmpty());
}

TEST_F(DeniedAttemptTest, AFinishedOrderIsNotTheOneAtTheBedside) {
  ledger_.mutable_view()
      .State(v1::SUBJECT_KIND_ORDER, other_order_)
      .mutable_order()
      ->set_phase(v1::ORDER_PHASE_ADMINISTERED);
  EXPECT_THAT(Deny(other_patient_).scanned_order_id(), IsEmpty());
}

// A refused match leaves its mark, and does not use up the match that there is.
TEST_F(DeniedAttemptTest, ARefusedMatchIsOnRecordAndNotCounted) {
  EXPECT_TRUE(FindCatalogueEntry(std::string_view("CLN-04"))->row.bedside());
  for (const auto& [code, counted] : {std::pair{"CLN-04", 0U}, {"CLN-06T", 1U}, {"CLN-06", 2U}}) {
    v1::Event event;
    v1::AttemptDenied& body = *event.mutable_attempt_denied();
    body.set_event(std::string(32, 'e'));
    body.set_event_code(code);
    *body.add_targets() = RefOf({v1::SUBJECT_KIND_ORDER, order_}, v1::SUBJECT_ROLE_SCOPE);
    ASSERT_THAT(ledger_.RecordFromLedger(event), IsOk());
    EXPECT_EQ(ledger_.Order(order_)->denied_attempts(), counted);
  }
}

}  // namespace
}  // namespace custody
