#include "daemon/services/dose_questions.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

// One call must not cost as much as thousands: each container is a walk through its ancestors.
TEST(DoseQuestionsTest, AQuestionHasAtMost64Containers) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Ledger> ledger, kit.Open(disk));
  const LedgerReader reader(ledger->Snapshot());
  v1::VerifyDoseRequest request;
  for (std::size_t i = 0; i < kQuestionContainersMax; ++i) {
    request.mutable_request()->add_container_ids(std::string(16, 'c'));
  }
  EXPECT_THAT(ResolveDoseQuestion(reader, *DevelopmentPrincipal(), request, 1), IsOk());
  // Scans count as well, and are not looked at before they are counted.
  request.add_container_scans("no label");
  const auto refused = ResolveDoseQuestion(reader, *DevelopmentPrincipal(), request, 1);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CODE_E_FIELD);
  v1::VerifyDoseResponse response;
  EXPECT_EQ(ReasonOf(AnswerVerifyDose(reader, *DevelopmentPrincipal(), request, 1, &response)),
            v1::REASON_CODE_E_FIELD);
}

}  // namespace
}  // namespace custody
