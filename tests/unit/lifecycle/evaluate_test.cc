#include "lifecycle/evaluate.h"

#include <algorithm>
#include <string>

#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

bool Refuses(const absl::Status& status, v1::ReasonCode code) {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  if (!refusal.has_value()) return false;
  const auto& reasons = refusal->reasons();
  return std::any_of(reasons.begin(), reasons.end(), [&](const v1::RefusalReason& reason) {
    return reason.code() == code && !reason.message().empty() && !reason.remedy().empty();
  });
}

class EvaluateTest : public testing::Test {
 protected:
  v1::Event Received() {
    v1::Event event;
    event.mutable_material_received()->set_material_id(ledger_.NewId());
    event.mutable_material_received()->set_lot_number("LOT-1");
    event.mutable_material_received()->set_supplier("supplier");
    event.mutable_material_received()->set_expires_at_ms(ledger_.now_ms() + 100 * kDayMs);
    return event;
  }
  v1::Event Site() {
    v1::Event event;
    event.mutable_site_registered()->set_site_id(ledger_.NewId());
    event.mutable_site_registered()->set_country("TH");
    event.mutable_site_registered()->set_time_zone("Asia/Bangkok");
    event.mutable_site_registered()->set_organisation("Test site");
    event.mutable_site_registered()->add_functions(v1::SITE_FUNCTION_CLINIC);
    return event;
  }

  TestLedger ledger_;
};

TEST_F(EvaluateTest, RefusesSystemEventOfClient) {
  v1::Event event;
  event.mutable_attempt_denied()->set_event(std::string(32, 'd'));
  v1::SubjectRef& target = *event.mutable_attempt_denied()->add_targets();
  target.set_kind(v1::SUBJECT_KIND_ORDER);
  target.set_id(ledger_.NewId());
  const absl::Status status =
      ledger_.Record(event, {{ledger_.service_device(), v1::ROLE_DEVICE, v1::MEANING_DERIVED}})
          .status();
  EXPECT_TRUE(Refuses(status, v1::REASON_CODE_E_SYSTEM_EVENT)) << status;
  EXPECT_OK(ledger_.RecordFromLedger(event));
}

