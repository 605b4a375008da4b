// Checks of the texts that TLS is made from, before gRPC sees them: its own errors name nothing.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_SERVICES_TLS_FILES_H_
#define CUSTODY_DAEMON_SERVICES_TLS_FILES_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace custody {

// OK if the private key is that of the first certificate, and the authorities are certificates of
// authorities.
// Errors: kInvalidArgument naming which of the three is wrong, and why.
absl::Status CheckTlsTexts(std::string_view certificate_pem, std::string_view private_key_pem,
                           std::string_view client_ca_pem);

// OK if the certificate is valid at this moment. Errors: kFailedPrecondition.
absl::Status CheckCertificateTime(std::string_view certificate_pem, std::int64_t now_ms);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_TLS_FILES_H_
