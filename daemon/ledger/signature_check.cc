#include "daemon/ledger/signature_check.h"

#include <string>

#include "base/status_macros.h"
#include "crypto/pae.h"
#include "daemon/ledger/ledger_refusals.h"

namespace custody {
namespace {

absl::Status AsRefusal(const absl::Status& status, const SubjectKey& signer) {
  if (status.ok() || status.code() == absl::StatusCode::kInternal) return status;
  return BadSignatureRefusal(Describe(signer));
}

}  // namespace

absl::Status SignatureCheck::Verify(const VerifyKey& key, const ParsedSignature& signature) {
  const std::string message =
      PreAuthEncoding(PayloadTypeOf(signature), signature.signature.statement());
  if (signature.batch) return AsRefusal(VerifyBatch(key, signature, message), signature.signer);
  return AsRefusal(key.Verify(message, signature.signature.signature()), signature.signer);
}

absl::Status SignatureCheck::VerifyBatch(const VerifyKey& key, const ParsedSignature& signature,
                                         const std::string& message) {
  const Digest name = Sha256Hasher()
                          .Update(key.key_id())
                          .Update(Sha256(message))
                          .Update(signature.signature.signature())
                          .Finish();
  {
    const MutexLock lock(mutex_);
    if (verified_batches_.contains(name)) return absl::OkStatus();
  }
  CUSTODY_RETURN_IF_ERROR(key.Verify(message, signature.signature.signature()));
  const MutexLock lock(mutex_);
  if (verified_batches_.size() >= kRememberedMax) verified_batches_.clear();
  verified_batches_.insert(name);
  return absl::OkStatus();
}

}  // namespace custody
