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

std::vector<absl::Status> SignatureCheck::VerifyAll(std::span<const Claim> claims) {
  std::vector<absl::Status> statuses(claims.size());
  std::vector<std::string> messages(claims.size());
  std::vector<VerifyKey::Claim> single;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const ParsedSignature& signature = *claims[i].signature;
    if (signature.batch) {
      statuses[i] = Verify(*claims[i].key, signature);
      continue;
    }
    messages[i] = PreAuthEncoding(PayloadTypeOf(signature), signature.signature.statement());
    single.push_back({claims[i].key, messages[i], signature.signature.signature()});
    places.push_back(i);
  }
  const std::vector<absl::Status> verified = VerifyKey::VerifyAll(single);
  for (std::size_t i = 0; i < places.size(); ++i) {
    statuses[places[i]] = AsRefusal(verified[i], claims[places[i]].signature->signer);
  }
  return statuses;
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
