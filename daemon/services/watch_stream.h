// Entries from an index on, as they become durable.
//
// A watch reads the log behind the write path, so a slow reader slows nobody; it sees every entry
// that its filters let pass, once and in order, however late it is.

#ifndef CUSTODY_DAEMON_SERVICES_WATCH_STREAM_H_
#define CUSTODY_DAEMON_SERVICES_WATCH_STREAM_H_

#include <string_view>

#include "absl/status/status.h"
#include "custody/v1/ledger_service.pb.h"
#include "daemon/services/service_parts.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace custody {

// Deletes itself when the call is done.
grpc::ServerWriteReactor<v1::WatchResponse>* StartWatch(const ServiceParts& parts,
                                                        grpc::CallbackServerContext* context,
                                                        const v1::WatchRequest& request);

// Whether the entry passes the filters: one of the codes, and one of the subjects, and a subject of
// one of the kinds; an empty filter lets everything pass, seals only where all are empty.
bool PassesFilter(const v1::WatchRequest& request, std::string_view entry_bytes);

// Errors: kInvalidArgument E_FIELD naming a code that the catalogue does not have, or too many
// filters.
absl::Status ValidateWatch(const v1::WatchRequest& request);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_WATCH_STREAM_H_
