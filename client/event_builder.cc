#include "custody/event_builder.h"

#include <chrono>
#include <utility>

#include "base/status_macros.h"
#include "crypto/digest.h"
#include "crypto/pae.h"
#include "crypto/random.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/touched_subjects.h"

namespace custody {

EventBuilder::EventBuilder(std::string_view ledger) { event_.set_ledger(std::string(ledger)); }

EventBuilder::EventBuilder(std::string_view ledger, v1::Event event) : event_(std::move(event)) {
  if (event_.ledger().empty()) {
    event_.set_ledger(std::string(ledger));
  }
}

absl::StatusOr<std::string> EventBuilder::Build() {
  if (!bytes_.empty()) {
    return bytes_;
  }
  const std::int64_t now_ms = NowMs();
  if (event_.event_id().empty()) {
    event_.set_event_id(NewUuidV7(now_ms));
  }
  if (!event_.has_occurred_at()) {
    event_.mutable_occurred_at()->set_utc_ms(now_ms);
    event_.mutable_occurred_at()->set_source(v1::TIME_SOURCE_DEVICE);
  }
  FillSubjects(&event_);
  // There are no maps in the language, so one message has one encoding.
  std::string bytes = event_.SerializeAsString();
  CUSTODY_RETURN_IF_ERROR(ParseUnsignedEvent(bytes, event_.ledger()).status());
  bytes_ = std::move(bytes);
  return bytes_;
}

std::string EventDigest(std::string_view event_bytes) {
  const Digest digest = PaeDigest(kEventPayloadType, event_bytes);
  return std::string(digest.view());
}

std::string NewSubjectId() {
  constexpr std::size_t kSubjectIdBytes = 16;
  return RandomBytes(kSubjectIdBytes);
}

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace custody
