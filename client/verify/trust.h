// What an offline verifier believes: read from the verifier's own trust.toml, never from a bundle.
//
//   ledger           = "custody.example.org/ledger"       # origin, required
//   entry0_leaf_hash = "9f2c..."                          # 64 hex digits, required
//   log_keys         = ["custody.example.org/ledger+1a2b3c4d+AX..."]   # C2SP vkeys, required
//   retired_log_keys = [{key = "...", last_size = 41233}]   # keys out of use, and the largest
//                                            # checkpoint, in entries, that each may have signed
//   policy           = "witnesses.txt"   # C2SP tlog-policy: a file beside trust.toml, or the text
//   maximum_age      = "15min"           # of the newest quorum cosignature; needs a policy
//   auditors         = ["regulator-audit"]   # witnesses of the policy whose cosignature says that
//                                            # they recomputed the log; needs a policy
//   timestamp_ca     = "tsa-ca.pem"  # certificates of authorities of time (RFC 3161): a file
//   beside
//                                    # trust.toml, or the PEM text
//
// Threads: values and pure functions.
// Limits:  64 KiB a file, 16 log keys, 64 retired ones, 64 witnesses, 64 groups of 64 members.

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
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "crypto/witness_policy.h"

namespace custody {

inline constexpr std::size_t kTrustBytesMax = 64U << 10;
inline constexpr std::size_t kTrustLogKeysMax = 16;
inline constexpr std::size_t kTrustRetiredKeysMax = 64;

struct Trust {
  std::string ledger;
  Digest entry0_leaf_hash;
  std::vector<NoteVerifier> log_keys;
  std::vector<RetiredLogKey> retired_log_keys;
  std::optional<WitnessPolicy> policy;
  // 0: age is not judged.
  std::int64_t maximum_age_ms = 0;
  // Names of witnesses of the policy.
  std::vector<std::string> auditors;
  // Empty: no time stamp is believed.
  std::string timestamp_authorities_pem;
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

// A checkpoint of the trusted ledger, by its log keys in use or retired. Cosignatures of the
// witnesses of the policy are verified too.
// Errors: those of OpenCheckpointWithRetired().
absl::StatusOr<OpenedCheckpoint> OpenTrustedCheckpoint(std::string_view note, const Trust& trust);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_TRUST_H_
