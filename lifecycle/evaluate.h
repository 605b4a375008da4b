// Evaluate: is this event recorded, and with what.
//
// The same code runs in the daemon's sequencer, in dry runs and in audits. Signatures are taken as
// true; whoever calls has verified them against the keys that the statements name.
//
// Threads: pure; one call, one thread.

#ifndef CUSTODY_LIFECYCLE_EVALUATE_H_
#define CUSTODY_LIFECYCLE_EVALUATE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/reason.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/state_view.h"

namespace custody {

// Version of the rules that this program runs.
inline constexpr std::uint32_t kRulesVersion = 1;

struct EvaluationInput {
  std::int64_t recorded_at_ms = 0;
  // The wall clock is trusted; when not, decisions are refused (E_CLOCK) and observations flagged.
  bool clock_healthy = true;
  // The event was made by the ledger itself; only then are `system` events admitted.
  bool from_ledger = false;
  // A dry run of an unsigned event: places without a signer are not violations.
  bool dry_run = false;
};

// The event is recorded.
struct Acceptance {
  std::vector<v1::Finding> findings;
  // Further events to sign with the service key and record right after, in this order: body and
  // reason only.
  std::vector<v1::Event> consequences;
};

// Places of the signature sheet that are still empty; a decision with one is pending.
struct Evaluation {
  // When OK, `acceptance` holds. Otherwise a refusal with a Refusal payload: kFailedPrecondition,
  // kPermissionDenied, kUnauthenticated (unknown key), kUnimplemented, kInvalidArgument.
  absl::Status verdict;
  Acceptance acceptance;
  std::vector<std::uint32_t> open_places;
  // The only thing missing is further signatures: Propose may keep it.
  bool pending = false;
};

// Errors: only failures of the view (kDataLoss, or "cannot be checked" of a bundle).
absl::StatusOr<Evaluation> Evaluate(const StateView& view, const ParsedEvent& event,
                                    const EvaluationInput& input);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_EVALUATE_H_
