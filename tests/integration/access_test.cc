// Who gets in, and how far.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "crypto/random.h"
#include "daemon/services/authorization.h"
#include "tests/integration/service_world.h"

namespace custody {
namespace {

using grpc::StatusCode;

grpc::Status GetStatus(const std::shared_ptr<grpc::Channel>& channel,
                       v1::GetStatusResponse* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return v1::AdminService::NewStub(channel)->GetStatus(&context, v1::GetStatusRequest(), response);
}

// Sends an empty request to a method by name and returns how the call ends.
grpc::Status CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  const std::size_t dot = method.rfind('.');
  const std::string path = "/" + method.substr(0, dot) + "/" + method.substr(dot + 1);
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const auto call = stub.PrepareCall(&context, path, &queue);
  int step = 0;
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(&step);
  queue.Next(&tag, &ok);
  grpc::Slice slice("");
  const grpc::ByteBuffer request(&slice, 1);
  call->WriteLast(request, grpc::WriteOptions(), &step);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer response;
  while (ok) {
    call->Read(&response, &step);
    queue.Next(&tag, &ok);
  }
  grpc::Status status;
  call->Finish(&status, &step);
  queue.Next(&tag, &ok);
  return status;
}

TEST(AccessTest, EnrolledClientIsServed) {
  ServiceWorld world;
  v1::GetStatusResponse response;
  const grpc::Status status = GetStatus(world.ChannelOf("everything"), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.origin(), kWorldOrigin);
  EXPECT_EQ(response.mode(), "serving");
  EXPECT_EQ(response.entry0_leaf_hash().size(), 32U);
}

TEST(AccessTest, WithoutCertificateNobodyConnects) {
  ServiceWorld world;
  v1::GetStatusResponse response;
  EXPECT_EQ(GetStatus(world.ChannelWithoutCertificate(), &response).error_code(),
            StatusCode::UNAVAILABLE);
}

TEST(AccessTest, CertificateOfAnotherAuthorityIsRefused) {
  ServiceWorld world;
  v1::GetStatusResponse response;
  EXPECT_EQ(GetStatus(world.ChannelOfStranger(), &response).error_code(), StatusCode::UNAVAILABLE);
}

// Proves for each method that its handler asks who calls.
TEST(AccessTest, UnknownPrincipalIsDeniedEveryMethod) {
  ServiceWorld world;
  const auto channel = world.ChannelOf("unknown");
  for (const MethodRule& rule : MethodRules()) {
    const grpc::Status status = CallEmpty(channel, std::string(rule.method));
    EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED)
        << rule.method << ": " << status.error_message();
    EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_PERMISSION) << rule.method;
  }
}

TEST(AccessTest, EnrolmentAndRevocationCountFromTheNextCall) {
  ServiceWorld world;
  const auto channel = world.ChannelOf("lims");
  v1::GetStatusResponse response;
  EXPECT_EQ(GetStatus(channel, &response).error_code(), StatusCode::PERMISSION_DENIED);
  const std::string id = world.Enrol("lims", {v1::PERMISSION_ADMINISTER});
  EXPECT_TRUE(GetStatus(channel, &response).ok());
  world.Revoke(id);
  const grpc::Status status = GetStatus(channel, &response);
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_PERMISSION);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("revoked"));
}

TEST(AccessTest, PermissionOfOneMethodOpensNoOther) {
  ServiceWorld world;
  world.Enrol("recorder", {v1::PERMISSION_RECORD});
  v1::GetStatusResponse response;
  const grpc::Status status = GetStatus(world.ChannelOf("recorder"), &response);
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("needs ADMINISTER"));
}

TEST(AccessTest, ScopedPrincipalRecordsOnlyForItsSites) {
  ServiceWorld world;
  const std::string mine = world.AddSite();
  const std::string other = world.AddSite();
  world.Enrol("clinic", {v1::PERMISSION_RECORD}, {mine});
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("clinic"));
  for (const bool is_mine : {true, false}) {
    v1::Event event;
    event.set_site_id(is_mine ? mine : other);
    event.mutable_hold_placed()->set_hold_id(RandomBytes(16));
    grpc::ClientContext context;
    v1::RecordRequest request;
    *request.mutable_signed_event() = world.Sign(event, {&world.quality()});
    v1::RecordResponse response;
    const grpc::Status status = stub->Record(&context, request, &response);
    // The event of its own site goes on to the rules, which have their own opinion.
    EXPECT_EQ(FirstReason(status) == v1::REASON_CODE_E_PERMISSION, !is_mine)
        << status.error_message();
  }
}

// Who may administer over the network does not choose where the daemon writes.
TEST(AccessTest, ADaemonWithoutABackupDirectoryMakesNone) {
  ServiceWorld world;
  const grpc::Status status =
      CallEmpty(world.ChannelOf("everything"), "custody.v1.AdminService.Backup");
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION) << status.error_message();
}

}  // namespace
}  // namespace custody
