// The arithmetic of one signature: whether this key made it over this statement.
//
// Threads: SignatureCheck may be used from any thread.

#ifndef CUSTODY_DAEMON_LEDGER_SIGNATURE_CHECK_H_
#define CUSTODY_DAEMON_LEDGER_SIGNATURE_CHECK_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "lifecycle/parsed_event.h"

namespace custody {

class SignatureCheck {
 public:
  // OK if `key` signed the statement. That the statement names the event was checked when it was
  // parsed. A batch statement is verified once and remembered for its other events.
  //
  // Errors: kUnauthenticated E_BAD_SIGNATURE; kInternal.
  absl::Status Verify(const VerifyKey& key, const ParsedSignature& signature);

  // A signature and the key that its statement names; both are the caller's.
  struct Claim {
    const VerifyKey* key = nullptr;
    const ParsedSignature* signature = nullptr;
  };
  // What Verify() says of each, sooner (VerifyKey::VerifyAll).
  std::vector<absl::Status> VerifyAll(std::span<const Claim> claims);

 private:
  static constexpr std::size_t kRememberedMax = 4'096;

  absl::Status VerifyBatch(const VerifyKey& key, const ParsedSignature& signature,
                           const std::string& message);

  Mutex mutex_;
  absl::flat_hash_set<Digest> verified_batches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SIGNATURE_CHECK_H_
