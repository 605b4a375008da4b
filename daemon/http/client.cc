#include "daemon/http/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Deadline = std::chrono::steady_clock::time_point;

constexpr std::uint32_t kHeadBytesMax = 8U << 10;

// Asynchronous steps, one after another, each until the same deadline.
class Caller {
 public:
  Caller(const HttpUrl& url, Deadline deadline)
      : url_(url), deadline_(deadline), resolver_(context_), stream_(context_) {}

  absl::StatusOr<HttpResponse> Call(const HttpRequest& request, std::size_t body_bytes_max);

 private:
  using Done = std::function<void(beast::error_code)>;
  // Starts one operation and runs it to its end.
  absl::Status Step(std::string_view what, const std::function<void(Done)>& start);
  absl::Status Connect();

  const HttpUrl& url_;
  const Deadline deadline_;
  asio::io_context context_;
  Tcp::resolver resolver_;
  beast::tcp_stream stream_;
};

absl::Status Caller::Step(std::string_view what, const std::function<void(Done)>& start) {
  std::optional<beast::error_code> result;
  start([&result](beast::error_code error) { result = error; });
  context_.restart();
  context_.run_until(deadline_);
  if (!result.has_value()) {
    resolver_.cancel();
    stream_.cancel();
    // Handlers refer to what the caller is about to leave.
    context_.restart();
    context_.run();
    return absl::DeadlineExceededError(
        absl::StrFormat("%s:%s: no time is left to %s", url_.host, url_.port, what));
  }
  if (!*result) return absl::OkStatus();
  const std::string message =
      absl::StrFormat("%s:%s: cannot %s: %s", url_.host, url_.port, what, result->message());
  return *result == http::error::body_limit ? absl::ResourceExhaustedError(message)
                                            : absl::UnavailableError(message);
}

absl::Status Caller::Connect() {
  Tcp::resolver::results_type found;
  CUSTODY_RETURN_IF_ERROR(Step("look up the host", [&](const Done& done) {
    resolver_.async_resolve(url_.host, url_.port,
                            [&found, done](beast::error_code error, const auto& results) {
                              found = results;
                              done(error);
                            });
  }));
  return Step("connect", [&](const Done& done) {
    stream_.async_connect(found,
                          [done](beast::error_code error, const Tcp::endpoint&) { done(error); });
  });
}

absl::StatusOr<HttpResponse> Caller::Call(const HttpRequest& request, std::size_t body_bytes_max) {
  CUSTODY_RETURN_IF_ERROR(Connect());
  http::request<http::string_body> message(http::string_to_verb(request.method),
                                           url_.prefix + request.path, 11, request.body);
  message.set(http::field::host, url_.host_header);
  message.set(http::field::user_agent, "custody");
  message.keep_alive(false);
  message.prepare_payload();
  CUSTODY_RETURN_IF_ERROR(Step("send the request", [&](const Done& done) {
    http::async_write(stream_, message,
                      [done](beast::error_code error, std::size_t) { done(error); });
  }));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(body_bytes_max);
  CUSTODY_RETURN_IF_ERROR(Step("read the answer", [&](const Done& done) {
    http::async_read_header(stream_, buffer, parser,
                            [done](beast::error_code error, std::size_t) { done(error); });
  }));
  // Beast 1.74 forgets its limit for an answer that comes together with its head.
  const auto announced = parser.content_length();
  if (announced.has_value() && *announced > body_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrFormat("%s:%s: an answer of %d bytes, at most %d",
                                                        url_.host, url_.port, *announced,
                                                        body_bytes_max));
  }
  CUSTODY_RETURN_IF_ERROR(Step("read the answer", [&](const Done& done) {
    http::async_read(stream_, buffer, parser,
                     [done](beast::error_code error, std::size_t) { done(error); });
  }));
  auto answer = parser.release();
  HttpResponse response;
  response.status = static_cast<int>(answer.result_int());
  response.content_type = std::string(answer[http::field::content_type]);
  response.body = std::move(answer.body());
  return response;
}

}  // namespace

absl::StatusOr<HttpResponse> CallHttp(const HttpUrl& url, const HttpRequest& request,
                                      const HttpCallOptions& options) {
  Caller caller(url,
                std::chrono::steady_clock::now() + std::chrono::milliseconds(options.timeout_ms));
  return caller.Call(request, options.body_bytes_max);
}

}  // namespace custody