TEST_F(EvaluateTest, RefusesUnknownSite) {
  v1::Event event = Received();
  event.set_site_id(ledger_.NewId());
  const std::string person = ledger_.AddPerson({v1::ROLE_OPERATOR});
  const absl::Status status =
      ledger_.Record(event, {{person, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Refuses(status, v1::REASON_CODE_E_UNKNOWN_SUBJECT));
}

TEST_F(EvaluateTest, RefusesMovedHead) {
  const v1::Event event = Received();
  ASSERT_OK(ledger_.RecordAsRequired(event));
  v1::Event again = event;
  again.add_expected_heads()->set_head(std::string(32, 'h'));
  const absl::Status status = ledger_.RecordAsRequired(again).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  again.mutable_expected_heads(0)->set_head(
      ledger_.State(v1::SUBJECT_KIND_MATERIAL, event.material_received().material_id())->head());
  EXPECT_OK(ledger_.RecordAsRequired(again));
}

TEST_F(EvaluateTest, ClockRefusesDecisionsAndFlagsObservations) {
  const v1::Event event = Received();
  ASSERT_OK(ledger_.RecordAsRequired(event));
  const std::string material = event.material_received().material_id();
  ledger_.set_clock_healthy(false);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry observed, ledger_.RecordAsRequired(event));
  EXPECT_TRUE(observed.Found(v1::REASON_CODE_TIME_SUSPECT));
  v1::Event release;
  release.mutable_material_released()->set_material_id(material);
  EXPECT_TRUE(Refuses(ledger_.RecordAsRequired(release).status(), v1::REASON_CODE_E_CLOCK));
}

TEST_F(EvaluateTest, FutureTimeIsRefusedOrFlagged) {
  v1::Event site = Site();
  site.mutable_occurred_at()->set_utc_ms(ledger_.now_ms() + 120'001);
  EXPECT_TRUE(Refuses(ledger_.RecordAsRequired(site).status(), v1::REASON_CODE_TIME_FUTURE));
  site.mutable_occurred_at()->set_utc_ms(ledger_.now_ms() + 120'000);
  EXPECT_OK(ledger_.RecordAsRequired(site));
  v1::Event received = Received();
  received.mutable_occurred_at()->set_utc_ms(ledger_.now_ms() + 120'001);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry entry, ledger_.RecordAsRequired(received));
  EXPECT_TRUE(entry.Found(v1::REASON_CODE_TIME_FUTURE));
  ASSERT_FALSE(entry.consequences.empty());
  EXPECT_EQ(entry.consequences.back().code, "CAS-01");
}

TEST_F(EvaluateTest, LateEntryWithReasonOpensNoCase) {
  v1::Event event = Received();
  event.mutable_occurred_at()->set_utc_ms(ledger_.now_ms() - kDayMs - 1);
  event.mutable_reason()->set_code("MIGRATION");
  ASSERT_OK_AND_ASSIGN(const RecordedEntry with, ledger_.RecordAsRequired(event));
  EXPECT_TRUE(with.Found(v1::REASON_CODE_LATE_ENTRY));
  EXPECT_FALSE(with.Found(v1::REASON_CODE_E_REASON_MISSING));
  EXPECT_TRUE(with.consequences.empty());
  v1::Event bare = Received();
  bare.mutable_occurred_at()->set_utc_ms(ledger_.now_ms() - kDayMs - 1);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry without, ledger_.RecordAsRequired(bare));
  EXPECT_TRUE(without.Found(v1::REASON_CODE_E_REASON_MISSING));
  EXPECT_FALSE(without.consequences.empty());
}

TEST_F(EvaluateTest, UncalibratedDeviceIsFlagged) {
  v1::Event event = Received();
  const std::string device = ledger_.AddDevice(v1::DEVICE_TYPE_INSTRUMENT);
  event.add_device_ids(device);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry good, ledger_.RecordAsRequired(event));
  EXPECT_FALSE(good.Found(v1::REASON_CODE_DEVICE_OUT_OF_CAL));
  ledger_.Advance(6 * 365 * kDayMs);
  v1::Event later = Received();
  later.add_device_ids(device);
  ASSERT_OK_AND_ASSIGN(const RecordedEntry bad, ledger_.RecordAsRequired(later));
  EXPECT_TRUE(bad.Found(v1::REASON_CODE_DEVICE_OUT_OF_CAL));
}

TEST_F(EvaluateTest, EventWithoutRulesIsRecordedAndMarked) {
  v1::Event event;
  event.mutable_downtime_declared()->set_case_id(ledger_.NewId());
  ASSERT_OK_AND_ASSIGN(const RecordedEntry entry, ledger_.RecordAsRequired(event));
  EXPECT_TRUE(entry.Found(v1::REASON_CODE_E_NOT_EVALUATED));
  EXPECT_EQ(ledger_.State(v1::SUBJECT_KIND_CASE, event.downtime_declared().case_id())
                ->not_evaluated_since(),
            entry.index + 1);
  v1::Event decision;
  decision.mutable_lookback_opened()->set_case_id(ledger_.NewId());
  EXPECT_EQ(ledger_.RecordAsRequired(decision).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(EvaluateTest, CriticalCaseBlocksDecisionsUntilItIsClosed) {
  const v1::Event event = Received();
  const std::string material = event.material_received().material_id();
  ASSERT_OK(ledger_.RecordAsRequired(event));
  v1::Event opened;
  v1::CaseOpened& body = *opened.mutable_case_opened();
  body.set_case_id(ledger_.NewId());
  body.set_kind(v1::CASE_KIND_COMPLAINT);
  body.set_severity(v1::SEVERITY_CRITICAL);
  v1::SubjectRef& scope = *body.add_scope();
  scope.set_kind(v1::SUBJECT_KIND_MATERIAL);
  scope.set_id(material);
  scope.set_role(v1::SUBJECT_ROLE_SCOPE);
  const SignAs quality{ledger_.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE,
                       v1::MEANING_AUTHORED};
  ASSERT_OK(ledger_.Record(opened, {quality}));
  v1::Event release;
  release.mutable_material_released()->set_material_id(material);
  EXPECT_TRUE(Refuses(ledger_.RecordAsRequired(release).status(), v1::REASON_CODE_E_CASE_OPEN));

  v1::Event closed;
  closed.mutable_case_closed()->set_case_id(body.case_id());
  closed.mutable_case_closed()->set_conclusion("nothing found");
  v1::ScopeDisposition& one = *closed.mutable_case_closed()->add_dispositions();
  *one.mutable_subject() = scope;
  one.set_disposition(v1::DISPOSITION_NO_ACTION);
  const SignAs approves{ledger_.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE,
                        v1::MEANING_APPROVED};
  EXPECT_TRUE(Refuses(ledger_.Record(closed, {approves}).status(), v1::REASON_CODE_E_FOUR_EYES));
  EXPECT_OK(ledger_.Record(
      closed,
      {approves, {ledger_.release_authority(), v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED}}));
  EXPECT_TRUE(ledger_.Case(body.case_id())->closed());
  EXPECT_TRUE(ledger_.State(v1::SUBJECT_KIND_MATERIAL, material)->open_cases().empty());
  EXPECT_FALSE(Refuses(ledger_.RecordAsRequired(release).status(), v1::REASON_CODE_E_CASE_OPEN));
}

TEST_F(EvaluateTest, DryRunLeavesPlacesOpenWithoutRefusal) {
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, ledger_.DryRun(Site()));
  EXPECT_OK(evaluation.verdict);
  EXPECT_EQ(evaluation.open_places.size(), 1U);
}

}  // namespace
}  // namespace custody
