// Literal addresses "HOST:PORT" and URLs "http://HOST[:PORT][/PREFIX]", also of "https://".

#ifndef CUSTODY_DAEMON_HTTP_ADDRESS_H_
#define CUSTODY_DAEMON_HTTP_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

struct HostPort {
  std::string host;  // Without the brackets of an IPv6 address.
  std::uint16_t port = 0;
};
// Errors: kInvalidArgument naming the text.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

struct HttpUrl {
  std::string host;
  std::string port;
  std::string host_header;  // As it stands in the URL.
  bool is_tls = false;
  std::string prefix;  // Begins with '/' or is empty; no '/' at its end.
};
// "http://" alone. Errors: kInvalidArgument naming the URL and what it wants.
absl::StatusOr<HttpUrl> ParseHttpUrl(std::string_view url);
// "http://" or "https://". Errors: as ParseHttpUrl().
absl::StatusOr<HttpUrl> ParseWebUrl(std::string_view url);

}  // namespace custody

#endif  // CUSTODY_DAEMON_HTTP_ADDRESS_H_
