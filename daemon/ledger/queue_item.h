// One request on its way through the write path.

#ifndef CUSTODY_DAEMON_LEDGER_QUEUE_ITEM_H_
#define CUSTODY_DAEMON_LEDGER_QUEUE_ITEM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "crypto/digest.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/ledger.h"
#include "lifecycle/parsed_event.h"

namespace custody {

enum class RequestKind { kRecord, kPropose, kCosign };

struct QueueItem {
  RequestKind kind = RequestKind::kRecord;
  Lane lane = Lane::kSingle;
  v1::SignedEvent signed_event;  // Record, propose; moves into `event`.
  Digest cosigned;               // Cosign: digest of the event ...
  v1::Signature signature;       // ... and the signature to add.
  SiteCheck check_site;          // Cosign: whether the caller may sign events of a site.
  ProposeCallback done;
  std::size_t bytes = 0;  // Memory that it is counted with.
  std::chrono::steady_clock::time_point admitted_at;

  // What the verify worker found. An event (or added signature) is set when `verified` is OK.
  absl::Status verified;
  std::shared_ptr<ParsedEvent> event;
  std::optional<ParsedSignature> added;
  // Positions of signatures whose key the worker did not know; the sequencer looks again.
  std::vector<std::size_t> recheck;
  // The worker is done; belongs to the queue's lock.
  bool ready = false;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_QUEUE_ITEM_H_
