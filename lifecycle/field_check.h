// The form of the fields of an event, whatever its type: lengths of ids and hashes, decimals,
// texts, references, scans. What a field means is the business of the rules.
//
// Threads: pure.
// Limits:  times and durations up to the year 9999; text 1,000 bytes (checkpoints of predecessors
//          16 KiB); raw scans 512 bytes; 64 scans; 32 devices; 32 attachments; 64 expected heads;
//          1,024 parts of a group.

#ifndef CUSTODY_LIFECYCLE_FIELD_CHECK_H_
#define CUSTODY_LIFECYCLE_FIELD_CHECK_H_

#include "absl/status/status.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/catalogue.h"

namespace custody {

// Errors: kInvalidArgument with a Refusal payload: E_FIELD, E_PERSONAL_DATA, or the code of a scan
// that cannot be read.
absl::Status CheckHeader(const v1::Event& event);
absl::Status CheckBody(const v1::Event& event, const CatalogueEntry& entry);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_FIELD_CHECK_H_
