// What a caller without our client library sees: refusals in the details of a call, and health.

#ifndef CUSTODY_TESTS_INTEGRATION_WIRE_PROBE_H_
#define CUSTODY_TESTS_INTEGRATION_WIRE_PROBE_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "custody/v1/reason.pb.h"

namespace custody {

// The refusal in the details of a call; empty if there is none.
v1::Refusal RefusalIn(const grpc::Status& status);
// The code of its first reason; UNSPECIFIED if there is none.
v1::ReasonCode FirstReason(const grpc::Status& status);

inline constexpr char kWritesHealth[] = "custody.v1.LedgerService";
inline constexpr char kReadsHealth[] = "custody.v1.ProvenanceService";

// Asks grpc.health.v1, as a load balancer does; Debian ships no stub for it.
// "SERVING", "NOT_SERVING", or the error of the call. An empty service is the server as a whole.
std::string HealthOf(const std::shared_ptr<grpc::Channel>& channel, const std::string& service);

// Asks until it is as wanted, for at most ten seconds; returns the last answer.
std::string WaitForHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                          const std::string& wanted);

}  // namespace custody

#endif  // CUSTODY_TESTS_INTEGRATION_WIRE_PROBE_H_
