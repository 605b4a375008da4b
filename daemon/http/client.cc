#include "daemon/http/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
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

  absl::StatusOr<HttpResponse> Call(const HttpRequest& request, const HttpCallOptions& options);

 private:
  using Done = std::function<void(beast::error_code)>;
  // Starts one operation and runs it to its end.
  absl::Status Step(std::string_view what, const std::function<void(Done)>& start);
  absl::Status Connect();
  absl::Status ShakeHands(const HttpCallOptions& options);
  // `stream` is the connection or TLS over it.
  template <typename Stream>
  absl::StatusOr<HttpResponse> Exchange(Stream& stream, const HttpRequest& request,
                                        const HttpCallOptions& options);

  const HttpUrl& url_;
  const Deadline deadline_;
  asio::io_context context_;
  Tcp::resolver resolver_;
  beast::tcp_stream stream_;
  asio::ssl::context tls_context_{asio::ssl::context::tls_client};
  std::optional<beast::ssl_stream<beast::tcp_stream&>> tls_;
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

absl::Status Caller::ShakeHands(const HttpCallOptions& options) {
  beast::error_code error;
  tls_context_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                               asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                               asio::ssl::context::no_tlsv1_1,
                           error);
  if (!error && options.authorities_pem.empty()) tls_context_.set_default_verify_paths(error);
  if (!error && !options.authorities_pem.empty()) {
    tls_context_.add_certificate_authority(asio::buffer(options.authorities_pem), error);
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the certificates of the authorities cannot be read: %s", error.message()));
  }
  tls_.emplace(stream_, tls_context_);
  tls_->set_verify_mode(asio::ssl::verify_peer);
  tls_->set_verify_callback(asio::ssl::host_name_verification(url_.host));
  // A server of several names is told which is meant; the macro for it is an old cast.
  std::string host = url_.host;
  SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           host.data());
  return Step("agree on TLS", [&](const Done& done) {
    tls_->async_handshake(asio::ssl::stream_base::client, done);
  });
}

absl::StatusOr<HttpResponse> Caller::Call(const HttpRequest& request,
                                          const HttpCallOptions& options) {
  CUSTODY_RETURN_IF_ERROR(Connect());
  if (!url_.is_tls) return Exchange(stream_, request, options);
  CUSTODY_RETURN_IF_ERROR(ShakeHands(options));
  return Exchange(*tls_, request, options);
}

template <typename Stream>
absl::StatusOr<HttpResponse> Caller::Exchange(Stream& stream, const HttpRequest& request,
                                              const HttpCallOptions& options) {
  http::request<http::string_body> message(http::string_to_verb(request.method),
                                           url_.prefix + request.path, 11, request.body);
  message.set(http::field::host, url_.host_header);
  message.set(http::field::user_agent, "custody");
  if (!options.bearer_token.empty()) {
    message.set(http::field::authorization, "Bearer " + options.bearer_token);
  }
  message.keep_alive(false);
  message.prepare_payload();
  CUSTODY_RETURN_IF_ERROR(Step("send the request", [&](const Done& done) {
    http::async_write(stream, message,
                      [done](beast::error_code error, std::size_t) { done(error); });
  }));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(options.body_bytes_max);
  CUSTODY_RETURN_IF_ERROR(Step("read the answer", [&](const Done& done) {
    http::async_read_header(stream, buffer, parser,
                            [done](beast::error_code error, std::size_t) { done(error); });
  }));
  // Beast 1.74 forgets its limit for an answer that comes together with its head.
  const auto announced = parser.content_length();
  if (announced.has_value() && *announced > options.body_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrFormat("%s:%s: an answer of %d bytes, at most %d",
                                                        url_.host, url_.port, *announced,
                                                        options.body_bytes_max));
  }
  CUSTODY_RETURN_IF_ERROR(Step("read the answer", [&](const Done& done) {
    http::async_read(stream, buffer, parser,
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
  return caller.Call(request, options);
}

}  // namespace custody
