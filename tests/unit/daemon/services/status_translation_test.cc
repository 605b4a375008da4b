#include "daemon/services/status_translation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "custody/v1/reason.pb.h"
#include "custody/v1/rpc_status.pb.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

v1::Refusal DetailsOf(const grpc::Status& status) {
  v1::RpcStatus details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/custody.v1.Refusal");
  v1::Refusal refusal;
  EXPECT_TRUE(refusal.ParseFromString(details.details(0).value()));
  return refusal;
}

TEST(StatusTranslationTest, OkIsOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(StatusTranslationTest, CarriesTheRefusal) {
  const grpc::Status status =
      ToGrpcStatus(RefusalStatus(absl::StatusCode::kFailedPrecondition, v1::REASON_CODE_E_HOLD,
                                 "container is on hold", "ask quality"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const v1::Refusal refusal = DetailsOf(status);
  ASSERT_EQ(refusal.reasons_size(), 1);
  EXPECT_EQ(refusal.reasons(0).code(), v1::REASON_CODE_E_HOLD);
  EXPECT_EQ(refusal.reasons(0).remedy(), "ask quality");
}

TEST(StatusTranslationTest, FaultsOfTheServerHaveNoReason) {
  const grpc::Status status = ToGrpcStatus(absl::InternalError("no such thing"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "no such thing");
  EXPECT_EQ(status.error_details(), "");
}

TEST(StatusTranslationTest, WhatAQuestionGotWrongHasReasonAndRemedy) {
  const std::pair<absl::StatusCode, v1::ReasonCode> rows[] = {
      {absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD},
      {absl::StatusCode::kNotFound, v1::REASON_CODE_E_UNKNOWN_SUBJECT},
      {absl::StatusCode::kOutOfRange, v1::REASON_CODE_E_MISSING}};
  for (const auto& [code, reason] : rows) {
    const grpc::Status status = ToGrpcStatus(absl::Status(code, "no such thing"));
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(code));
    const v1::Refusal refusal = DetailsOf(status);
    ASSERT_EQ(refusal.reasons_size(), 1);
    EXPECT_EQ(refusal.reasons(0).code(), reason);
    EXPECT_EQ(refusal.reasons(0).message(), "no such thing");
    EXPECT_NE(refusal.reasons(0).remedy(), "");
  }
}

TEST(StatusTranslationTest, EveryCodeKeepsItsNumber) {
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "x")).error_code(),
              code);
  }
}

// Trailers have a limit; a call must never fail because its refusal was long.
TEST(StatusTranslationTest, LongRefusalsAreCutToTheirFirstReasons) {
  v1::Refusal long_refusal;
  for (int i = 0; i < 500; ++i) {
    v1::RefusalReason& reason = *long_refusal.add_reasons();
    reason.set_code(v1::REASON_CODE_E_POLICY);
    reason.set_message("row " + std::to_string(i) + std::string(60, 'x'));
  }
  const grpc::Status status =
      ToGrpcStatus(RefusalStatus(absl::StatusCode::kFailedPrecondition, long_refusal));
  EXPECT_LE(status.error_details().size(), kErrorDetailsBytesMax);
  const v1::Refusal refusal = DetailsOf(status);
  EXPECT_GT(refusal.reasons_size(), 10);
  EXPECT_EQ(refusal.reasons(0).message(), "row 0" + std::string(60, 'x'));
}

TEST(StatusTranslationTest, StreamAnswersCarryTheSame) {
  v1::RecordStreamResponse response;
  FillStreamError(RefusalStatus(absl::StatusCode::kAborted, v1::REASON_CODE_E_HEAD_MOVED, "moved",
                                "read again"),
                  &response);
  EXPECT_EQ(response.status_code(), static_cast<int>(grpc::StatusCode::ABORTED));
  v1::Refusal refusal;
  ASSERT_TRUE(refusal.ParseFromString(response.refusal()));
  EXPECT_EQ(refusal.reasons(0).code(), v1::REASON_CODE_E_HEAD_MOVED);
}

}  // namespace
}  // namespace custody
