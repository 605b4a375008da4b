// One HTTP/1.1 request on a connection of its own, with one deadline for all of it; over TLS 1.2 or
// later where the URL says so, and then only with a certificate of the URL's host.
//
// Threads: any; the calling thread waits.
// Limits:  `timeout_ms` for look-up, connection, request and answer together; the head of the
//          answer has at most 8 KiB.

#ifndef CUSTODY_DAEMON_HTTP_CLIENT_H_
#define CUSTODY_DAEMON_HTTP_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/http/address.h"
#include "daemon/http/message.h"

namespace custody {

struct HttpCallOptions {
  std::int64_t timeout_ms = 5'000;
  std::size_t body_bytes_max = 128U << 10;
  // Sent as "Authorization: Bearer ..."; empty: none.
  std::string bearer_token = {};
  // With TLS: whose certificates are believed, as PEM; empty: those that the system believes.
  std::string authorities_pem = {};
};

// `request.path` is behind the prefix of the URL. Any status is an answer; redirects are not
// followed.
// Errors: kInvalidArgument if the authorities are not PEM; kDeadlineExceeded; kUnavailable if there
// is no connection or no answer of HTTP;
//         kResourceExhausted if the answer is larger than allowed.
absl::StatusOr<HttpResponse> CallHttp(const HttpUrl& url, const HttpRequest& request,
                                      const HttpCallOptions& options);

}  // namespace custody

#endif  // CUSTODY_DAEMON_HTTP_CLIENT_H_
