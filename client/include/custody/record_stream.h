// Recording with many events in flight over one stream.
//
// Events reach the ledger in the order of Send(). When the connection breaks, the stream reconnects
// and sends every event without an answer again, in order: the ledger answers the repeated ones
// with their first receipts, so nothing is recorded twice and nothing is lost.
//
// Threads: Send() and Finish() from any thread, in the order the caller wants; the callback runs on
//          the stream's own thread, one at a time, and may call Send().
// Owns:    one thread; the Client must outlive it.

#ifndef CUSTODY_CLIENT_RECORD_STREAM_H_
#define CUSTODY_CLIENT_RECORD_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/record.pb.h"

namespace custody {

// A recorded event: the receipt has been verified against the configured log keys.
struct RecordResult {
  v1::Receipt receipt;
  // The event had been recorded before; this is a receipt of it again.
  bool already_recorded = false;
  // With CallOptions::wait_witnessed: the checkpoint of the receipt carries the cosignatures of the
  // ledger's quorum. Whether they suffice is for a policy of one's own (custody/verify).
  bool witnessed = false;
  // With wait_witnessed and not `witnessed`: durable, and why no quorum has cosigned in time.
  std::string not_witnessed_reason = {};
};

struct RecordStreamOptions {
  // Events sent and not answered; Send() waits beyond it.
  std::size_t in_flight_max = 256;
  // After a broken stream that brought no answer this often in a row, the stream gives up and every
  // event is answered kUnavailable. 0: never.
  std::uint32_t reconnects_max = 0;
};

// The outcome of one event: `tag` is what Send() returned. An event that was refused does not end
// the stream; an event that is told to wait (kUnavailable, kResourceExhausted) is sent again by the
// stream itself, after its wait and behind the others.
using RecordCallback = std::function<void(std::uint64_t tag, absl::StatusOr<RecordResult> result)>;

class RecordStream {
 public:
  // Ends without waiting: events without an answer are answered kCancelled, outcome unknown.
  virtual ~RecordStream() = default;

  // Takes the event; waits while in_flight_max events have no answer. Called from the callback it
  // never waits.
  // Errors: kCancelled after Finish(); the error with which the stream gave up.
  virtual absl::StatusOr<std::uint64_t> Send(v1::SignedEvent signed_event) = 0;

  // Waits until every event has its answer and ends the stream.
  // Errors: the error with which the stream gave up (every callback has then run, too).
  virtual absl::Status Finish() = 0;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_RECORD_STREAM_H_
