#include "daemon/services/record_batch.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "daemon/services/answer_read.h"
#include "daemon/services/site_scope.h"
#include "daemon/services/status_translation.h"
#include "lifecycle/batch_statement.h"

namespace custody {
namespace {

constexpr std::string_view kMethod = "custody.v1.LedgerService.RecordBatch";

// The call while its events are under way. Each outcome is written by whoever answers its event.
struct Call {
  const ServiceParts& parts;
  PrincipalPtr caller;
  v1::RecordBatchResponse* response;
  grpc::ServerUnaryReactor* reactor;
  std::atomic<int> waiting;

  void Answer(int position, absl::StatusOr<RecordOutcome> outcome) {
    v1::RecordOutcome& answer = *response->mutable_outcomes(position);
    if (outcome.ok()) {
      *answer.mutable_receipt() = std::move(outcome->receipt);
      answer.set_already_recorded(outcome->already_recorded);
    } else {
      FillStreamError(outcome.status(), &answer);
    }
    if (waiting.fetch_sub(1) == 1) {
      FinishUnary(parts, kMethod, caller.get(), absl::OkStatus(), reactor);
    }
  }
};

absl::StatusOr<std::vector<v1::SignedEvent>> ReadBatch(const v1::RecordBatchRequest& request) {
  v1::Signature signature;
  signature.set_statement(request.statement());
  signature.set_signature(request.signature());
  return SplitBatch(signature, {request.events().begin(), request.events().end()});
}

}  // namespace

grpc::ServerUnaryReactor* StartRecordBatch(const ServiceParts& parts,
                                           grpc::CallbackServerContext* context,
                                           const v1::RecordBatchRequest* request,
                                           v1::RecordBatchResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<PrincipalPtr> principal = parts.authorizer.Authorize(*context, kMethod);
  if (!principal.ok()) {
    FinishUnary(parts, kMethod, nullptr, principal.status(), reactor);
    return reactor;
  }
  absl::StatusOr<std::vector<v1::SignedEvent>> events = ReadBatch(*request);
  if (!events.ok()) {
    FinishUnary(parts, kMethod, principal->get(), events.status(), reactor);
    return reactor;
  }
  const auto count = static_cast<int>(events->size());
  for (int i = 0; i < count; ++i) response->add_outcomes();
  const std::shared_ptr<Call> call(new Call{parts, *principal, response, reactor, count});
  for (int i = 0; i < count; ++i) {
    v1::SignedEvent& event = (*events)[static_cast<std::size_t>(i)];
    const absl::Status allowed = CheckRecordSite(**principal, event.event());
    if (!allowed.ok()) {
      call->Answer(i, allowed);
      continue;
    }
    parts.ledger.Record(
        std::move(event), Lane::kBulk,
        [call, i](absl::StatusOr<RecordOutcome> outcome) { call->Answer(i, std::move(outcome)); });
  }
  return reactor;
}

}  // namespace custody
