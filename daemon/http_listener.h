// The smallest HTTP server that Prometheus and a load balancer's check can use: GET, loopback, one
// request a connection, one connection at a time.
//
// Threads: `answer` runs on the listener's thread.
// Owns:    one thread and its socket.
// Limits:  4 KiB a request; 2 s for the caller to send it and to take the answer.

#ifndef CUSTODY_DAEMON_HTTP_LISTENER_H_
#define CUSTODY_DAEMON_HTTP_LISTENER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/statusor.h"

namespace custody {

struct HttpAnswer {
  int status = 200;
  std::string body;
};

class HttpListener {
 public:
  using Handler = std::function<HttpAnswer(std::string_view path)>;

  // "127.0.0.1:7444" or "[::1]:7444"; port 0 takes a free one.
  // Errors: kInvalidArgument if the address is not loopback; kUnavailable if it cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Start(const std::string& address,
                                                             Handler handler);
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  int port() const { return port_; }

 private:
  HttpListener(int descriptor, int port, Handler handler);
  void Run();
  void Serve(int connection) const;

  const int descriptor_;
  const int port_;
  const Handler handler_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_HTTP_LISTENER_H_
