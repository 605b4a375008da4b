// Recording many observations with one batch statement: each becomes an event of its own, in the
// order of the call, in the bulk lane; the answer goes out when the last of them has its outcome.

#ifndef CUSTODY_DAEMON_SERVICES_RECORD_BATCH_H_
#define CUSTODY_DAEMON_SERVICES_RECORD_BATCH_H_

#include "custody/v1/ledger_service.pb.h"
#include "daemon/services/service_parts.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace custody {

// gRPC keeps request and response until the call has ended.
grpc::ServerUnaryReactor* StartRecordBatch(const ServiceParts& parts,
                                           grpc::CallbackServerContext* context,
                                           const v1::RecordBatchRequest* request,
                                           v1::RecordBatchResponse* response);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_RECORD_BATCH_H_
