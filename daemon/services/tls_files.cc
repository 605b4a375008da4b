#include "daemon/services/tls_files.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"

namespace custody {
namespace {

absl::Status Named(std::string_view what, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s", what, StdView(status.message())));
}

}  // namespace

absl::Status CheckTlsTexts(std::string_view certificate_pem, std::string_view private_key_pem,
                           std::string_view client_ca_pem) {
  const absl::StatusOr<Certificate> certificate = ParseCertificatePem(certificate_pem);
  if (!certificate.ok()) return Named("server certificate", certificate.status());
  const absl::StatusOr<SigningKey> key = SigningKey::FromPem(private_key_pem, "");
  if (!key.ok()) return Named("server key", key.status());
  if (key->verify_key().key_id() != certificate->spki_sha256) {
    return absl::InvalidArgumentError(
        "the server key is not that of the server certificate; name the pair that was made "
        "together");
  }
  const absl::StatusOr<std::vector<Certificate>> authorities =
      ParseCertificateChainPem(client_ca_pem);
  if (!authorities.ok()) return Named("client authorities", authorities.status());
  for (const Certificate& authority : *authorities) {
    if (!authority.is_ca) {
      return absl::InvalidArgumentError(
          absl::StrFormat("client authorities: \"%s\" is not the certificate of an authority",
                          authority.subject_common_name));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCertificateTime(std::string_view certificate_pem, std::int64_t now_ms) {
  CUSTODY_ASSIGN_OR_RETURN(const Certificate certificate, ParseCertificatePem(certificate_pem));
  if (now_ms < certificate.not_before_ms) {
    return absl::FailedPreconditionError("the server certificate is not valid yet");
  }
  if (now_ms > certificate.not_after_ms) {
    return absl::FailedPreconditionError("the server certificate has expired");
  }
  return absl::OkStatus();
}

}  // namespace custody
