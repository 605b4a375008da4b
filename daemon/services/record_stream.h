// Recording with many events in flight on one stream.
//
//   read -> authorise -> Ledger::Record (in the order read) -> answer by tag (in any order)
//
// Nothing is verified in the read handler. Reading stops while stream_in_flight_max events have not
// been answered, counting answers that the client has not taken yet, so a client that does not read
// holds a bounded amount of memory.

#ifndef CUSTODY_DAEMON_SERVICES_RECORD_STREAM_H_
#define CUSTODY_DAEMON_SERVICES_RECORD_STREAM_H_

#include "custody/v1/ledger_service.pb.h"
#include "daemon/services/service_parts.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace custody {

// Deletes itself when the call is done.
grpc::ServerBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse>* StartRecordStream(
    const ServiceParts& parts, grpc::CallbackServerContext* context);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_RECORD_STREAM_H_
