// An HTTP/1.1 server for strangers: GET and HEAD without bodies, bounded in everything that a
// stranger decides.
//
//   slow headers, slow readers   an absolute deadline for each, whatever trickles in between
//   many connections             a bound in all and for each address, told so and closed
//   bodies, other methods        413, 405
//
// Boost.Beast stays behind this header: it is a minute of compiling.
//
// Threads: `handler` runs on the server's threads, AnswerAtOnce() where sockets are served.
// Owns:    its threads and sockets; the handler must outlive it.

#ifndef CUSTODY_DAEMON_GATEWAY_HTTP_SERVER_H_
#define CUSTODY_DAEMON_GATEWAY_HTTP_SERVER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

struct HttpRequest {
  // As sent: path and query.
  std::string target;
  // Of the header; empty if there is none.
  std::string authorization;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string cache_control = "no-store";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // The answer if it can be given without waiting for anybody, else nullopt.
  virtual std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) = 0;
  // The answer; may wait.
  virtual HttpResponse Answer(const HttpRequest& request) = 0;
};

struct HttpServerOptions {
  // "127.0.0.1:8080" or "[::]:8080"; port 0 takes a free one.
  std::string address;
  // PEM; both empty: no TLS.
  std::string certificate_pem;
  std::string private_key_pem;
  std::uint32_t connections_max = 512;
  std::uint32_t connections_per_address_max = 0;  // 0: no bound.
  std::uint32_t header_bytes_max = 8U << 10;
  std::uint32_t header_count_max = 64;
  std::uint32_t target_bytes_max = 512;
  std::uint32_t header_ms_max = 10'000;
  std::uint32_t idle_ms_max = 30'000;
  std::uint32_t answer_ms_max = 30'000;
  // Requests that wait for Answer(), and the threads that run it.
  std::uint32_t waiting_max = 256;
  std::uint32_t answer_threads = 4;
};

// What the server has seen; gauges and counters.
struct HttpCounters {
  std::atomic<std::uint64_t> connections_open = 0;
  std::atomic<std::uint64_t> connections_total = 0;
  std::atomic<std::uint64_t> refused_full = 0;
  std::atomic<std::uint64_t> refused_address = 0;
  std::atomic<std::uint64_t> dropped_slow_headers = 0;
  std::atomic<std::uint64_t> dropped_idle = 0;
  std::atomic<std::uint64_t> dropped_slow_readers = 0;
  std::atomic<std::uint64_t> refused_requests = 0;
  std::atomic<std::uint64_t> overloaded_requests = 0;
};

class HttpServer {
 public:
  // Errors: kInvalidArgument (address, certificate, key); kUnavailable (cannot listen).
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           HttpHandler& handler);
  // Stops at once.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes no new connection, closes idle ones, lets answers under way be sent for so long.
  void Stop(std::uint32_t drain_ms_max);

  // The bound address.
  const std::string& address() const;
  const HttpCounters& counters() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_HTTP_SERVER_H_
