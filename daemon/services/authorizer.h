// From a call to its principal: client certificate, key, enrolment, permission.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_SERVICES_AUTHORIZER_H_
#define CUSTODY_DAEMON_SERVICES_AUTHORIZER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "daemon/services/authorization.h"
#include "daemon/services/principal_directory.h"
#include "grpcpp/server_context.h"

namespace custody {

class Authorizer {
 public:
  // With `insecure_loopback` every call is the development principal's.
  Authorizer(PrincipalDirectory& directory, bool insecure_loopback);

  // The principal of this call, if it may call `method` (full name in the descriptor).
  // Errors: kUnauthenticated if the connection has no client certificate; kPermissionDenied
  // E_PERMISSION; those of the store.
  absl::StatusOr<PrincipalPtr> Authorize(const grpc::ServerContextBase& context,
                                         std::string_view method);

 private:
  absl::StatusOr<Digest> KeyOfCertificate(std::string_view pem);

  static constexpr std::size_t kCertificatesMax = 1'024;

  PrincipalDirectory& directory_;
  const PrincipalPtr development_;  // Null with TLS.
  Mutex mutex_;
  // SHA-256 of the PEM text to that of the key.
  std::unordered_map<std::string, Digest> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_AUTHORIZER_H_
