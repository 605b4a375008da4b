// Events: from a message that a program fills to the bytes that are signed.
//
//   EventBuilder builder("custody.example.org/ledger");
//   builder.event().set_site_id(site);
//   builder.event().mutable_thaw_started()->add_container_ids(container);
//   CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, builder.Build());
//
// The bytes are final: they are signed, sent, stored and hashed as they are. Keep them until the
// receipt is there; a retry must send these bytes and not a new event.
//
// Threads: one thread.
// Limits:  36 KiB an event with its signatures, 256 subjects.

#ifndef CUSTODY_CLIENT_EVENT_BUILDER_H_
#define CUSTODY_CLIENT_EVENT_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "custody/v1/event.pb.h"

namespace custody {

class EventBuilder {
 public:
  // `ledger` is the origin of the ledger for which the event is meant.
  explicit EventBuilder(std::string_view ledger);
  // Goes on from an event that was filled elsewhere.
  EventBuilder(std::string_view ledger, v1::Event event);

  // The event to fill: body and header. What stands in the header is kept.
  v1::Event& event() { return event_; }

  // Fills what is empty (ledger, event_id with a fresh UUIDv7, occurred_at with the clock of this
  // machine), derives the subjects from the body, serializes once and checks the result as the
  // ledger will: encoding, sizes, lengths of ids, personal data in scans. Rules that need the state
  // of the ledger are judged there; Client::Evaluate() asks without recording.
  //
  // Errors: kInvalidArgument with a Refusal (refusal.h) naming the field; a second call returns the
  // same bytes.
  absl::StatusOr<std::string> Build();

 private:
  v1::Event event_;
  std::string bytes_;
};

// 32 bytes: SHA-256(PAE("application/vnd.custody.event.v1+protobuf", event bytes)); the name of the
// event everywhere.
std::string EventDigest(std::string_view event_bytes);

// 16 random bytes: the id of a new subject.
std::string NewSubjectId();

// Milliseconds since 1970-01-01T00:00:00Z by the clock of this machine.
std::int64_t NowMs();

}  // namespace custody

#endif  // CUSTODY_CLIENT_EVENT_BUILDER_H_
