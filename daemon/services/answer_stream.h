// A stream of answers that is pulled: the next message is made when the last one has left, on the
// read pool. A slow reader holds no thread and at most one message.

#ifndef CUSTODY_DAEMON_SERVICES_ANSWER_STREAM_H_
#define CUSTODY_DAEMON_SERVICES_ANSWER_STREAM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/services/service_parts.h"
#include "daemon/services/status_translation.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace custody {

// Fills the next message and returns true, or returns false at the end. Runs on one thread at a
// time.
template <typename Response>
using NextMessage = std::function<absl::StatusOr<bool>(Response* response)>;

template <typename Response>
class StreamAnswer final : public grpc::ServerWriteReactor<Response> {
 public:
  // Makes the source of messages, once the caller is authorised.
  using Open = std::function<absl::StatusOr<NextMessage<Response>>(const Principal& principal)>;

  // Deletes itself when the call is done.
  static grpc::ServerWriteReactor<Response>* Start(const ServiceParts& parts,
                                                   grpc::CallbackServerContext* context,
                                                   std::string_view method, Open open) {
    auto* answer = new StreamAnswer(parts, method);
    const absl::Status posted = parts.pool.Post(
        [answer, context, open = std::move(open)] { answer->Begin(context, open); });
    if (!posted.ok()) answer->End(posted);
    return answer;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      End(absl::CancelledError("the caller has gone"));
      return;
    }
    parts_.pool.PostStep([this] { Step(); });
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  StreamAnswer(const ServiceParts& parts, std::string_view method)
      : parts_(parts), method_(method) {}

  void Begin(grpc::CallbackServerContext* context, const Open& open) {
    absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context, method_);
    if (!principal.ok()) {
      End(principal.status());
      return;
    }
    principal_ = *std::move(principal);
    absl::StatusOr<NextMessage<Response>> next = open(*principal_);
    if (!next.ok()) {
      End(next.status());
      return;
    }
    next_ = *std::move(next);
    Step();
  }

  void Step() {
    if (cancelled_) {
      End(absl::CancelledError("the caller has gone"));
      return;
    }
    response_.Clear();
    const absl::StatusOr<bool> more = next_(&response_);
    if (!more.ok() || !*more) {
      End(more.status());
      return;
    }
    this->StartWrite(&response_);
  }

  // Nothing of this object may be used afterwards: gRPC may have deleted it.
  void End(const absl::Status& status) {
    parts_.observer.OnAnswer(method_, principal_.get(), status);
    next_ = nullptr;  // Snapshots go now, not when the peer has read everything.
    this->Finish(ToGrpcStatus(status));
  }

  const ServiceParts& parts_;
  const std::string_view method_;
  PrincipalPtr principal_;
  NextMessage<Response> next_;
  Response response_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_ANSWER_STREAM_H_
