// Decisions that stand on a compromised key.
//
// Each subject remembers who signed the decisions about it. When a key is revoked as compromised
// since a time t0, what it signed and the ledger recorded at t0 or later is suspect: by the
// ledger's own clock and position, never by a time that the key has signed. Nothing is copied or
// rewritten: whoever uses a decision asks for the key at that moment, so one revocation reaches
// every decision of the key at once. What was recorded before t0 stays valid.
//
// Threads: pure.
// Limits:  256 signatures under decisions per subject; the oldest go first.

#ifndef CUSTODY_LIFECYCLE_SUSPECT_KEYS_H_
#define CUSTODY_LIFECYCLE_SUSPECT_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/fold.h"
#include "lifecycle/state_view.h"

namespace custody {

inline constexpr int kDecisionSignaturesMax = 256;

// Remembers the signatures under a decision. An attestation (REC-04) that counts takes the place of
// the signatures under the decisions that it names: from then on they stand on the attester's key.
// Protective decisions are left out, since nothing favourable rests on them, and so is governance.
void RememberSigners(const FoldInput& input, v1::SubjectState* state);

// A decision about a subject, and why it is suspect.
struct SuspectDecision {
  std::uint64_t index = 0;
  SubjectKey signer;
  std::int64_t compromised_since_ms = 0;
  std::uint64_t revoked_by = 0;  // Index of the revocation.

  // For findings and reports.
  std::string Text() const;
};

// In the order of the log; each decision once for each suspect signer. Errors: those of the view.
absl::StatusOr<std::vector<SuspectDecision>> FindSuspectDecisions(const StateView& view,
                                                                  const v1::SubjectState& state);

// Who signed a decision that the subject remembers; empty if it remembers none of this digest.
std::vector<SubjectKey> SignersOf(const v1::SubjectState& state, std::string_view event_digest);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_SUSPECT_KEYS_H_
