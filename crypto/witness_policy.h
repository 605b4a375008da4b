// C2SP tlog-policy: which logs, which witnesses, and how many of them must have cosigned.
//
// Threads: values and pure functions.
// Format:  lines log, witness, group, quorum; the grammar is in the source.
// Limits:  64 KiB, 32 logs, 64 witnesses, 64 groups of 64 members.

#ifndef CUSTODY_CRYPTO_WITNESS_POLICY_H_
#define CUSTODY_CRYPTO_WITNESS_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/note.h"

namespace custody {

inline constexpr std::size_t kPolicyBytesMax = 64U << 10;
inline constexpr std::size_t kPolicyLogsMax = 32;
inline constexpr std::size_t kPolicyWitnessesMax = 64;
inline constexpr std::size_t kPolicyGroupsMax = 64;
inline constexpr std::size_t kPolicyMembersMax = 64;

// A witness of a policy.
struct PolicyWitness {
  std::string name;
  NoteVerifier verifier;
  std::string url;  // Submission prefix; empty: not stated.
};

// A group: met when at least `threshold` members are.
struct PolicyGroup {
  std::string name;
  std::size_t threshold = 0;
  std::vector<std::string> members;
};

// A C2SP tlog-policy (lines log, witness, group, quorum).
struct WitnessPolicy {
  std::vector<NoteVerifier> logs;
  std::vector<PolicyWitness> witnesses;
  std::vector<PolicyGroup> groups;
  // A witness or group; empty for "none".
  std::string quorum;
};

// Errors: kInvalidArgument "line N: what is wrong".
absl::StatusOr<WitnessPolicy> ParseWitnessPolicy(std::string_view text);

// The time in POSIX seconds at which the quorum stood: the latest T such that the cosignatures not
// older than T still meet it; nullopt if they do not meet it at all. 0 when the quorum is "none".
// `cosignatures` were verified (OpenCheckpoint).
std::optional<std::uint64_t> QuorumTime(const WitnessPolicy& policy,
                                        const std::vector<VerifiedNoteSignature>& cosignatures);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_WITNESS_POLICY_H_
