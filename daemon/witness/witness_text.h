// What a witness shows over HTTP: its interface to logs, its metrics and its health.
//
//   POST /add-checkpoint      GET /<hash>/checkpoint      GET /healthz      GET /metrics
//
// Threads: any.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_TEXT_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_TEXT_H_

#include <string>

#include "daemon/http/message.h"
#include "daemon/witness/auditor.h"
#include "daemon/witness/witness.h"

namespace custody {

// `auditor`: null if this witness does not audit.
HttpResponse AnswerWitnessRequest(Witness& witness, const Auditor* auditor,
                                  const HttpRequest& request);

// In the text form of Prometheus.
std::string WitnessMetricsText(const Witness& witness, const Auditor* auditor);

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_TEXT_H_
