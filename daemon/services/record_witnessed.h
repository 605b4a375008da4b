// What the services have of the witnesses: answers that wait for a quorum, and the log as of the
// newest checkpoint that a quorum has cosigned.
//
// Threads: any.

#ifndef CUSTODY_DAEMON_SERVICES_RECORD_WITNESSED_H_
#define CUSTODY_DAEMON_SERVICES_RECORD_WITNESSED_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "custody/v1/ledger_service.pb.h"
#include "daemon/services/service_parts.h"

namespace custody {

// Puts a receipt with the cosignatures of a quorum in the place of the durable one that `response`
// holds, or the reason why there is none in time; then calls `finish`, once.
void AwaitWitnesses(const ServiceParts& parts, std::uint32_t wait_ms_max,
                    v1::RecordResponse* response, std::function<void()> finish);

// Errors: kNotFound while no quorum has cosigned, with what the witnesses said.
absl::StatusOr<std::shared_ptr<const Witnessed>> NewestWitnessed(const ServiceParts& parts);

// The log for a bundle, and the note of its checkpoint.
struct LogForBundle {
  std::shared_ptr<const LedgerSnapshot> snapshot;
  std::string note;
};
// The newest, or with `witnessed` the newest with a quorum.
// Errors: kUnavailable while no quorum has cosigned, or not for longer than the index is kept.
absl::StatusOr<LogForBundle> ChooseLogForBundle(const ServiceParts& parts, bool witnessed);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_RECORD_WITNESSED_H_
