// A small HTTP/1.1 server on Boost.Beast: one handler for all paths, one request a connection,
// limits on everything that a peer decides.
//
// TLS is for a proxy in front of it.
//
// Threads: `handler` runs on the server's threads, several at a time; it may block. Stop() waits.
// Owns:    its threads and its socket.
// Limits:  see HttpServerOptions; a head has at most 8 KiB.

#ifndef CUSTODY_DAEMON_HTTP_SERVER_H_
#define CUSTODY_DAEMON_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/http/message.h"

namespace custody {

struct HttpServerOptions {
  // "127.0.0.1:7445", "[::]:7445"; port 0 takes a free one. Names are not looked up.
  std::string address;
  // Beyond it the answer is 413, and the rest is not read.
  std::size_t body_bytes_max = 64U << 10;
  // Connections at a time; beyond it a new one is closed at once.
  std::uint32_t connections_max = 256;
  std::uint32_t threads = 4;
  // How long a peer may take to send its request, and again to take the answer.
  std::int64_t patience_ms = 10'000;
};

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest& request)>;

  // Errors: kInvalidArgument if the address is none; kUnavailable if it cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           Handler handler);
  // Stop(0).
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // With the port that was taken.
  const std::string& address() const;

  // Takes no new connections; waits until those there are have their answers, or the time is over.
  void Stop(std::int64_t deadline_ms);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_HTTP_SERVER_H_
