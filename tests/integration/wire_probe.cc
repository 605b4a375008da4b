#include "tests/integration/wire_probe.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <thread>
#include <vector>

#include "base/check.h"
#include "custody/v1/rpc_status.pb.h"

namespace custody {
namespace {

// HealthCheckRequest { string service = 1; }
grpc::ByteBuffer RequestFor(const std::string& service) {
  std::string bytes;
  if (!service.empty()) {
    bytes += '\x0a';
    bytes += static_cast<char>(service.size());
    bytes += service;
  }
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// HealthCheckResponse { ServingStatus status = 1; }
std::string NameOf(const grpc::ByteBuffer& response) {
  std::vector<grpc::Slice> slices;
  if (!response.Dump(&slices).ok()) return "unreadable";
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  if (bytes == std::string("\x08\x01")) return "SERVING";
  if (bytes == std::string("\x08\x02")) return "NOT_SERVING";
  return "unknown";
}

}  // namespace

v1::Refusal RefusalIn(const grpc::Status& status) {
  v1::RpcStatus details;
  v1::Refusal refusal;
  if (details.ParseFromString(status.error_details()) && details.details_size() > 0) {
    CUSTODY_CHECK(refusal.ParseFromString(details.details(0).value()));
  }
  return refusal;
}

v1::ReasonCode FirstReason(const grpc::Status& status) {
  const v1::Refusal refusal = RefusalIn(status);
  return refusal.reasons().empty() ? v1::REASON_CODE_UNSPECIFIED : refusal.reasons(0).code();
}

std::string HealthOf(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", RequestFor(service), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status.ok() ? NameOf(response) : status.error_message();
}

std::string WaitForHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                          const std::string& wanted) {
  std::string answer;
  for (int i = 0; i < 200; ++i) {
    answer = HealthOf(channel, service);
    if (answer == wanted) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return answer;
}

}  // namespace custody
