// deps: custody_lifecycle
//
// Whatever a submitter posts: no crash, a refusal with a reason, and for what is accepted the laws
// of the record: the bytes are the only encoding of the event, and reading them again gives the
// same.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/refusal.h"
#include "lifecycle/touched_subjects.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  custody::v1::SignedEvent signed_event;
  if (!signed_event.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto parsed = custody::ParseSignedEvent(signed_event, "l");
  if (!parsed.ok()) {
    const auto refusal = custody::RefusalOf(parsed.status());
    CUSTODY_CHECK(parsed.status().code() == absl::StatusCode::kInvalidArgument);
    CUSTODY_CHECK(refusal.has_value() && !refusal->reasons().empty());
  } else {
    CUSTODY_CHECK(parsed->event.SerializeAsString() == signed_event.event());
    const auto again = custody::ReadRecordedEvent(signed_event);
    CUSTODY_CHECK(again.ok() && again->digest == parsed->digest);
    CUSTODY_CHECK(again->subjects == parsed->subjects);
    CUSTODY_CHECK(again->signatures.size() == parsed->signatures.size());
  }
  const auto unsigned_event = custody::ParseUnsignedEvent(signed_event.event(), "l");
  CUSTODY_CHECK(!parsed.ok() || unsigned_event.ok());
  return 0;
}
