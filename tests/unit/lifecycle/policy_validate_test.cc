#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "lifecycle/policy.h"
#include "lifecycle/time_range.h"
#include "tests/support/default_policy.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

class ValidatePolicyTest : public testing::Test {
 protected:
  absl::Status Validate() const { return ValidatePolicy(PolicyBytes(policy_)); }
  v1::Policy policy_ = DefaultPolicy(std::string(16, 'p'));
};

TEST_F(ValidatePolicyTest, DefaultPolicyIsComplete) { EXPECT_OK(Validate()); }

TEST_F(ValidatePolicyTest, RowsAreUniqueAndHaveLimits) {
  *policy_.add_rows() = policy_.rows(0);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ID-01")));
  policy_.mutable_rows()->RemoveLast();
  policy_.mutable_rows(0)->clear_limit();
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no limit")));
}

TEST_F(ValidatePolicyTest, RowsThatNoRuleJudgesAreRefused) {
  policy_.mutable_rows(0)->set_scope(v1::ROW_SCOPE_CONTAINER);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ID-01")));
  policy_.mutable_rows(0)->set_stage(v1::ROW_STAGE_POST_THAW);
  EXPECT_OK(Validate());
  policy_.mutable_rows(0)->set_stage(v1::ROW_STAGE_ORDER);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("clinical")));
}

TEST_F(ValidatePolicyTest, RetroactivePoliciesAreRefusedWhileNoRuleReadsIt) {
  policy_.set_retroactive(true);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("REL-07")));
}

TEST_F(ValidatePolicyTest, EnvironmentNamesAnOpennessAndClasses) {
  v1::EnvironmentRule* const rule = policy_.mutable_manufacturing()->mutable_environment(0);
  rule->set_openness("AJAR");
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("AJAR")));
  rule->set_openness("OPEN");
  rule->set_background_class("E");
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("class")));
}

// Rules add its durations to times.
TEST_F(ValidatePolicyTest, DurationsEndSomewhere) {
  policy_.mutable_transport()->set_expiry_margin_ms(kTimeMsMax);
  EXPECT_OK(Validate());
  policy_.mutable_transport()->set_expiry_margin_ms(kTimeMsMax + 1);
  EXPECT_THAT(Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expiry_margin_ms")));
}

TEST_F(ValidatePolicyTest, LongPostThawExpiryNeedsAStudyAndEndsAtSixHours) {
  policy_.mutable_clinical()->clear_post_thaw_study();
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("study")));
  policy_.mutable_clinical()->set_post_thaw_expiry_ms(3'600'000);
  EXPECT_OK(Validate());
  policy_.mutable_clinical()->set_post_thaw_expiry_ms(21'600'001);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("6 h")));
}

TEST_F(ValidatePolicyTest, OnlyTheSyphilisScreenMayBeCancelled) {
  policy_.mutable_donor()->mutable_markers(0)->set_on_reactive(
      v1::REACTIVE_RULE_UNLESS_CONFIRMED_NEGATIVE);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cancelled")));
}

TEST_F(ValidatePolicyTest, OnlyWaivableSignaturesAreWaived) {
  policy_.mutable_signatures()->add_waived_second_signatures("DNR-07");
  EXPECT_OK(Validate());
  policy_.mutable_signatures()->add_waived_second_signatures("DNR-09");
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("DNR-09")));
}

TEST_F(ValidatePolicyTest, RegimeWithoutWindowIsRefused) {
  policy_.add_regimes(v1::REGIME_TH);
  EXPECT_THAT(Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("donor TH")));
}

}  // namespace
}  // namespace custody
