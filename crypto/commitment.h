// Salted commitments: the log holds SHA-256(salt || value), the salt and the value travel beside
// it. When they are erased, nobody can tell the value from the log, and no proof breaks.
//
// Threads: pure functions.
// Limits:  the salt is 32 random bytes, used for one value only.

#ifndef CUSTODY_CRYPTO_COMMITMENT_H_
#define CUSTODY_CRYPTO_COMMITMENT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

inline constexpr std::size_t kCommitmentSaltSizeBytes = 32;

// 32 fresh random bytes.
std::string NewCommitmentSalt();

// Errors: kInvalidArgument if the salt is not 32 bytes.
absl::StatusOr<Digest> Commit(std::string_view salt, std::string_view value);

// OK if salt and value open the commitment.
// Errors: kInvalidArgument as Commit(); kUnauthenticated if they do not open it.
absl::Status CheckCommitment(const Digest& commitment, std::string_view salt,
                             std::string_view value);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_COMMITMENT_H_
