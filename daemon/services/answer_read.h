// Answers a unary question on the read pool: authorise, ask, translate.

#ifndef CUSTODY_DAEMON_SERVICES_ANSWER_READ_H_
#define CUSTODY_DAEMON_SERVICES_ANSWER_READ_H_

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "daemon/services/service_parts.h"
#include "daemon/services/status_translation.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace custody {

// Observes and ends a unary call.
inline void FinishUnary(const ServiceParts& parts, std::string_view method,
                        const Principal* principal, const absl::Status& status,
                        grpc::ServerUnaryReactor* reactor) {
  parts.observer.OnAnswer(method, principal, status);
  reactor->Finish(ToGrpcStatus(status));
}

// `answer(const Principal&) -> absl::Status` fills the response that it captured; gRPC keeps
// request and response until the call has ended. `method` is a literal.
template <typename Answer>
grpc::ServerUnaryReactor* AnswerRead(const ServiceParts& parts,
                                     grpc::CallbackServerContext* context, std::string_view method,
                                     Answer answer) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status posted =
      parts.pool.Post([&parts, context, method, reactor, answer = std::move(answer)] {
        const absl::StatusOr<PrincipalPtr> principal = parts.authorizer.Authorize(*context, method);
        if (!principal.ok()) {
          FinishUnary(parts, method, nullptr, principal.status(), reactor);
          return;
        }
        FinishUnary(parts, method, principal->get(), answer(**principal), reactor);
      });
  if (!posted.ok()) FinishUnary(parts, method, nullptr, posted, reactor);
  return reactor;
}

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_ANSWER_READ_H_
