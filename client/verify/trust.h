// What an offline verifier believes: read from the verifier's own trust.toml, never from a bundle.
//
//   ledger           = "custody.example.org/ledger"       # origin, required
//   entry0_leaf_hash = "9f2c..."                          # 64 hex digits, required
//   log_keys         = ["custody.example.org/ledger+1a2b3c4d+AX..."]   # C2SP vkeys, required
//   policy           = "witnesses.txt"   # C2SP tlog-policy: a file beside trust.toml, or the text
//   maximum_age      = "15min"           # of the newest quorum cosignature; needs a policy
//
// Threads: values and pure functions.
// Limits:  64 KiB a file, 16 log keys, 64 witnesses, 64 groups of 64 members.

#ifndef CUSTODY_CLIENT_VERIFY_TRUST_H_
#define CUSTODY_CLIENT_VERIFY_TRUST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/note.h"

namespace custody {

inline constexpr std::size_t kTrustBytesMax = 64U << 10;
inline constexpr std::size_t kTrustLogKeysMax = 16;
inline constexpr std::size_t kPolicyWitnessesMax = 64;
inline constexpr std::size_t kPolicyGroupsMax = 64;
inline constexpr std::size_t kPolicyMembersMax = 64;

// A witness of a policy.
struct PolicyWitness {
  std::string name;
  NoteVerifier verifier;
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

struct Trust {
  std::string ledger;
  Digest entry0_leaf_hash;
  std::vector<NoteVerifier> log_keys;
  std::optional<WitnessPolicy> policy;
  // 0: age is not judged.
  std::int64_t maximum_age_ms = 0;
};

// Reads trust.toml. `file` names it in errors; `read_file` reads the policy named by a relative or
// absolute path (a value with a newline is the policy itself).
//
// Errors: kInvalidArgument "file:line:column: what is wrong", with a suggestion for an unknown key;
// those of read_file.
absl::StatusOr<Trust> ParseTrust(
    std::string_view text, std::string_view file,
    const std::function<absl::StatusOr<std::string>(const std::string& path)>& read_file);

// The same from a file; policies are looked for beside it. Errors: also kNotFound.
absl::StatusOr<Trust> ReadTrustFile(const std::string& path);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_TRUST_H_
