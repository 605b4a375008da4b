// Who signed, whether they may, and which places of the signature sheet are still empty.
//
// Authority is judged at the position of the log: roles and keys as the states before the event
// say, expiry by recorded_at. One natural person fills at most one place, whatever keys or roles
// they use.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_AUTHORITY_H_
#define CUSTODY_LIFECYCLE_AUTHORITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/policy.pb.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/rule_context.h"
#include "lifecycle/state_view.h"

namespace custody {

struct Authority {
  // kUnauthenticated with a Refusal payload if a key is not enrolled for the person or device that
  // its statement names: nothing of the event may be recorded. Else OK.
  absl::Status known_keys;
  // In the order of the signatures.
  std::vector<EventSigner> signers;
  // What is wrong, each with the severity of its finding on an observation.
  std::vector<RuleContext::Violation> violations;
  // Places without a signer, by position in CatalogueRow.signatures; waived ones excluded.
  std::vector<std::uint32_t> open_places;
  // Further signatures would put everything right.
  bool only_open_places = false;
};

// Judges all signatures of an event.
//
//   limits   of the ledger (entry 0); zero fields mean the defaults
//
// Errors: those of the view.
absl::StatusOr<Authority> JudgeAuthority(const StateView& view, const ParsedEvent& event,
                                         const EvaluationInput& input,
                                         const v1::LedgerState& ledger);

// The product that an event is about: named by the event itself, or by the batch, container,
// donation or order that it touches. Empty if there is none. Errors: those of the view.
absl::StatusOr<std::string> ProductOf(const StateView& view, const ParsedEvent& event);

// One person's or device's signature, judged without the sheet: what REC-07 asks about a signature
// that is added.
// Errors: those of the view.
absl::StatusOr<EventSigner> JudgeSigner(const StateView& view, const ParsedEvent& event,
                                        const ParsedSignature& signature,
                                        const EvaluationInput& input, const v1::LedgerState& ledger,
                                        std::vector<RuleContext::Violation>* violations);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_AUTHORITY_H_
