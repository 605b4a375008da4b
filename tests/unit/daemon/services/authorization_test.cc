#include "daemon/services/authorization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "custody/v1/admin_service.pb.h"
#include "custody/v1/ledger_service.pb.h"
#include "custody/v1/provenance_service.pb.h"
#include "lifecycle/refusal.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

Principal Named(const std::string& label) {
  Principal principal;
  principal.id = std::string(16, 'a');
  principal.label = label;
  return principal;
}

std::vector<std::string> AllMethods() {
  // Descriptors are loaded with the messages of their files.
  std::vector<std::string> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::RecordRequest::descriptor()->file(), v1::VerifyDoseRequest::descriptor()->file(),
        v1::GetStatusRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j)->full_name());
      }
    }
  }
  return methods;
}

TEST(AuthorizationTest, EveryMethodHasExactlyOneRule) {
  std::multiset<std::string> ruled;
  for (const MethodRule& rule : MethodRules()) ruled.insert(std::string(rule.method));
  const std::vector<std::string> methods = AllMethods();
  EXPECT_EQ(methods.size(), 28U);
  for (const std::string& method : methods) EXPECT_EQ(ruled.count(method), 1U) << method;
  EXPECT_EQ(ruled.size(), methods.size()) << "a rule names a method that does not exist";
}

TEST(AuthorizationTest, DeniesAMethodWithoutRule) {
  EXPECT_THAT(CheckPermission(*DevelopmentPrincipal(), "custody.v1.LedgerService.Erase"),
              StatusIs(kDenied, HasSubstr("no rule")));
}

TEST(AuthorizationTest, NothingIsAllowedWithoutPermissionButCheckpointsAndHashes) {
  const Principal nobody = Named("nobody");
  std::set<std::string> open;
  for (const std::string& method : AllMethods()) {
    const absl::Status status = CheckPermission(nobody, method);
    if (status.ok()) {
      open.insert(method);
      continue;
    }
    EXPECT_THAT(status, StatusIs(kDenied, HasSubstr("nobody")));
    ASSERT_TRUE(RefusalOf(status).has_value());
    EXPECT_EQ(RefusalOf(status)->reasons(0).code(), v1::REASON_CODE_E_PERMISSION);
    EXPECT_FALSE(RefusalOf(status)->reasons(0).remedy().empty());
  }
  // Tiles of hashes; a bundle of entries asks for READ_ENTRIES by itself (tile_reads_test.cc).
  EXPECT_THAT(open, testing::ElementsAre("custody.v1.LedgerService.GetCheckpoint",
                                         "custody.v1.LedgerService.GetConsistencyProof",
                                         "custody.v1.LedgerService.ReadTiles"));
}

TEST(AuthorizationTest, OnePermissionOpensOnlyItsMethods) {
  Principal recorder = Named("recorder");
  recorder.permissions = {v1::PERMISSION_RECORD};
  EXPECT_OK(CheckPermission(recorder, "custody.v1.LedgerService.Record"));
  EXPECT_OK(CheckPermission(recorder, "custody.v1.LedgerService.GetReceipt"));
  EXPECT_THAT(CheckPermission(recorder, "custody.v1.LedgerService.ReadEntries"),
              StatusIs(kDenied, HasSubstr("READ_ENTRIES")));
  EXPECT_THAT(CheckPermission(recorder, "custody.v1.AdminService.Drain"),
              StatusIs(kDenied, HasSubstr("ADMINISTER")));
}

TEST(AuthorizationTest, DevelopmentPrincipalMayDoEverything) {
  for (const std::string& method : AllMethods()) {
    EXPECT_OK(CheckPermission(*DevelopmentPrincipal(), method));
  }
}

TEST(AuthorizationTest, SiteScope) {
  const std::string mine(16, 'm');
  const std::string other(16, 'o');
  Principal scoped = Named("clinic");
  scoped.site_ids = {mine};
  EXPECT_OK(CheckSite(scoped, mine));
  EXPECT_OK(CheckSite(scoped, ""));
  EXPECT_THAT(CheckSite(scoped, other), StatusIs(kDenied, HasSubstr("6f6f")));
  EXPECT_OK(CheckSite(Principal{}, other));
}

}  // namespace
}  // namespace custody
