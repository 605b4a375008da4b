#include "daemon/services/authorizer.h"

#include <memory>
#include <vector>

#include "base/status_macros.h"
#include "crypto/certificate.h"
#include "grpc/grpc_security_constants.h"
#include "lifecycle/refusal.h"

namespace custody {

Authorizer::Authorizer(PrincipalDirectory& directory, bool insecure_loopback)
    : directory_(directory), development_(insecure_loopback ? DevelopmentPrincipal() : nullptr) {}

absl::StatusOr<Digest> Authorizer::KeyOfCertificate(std::string_view pem) {
  const std::string name(Sha256(pem).view());
  {
    const MutexLock lock(mutex_);
    if (const auto found = keys_.find(name); found != keys_.end()) return found->second;
  }
  CUSTODY_ASSIGN_OR_RETURN(const Certificate certificate, ParseCertificatePem(pem));
  const MutexLock lock(mutex_);
  if (keys_.size() >= kCertificatesMax) keys_.clear();
  keys_[name] = certificate.spki_sha256;
  return certificate.spki_sha256;
}

absl::StatusOr<PrincipalPtr> Authorizer::Authorize(const grpc::ServerContextBase& context,
                                                   std::string_view method) {
  PrincipalPtr principal = development_;
  if (principal == nullptr) {
    const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
    const std::vector<grpc::string_ref> certificates =
        peer == nullptr ? std::vector<grpc::string_ref>{}
                        : peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (certificates.empty() || !peer->IsPeerAuthenticated()) {
      return RefusalStatus(absl::StatusCode::kUnauthenticated, v1::REASON_CODE_E_PERMISSION,
                           "the connection has no client certificate",
                           "connect with the certificate under which this client is enrolled");
    }
    CUSTODY_ASSIGN_OR_RETURN(const Digest key, KeyOfCertificate({certificates.front().data(),
                                                                 certificates.front().size()}));
    CUSTODY_ASSIGN_OR_RETURN(principal, directory_.Find(key));
  }
  CUSTODY_RETURN_IF_ERROR(CheckPermission(*principal, method));
  return principal;
}

}  // namespace custody
