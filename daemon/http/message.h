// A request and an answer of HTTP, as far as the small interfaces of the daemons need them.

#ifndef CUSTODY_DAEMON_HTTP_MESSAGE_H_
#define CUSTODY_DAEMON_HTTP_MESSAGE_H_

#include <string>

namespace custody {

struct HttpRequest {
  std::string method;  // "GET", "POST"
  std::string path;    // "/add-checkpoint", without query
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_HTTP_MESSAGE_H_
