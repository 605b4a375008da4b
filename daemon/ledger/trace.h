// Traces: from a dose back to its donors, from a donor forward to every patient.
//
// Breadth first, each subject once; a subject that is reached again is reported again, marked, and
// not followed. So a trace costs what it shows.
//
// Threads: as LedgerReader.

#ifndef CUSTODY_DAEMON_LEDGER_TRACE_H_
#define CUSTODY_DAEMON_LEDGER_TRACE_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "custody/v1/provenance_service.pb.h"
#include "daemon/ledger/ledger_reader.h"

namespace custody {

inline constexpr std::uint32_t kTraceDepthMax = 64;
inline constexpr std::uint64_t kTraceNodesMax = 1'000'000;

// Returns false to stop.
using TraceVisitor = std::function<bool(const v1::TraceNode& node)>;

// Visits `start` first. A depth of 0 means kTraceDepthMax.
// Errors: kNotFound if the log does not know `start`; kResourceExhausted beyond kTraceNodesMax;
// those of the reader.
absl::Status TraceBack(const LedgerReader& reader, const SubjectKey& start, std::uint32_t depth_max,
                       const TraceVisitor& visit);
absl::Status TraceForward(const LedgerReader& reader, const SubjectKey& start,
                          std::uint32_t depth_max, const TraceVisitor& visit);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_TRACE_H_
