// Events that the ledger itself states and signs with its service key, as a device.
//
// Threads: immutable; any thread.

#ifndef CUSTODY_DAEMON_LEDGER_SYSTEM_EVENTS_H_
#define CUSTODY_DAEMON_LEDGER_SYSTEM_EVENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/parsed_event.h"

namespace custody {

// The id of the nth consequence of an entry: a UUIDv7 whose random part is a hash, so that a replay
// makes the same one.
std::string ConsequenceEventId(const Digest& cause_leaf_hash, std::uint32_t ordinal,
                               std::int64_t recorded_at_ms);

// Consequences of consequences end somewhere; a rule that asks for more is wrong. How many a single
// cause may have in all, and how deep they go.
inline constexpr int kConsequencesMax = 128;
inline constexpr int kConsequenceDepthMax = 8;

// `body` (body and reason are set) with the header that the ledger gives it.
v1::Event CompleteSystemEvent(v1::Event body, std::string_view origin, std::string event_id,
                              std::int64_t at_ms, std::string_view site_id);

class SystemEvents {
 public:
  SystemEvents(std::string origin, std::string service_device_id, SigningKey key)
      : origin_(std::move(origin)),
        device_id_(std::move(service_device_id)),
        key_(std::move(key)) {}

  // Completes `body` (body and reason are set), signs it and parses it.
  // Errors: those of ParseSignedEvent(); kInternal.
  absl::StatusOr<ParsedEvent> Make(v1::Event body, std::string event_id, std::int64_t at_ms,
                                   std::string_view site_id) const;

 private:
  std::string origin_;
  std::string device_id_;
  SigningKey key_;
};

// REC-07.
v1::Event SignatureAddedBody(const Digest& event_digest, const std::vector<SubjectKey>& subjects,
                             const v1::Signature& signature);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SYSTEM_EVENTS_H_
