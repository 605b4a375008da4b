// The one place where a status of ours becomes a status of gRPC.
//
// A Refusal travels in error_details() as custody.v1.RpcStatus, which is google.rpc.Status on the
// wire, so that every gRPC library finds it under "grpc-status-details-bin".
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_SERVICES_STATUS_TRANSLATION_H_
#define CUSTODY_DAEMON_SERVICES_STATUS_TRANSLATION_H_

#include <cstddef>

#include "absl/status/status.h"
#include "custody/v1/ledger_service.pb.h"
#include "grpcpp/support/status.h"

namespace custody {

// What gRPC lets pass as trailers by default is 8 KiB with everything; longer details are cut to
// the first reasons.
inline constexpr std::size_t kErrorDetailsBytesMax = 6U << 10;

// Same code, same message. A malformed, unknown or too large question that carries no refusal gets
// one with the matching reason (E_FIELD, E_UNKNOWN_SUBJECT, E_MISSING). Never fails.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The answer to one event of a stream. Never fails.
void FillStreamError(const absl::Status& status, v1::RecordStreamResponse* response);
// The same for one event of a batch.
void FillStreamError(const absl::Status& status, v1::RecordOutcome* outcome);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_STATUS_TRANSLATION_H_
