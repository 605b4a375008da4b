#include "daemon/http/server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/http/address.h"

namespace custody {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::uint32_t kHeadBytesMax = 8U << 10;
constexpr std::uint32_t kThreadsMax = 64;

// Connections there are, for the limit and for Stop().
class ConnectionCount {
 public:
  bool Enter(std::uint32_t most) {
    const MutexLock lock(mutex_);
    if (count_ >= most) return false;
    ++count_;
    return true;
  }
  void Leave() {
    const MutexLock lock(mutex_);
    --count_;
    left_.NotifyAll();
  }
  void WaitUntilEmpty(std::chrono::steady_clock::time_point deadline) {
    const MutexLock lock(mutex_);
    while (count_ != 0 && left_.WaitUntil(mutex_, deadline)) {
    }
  }

 private:
  Mutex mutex_;
  CondVar left_;
  std::uint32_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// One connection: reads a request, answers it, ends.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, const HttpServerOptions& options, const HttpServer::Handler& handler,
          ConnectionCount& count)
      : stream_(std::move(socket)), options_(options), handler_(handler), count_(count) {
    parser_.header_limit(kHeadBytesMax);
    parser_.body_limit(options.body_bytes_max);
  }
  ~Session() { count_.Leave(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Run() {
    stream_.expires_after(std::chrono::milliseconds(options_.patience_ms));
    http::async_read(
        stream_, buffer_, parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(beast::error_code error) {
    if (error == http::error::body_limit) {
      Answer({413, "text/plain; charset=utf-8",
              absl::StrFormat("the body is larger than %d bytes\n", options_.body_bytes_max)});
      return;
    }
    if (error == http::error::header_limit) {
      Answer({431, "text/plain; charset=utf-8", "the head is too large\n"});
      return;
    }
    if (error && parser_.is_header_done()) return;  // The peer went away.
    if (error) {
      // Also a peer that sent nothing: then nobody reads this.
      Answer({400, "text/plain; charset=utf-8", "this is no request of HTTP/1.1\n"});
      return;
    }
    const auto& message = parser_.get();
    std::string path(message.target());
    path = path.substr(0, path.find('?'));
    Answer(handler_({std::string(message.method_string()), std::move(path), message.body()}));
  }

  void Answer(const HttpResponse& response) {
    answer_.emplace(static_cast<http::status>(response.status), 11);
    answer_->set(http::field::content_type, response.content_type);
    answer_->set("X-Content-Type-Options", "nosniff");
    answer_->keep_alive(false);
    answer_->body() = response.body;
    answer_->prepare_payload();
    stream_.expires_after(std::chrono::milliseconds(options_.patience_ms));
    http::async_write(stream_, *answer_,
                      [self = shared_from_this()](beast::error_code, std::size_t) {
                        beast::error_code ignored;
                        self->stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  const HttpServerOptions& options_;
  const HttpServer::Handler& handler_;
  ConnectionCount& count_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  std::optional<http::response<http::string_body>> answer_;
};

}  // namespace

// In the order of construction; destruction is the reverse.
struct HttpServer::Impl {
  Impl(HttpServerOptions o, Handler h)
      : options(std::move(o)), handler(std::move(h)), acceptor(context) {}

  void Accept() {
    acceptor.async_accept(
        asio::make_strand(context), [this](beast::error_code error, Tcp::socket socket) {
          if (error == asio::error::operation_aborted) return;
          if (!error && count.Enter(options.connections_max)) {
            std::make_shared<Session>(std::move(socket), options, handler, count)->Run();
          }
          Accept();
        });
  }

  const HttpServerOptions options;
  const Handler handler;
  ConnectionCount count;
  asio::io_context context;
  Tcp::acceptor acceptor;
  std::string address;
  std::vector<std::thread> threads;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                              Handler handler) {
  if (options.threads == 0 || options.threads > kThreadsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d threads, want 1 to %d", options.threads, kThreadsMax));
  }
  CUSTODY_ASSIGN_OR_RETURN(const HostPort wanted, ParseHostPort(options.address));
  beast::error_code error;
  const asio::ip::address ip = asio::ip::make_address(wanted.host, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrFormat("\"%s\" is no literal IP address", wanted.host));
  }
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  const Tcp::endpoint endpoint(ip, wanted.port);
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrFormat("cannot listen on %s: %s", options.address, error.message()));
  }
  const std::uint16_t port = impl->acceptor.local_endpoint(error).port();
  impl->address = ip.is_v6() ? absl::StrFormat("[%s]:%d", wanted.host, port)
                             : absl::StrFormat("%s:%d", wanted.host, port);
  impl->Accept();
  for (std::uint32_t i = 0; i < options.threads; ++i) {
    impl->threads.emplace_back([context = &impl->context] { context->run(); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() { Stop(0); }

const std::string& HttpServer::address() const { return impl_->address; }

void HttpServer::Stop(std::int64_t deadline_ms) {
  asio::post(impl_->context, [this] {
    beast::error_code ignored;
    impl_->acceptor.close(ignored);
  });
  impl_->count.WaitUntilEmpty(std::chrono::steady_clock::now() +
                              std::chrono::milliseconds(deadline_ms));
  impl_->context.stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

}  // namespace custody
