#include "crypto/commitment.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/random.h"

namespace custody {

std::string NewCommitmentSalt() { return RandomBytes(kCommitmentSaltSizeBytes); }

absl::StatusOr<Digest> Commit(std::string_view salt, std::string_view value) {
  // The fixed length is what keeps salt and value apart.
  if (salt.size() != kCommitmentSaltSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("salt has %d bytes, want %d", salt.size(), kCommitmentSaltSizeBytes));
  }
  return Sha256Hasher().Update(salt).Update(value).Finish();
}

absl::Status CheckCommitment(const Digest& commitment, std::string_view salt,
                             std::string_view value) {
  CUSTODY_ASSIGN_OR_RETURN(const Digest opened, Commit(salt, value));
  if (opened != commitment) {
    return absl::UnauthenticatedError("salt and value do not open the commitment");
  }
  return absl::OkStatus();
}

}  // namespace custody
