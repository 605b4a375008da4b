// The only source that sees Boost.Beast.

#include "daemon/gateway/http_server.h"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <thread>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/gateway/doorman.h"

namespace custody {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using Milliseconds = std::chrono::milliseconds;

// What a client that was refused may still send before the socket closes, so that it reads why.
constexpr auto kLingerTime = std::chrono::seconds(1);
constexpr std::size_t kLingerBytesMax = 64U << 10;
constexpr auto kAcceptPause = Milliseconds(100);
constexpr auto kStopPoll = Milliseconds(20);

absl::StatusOr<tcp::endpoint> ParseAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code bad;
    const asio::ip::address address = asio::ip::make_address(host, bad);
    if (error == std::errc() && stop == end && !bad) return tcp::endpoint(address, port);
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("listen.address is \"%s\", want IPV4:PORT or [IPV6]:PORT", text));
}

// What sessions share. Sessions die before it: the threads end first.
struct Shared {
  Shared(HttpServerOptions chosen, HttpHandler& answers)
      : options(std::move(chosen)),
        handler(answers),
        doorman(options, &counters),
        answerers(options.answer_threads) {}

  const HttpServerOptions options;
  HttpHandler& handler;
  HttpCounters counters;
  Doorman doorman;
  std::atomic<bool> stopping = false;
  std::atomic<std::uint32_t> waiting = 0;
  // Closers of the sessions that live, by number.
  Mutex mutex;
  std::uint64_t next_number ABSL_GUARDED_BY(mutex) = 0;
  std::map<std::uint64_t, std::function<void()>> closers ABSL_GUARDED_BY(mutex);
  asio::io_context io;
  asio::thread_pool answerers;  // Last: its jobs use the others.
};

HttpResponse Refusal(int status, std::string message) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(message) + "\n";
  return response;
}

// The head of a request, judged. OK: nullopt.
template <typename Parser>
std::optional<HttpResponse> JudgeHead(const Parser& parser, const HttpServerOptions& options) {
  const auto& head = parser.get();
  if (head.method() != http::verb::get && head.method() != http::verb::head) {
    HttpResponse refusal = Refusal(405, "only GET and HEAD are served here");
    refusal.headers.emplace_back("Allow", "GET, HEAD");
    return refusal;
  }
  const auto length = parser.content_length();
  if (parser.chunked() || (length.has_value() && *length > 0)) {
    return Refusal(413, "a request to this server has no body");
  }
  if (head.target().size() > options.target_bytes_max) {
    return Refusal(414, absl::StrFormat("the target has %u bytes, want at most %u",
                                        head.target().size(), options.target_bytes_max));
  }
  const auto count = static_cast<std::uint64_t>(std::distance(head.begin(), head.end()));
  if (count > options.header_count_max) {
    return Refusal(431, absl::StrFormat("the request has %u header fields, want at most %u", count,
                                        options.header_count_max));
  }
  if (head.version() == 11 && head.count(http::field::host) != 1) {
    return Refusal(400, "an HTTP/1.1 request has one Host field");
  }
  if (head.count(http::field::authorization) > 1) {
    return Refusal(400, "a request has at most one Authorization field");
  }
  return std::nullopt;
}

// One connection. Everything runs on its strand.
template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Shared& shared, Stream stream, std::string address)
      : shared_(shared),
        stream_(std::move(stream)),
        address_(std::move(address)),
        buffer_(shared.options.header_bytes_max) {}

  ~Session() {
    shared_.doorman.Leave(address_);
    const MutexLock lock(shared_.mutex);
    shared_.closers.erase(number_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() {
    {
      const MutexLock lock(shared_.mutex);
      number_ = shared_.next_number++;
      shared_.closers[number_] = [weak = this->weak_from_this()] {
        if (const auto self = weak.lock()) {
          asio::post(self->stream_.get_executor(), [self] { self->CloseIfIdle(); });
        }
      };
    }
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      Lowest().expires_after(Milliseconds(shared_.options.header_ms_max));
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (error == beast::error::timeout) {
                                  ++self->shared_.counters.dropped_slow_headers;
                                }
                                if (!error) self->Read();
                              });
    } else {
      asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->Read(); });
    }
  }

 private:
  beast::tcp_stream& Lowest() { return beast::get_lowest_layer(stream_); }

  // The deadline is for the whole head, from the moment at which it is waited for.
  void Read() {
    if (shared_.stopping) return;
    reading_ = true;
    parser_.emplace();
    parser_->header_limit(shared_.options.header_bytes_max);
    Lowest().expires_after(
        Milliseconds(first_ ? shared_.options.header_ms_max : shared_.options.idle_ms_max));
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, std::size_t) { self->OnHead(error); });
  }

  void OnHead(error_code error) {
    reading_ = false;
    if (error == beast::error::timeout) {
      const bool began = first_ || buffer_.size() > 0;
      ++(began ? shared_.counters.dropped_slow_headers : shared_.counters.dropped_idle);
      return;
    }
    if (error == http::error::end_of_stream) return;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      Refuse(Refusal(431, absl::StrFormat("the head of the request is larger than %u bytes",
                                          shared_.options.header_bytes_max)));
      return;
    }
    if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      Refuse(Refusal(400, "this is not an HTTP request: " + error.message()));
      return;
    }
    if (error) return;
    first_ = false;
    if (std::optional<HttpResponse> refusal = JudgeHead(*parser_, shared_.options)) {
      Refuse(*std::move(refusal));
      return;
    }
    Ask();
  }

  void Refuse(HttpResponse refusal) {
    ++shared_.counters.refused_requests;
    Write(std::move(refusal), /*keep_alive=*/false);
  }

  void Ask() {
    const auto& head = parser_->get();
    HttpRequest request{std::string(head.target()), std::string(head[http::field::authorization])};
    if (std::optional<HttpResponse> answer = shared_.handler.AnswerAtOnce(request)) {
      Write(*std::move(answer), head.keep_alive());
      return;
    }
    if (shared_.waiting.fetch_add(1) >= shared_.options.waiting_max) {
      --shared_.waiting;
      ++shared_.counters.overloaded_requests;
      HttpResponse busy = Refusal(503, "too many requests wait for the ledger; try again");
      busy.headers.emplace_back("Retry-After", "1");
      Write(std::move(busy), head.keep_alive());
      return;
    }
    Lowest().expires_never();
    asio::post(shared_.answerers, [self = this->shared_from_this(), request = std::move(request)] {
      HttpResponse answer = self->shared_.handler.Answer(request);
      --self->shared_.waiting;
      asio::post(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable {
        self->Write(std::move(answer), self->parser_->get().keep_alive());
      });
    });
  }

  void Write(HttpResponse answer, bool keep_alive) {
    keep_alive = keep_alive && !shared_.stopping;
    const bool head_only = parser_->get().method() == http::verb::head;
    const std::size_t length = answer.body.size();
    response_ = {};
    response_.version(parser_->get().version() == 10 ? 10 : 11);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(http::field::server, "custody-gateway");
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, answer.cache_control);
    response_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    response_.keep_alive(keep_alive);
    response_.body() = std::move(answer.body);
    response_.content_length(length);
    serializer_.emplace(response_);
    Lowest().expires_after(Milliseconds(shared_.options.answer_ms_max));
    auto written = [self = this->shared_from_this(), keep_alive](error_code error, std::size_t) {
      self->OnWritten(error, keep_alive);
    };
    if (head_only) {
      http::async_write_header(stream_, *serializer_, std::move(written));
    } else {
      http::async_write(stream_, *serializer_, std::move(written));
    }
  }

  void OnWritten(error_code error, bool keep_alive) {
    if (error == beast::error::timeout) ++shared_.counters.dropped_slow_readers;
    if (error) return;
    if (keep_alive) {
      Read();
      return;
    }
    error_code ignored;
    Lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    Lowest().expires_after(kLingerTime);
    Linger();
  }

  // Closing while the client still sends would reset the connection, and it would not read why.
  void Linger() {
    Lowest().async_read_some(asio::buffer(linger_), [self = this->shared_from_this()](
                                                        error_code error, std::size_t count) {
      self->lingered_ += count;
      if (!error && self->lingered_ < kLingerBytesMax) self->Linger();
    });
  }

  void CloseIfIdle() {
    if (!reading_) return;
    error_code ignored;
    Lowest().socket().close(ignored);
  }

  Shared& shared_;
  Stream stream_;
  const std::string address_;
  std::uint64_t number_ = 0;
  bool first_ = true;
  bool reading_ = false;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::array<char, 2'048> linger_{};
  std::size_t lingered_ = 0;
};

absl::StatusOr<std::unique_ptr<asio::ssl::context>> MakeTls(const HttpServerOptions& options) {
  if (options.certificate_pem.empty()) return std::unique_ptr<asio::ssl::context>();
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1,
                   error);
  if (!error) tls->use_certificate_chain(asio::buffer(options.certificate_pem), error);
  if (error) {
    return absl::InvalidArgumentError("listen.certificate_file holds no certificate chain: " +
                                      error.message());
  }
  tls->use_private_key(asio::buffer(options.private_key_pem), asio::ssl::context::pem, error);
  if (error) {
    return absl::InvalidArgumentError("listen.private_key_file holds no key of the certificate: " +
                                      error.message());
  }
  return tls;
}

// For those who are not let in: sent at once or not at all.
void TurnAway(tcp::socket socket, Doorman::Verdict verdict) {
  const bool full = verdict == Doorman::Verdict::kFull;
  const std::string_view body =
      full ? "all connections are taken; try again\n" : "too many connections from this address\n";
  const std::string text = absl::StrFormat(
      "HTTP/1.1 %s\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: %u\r\nConnection: close\r\n\r\n%s",
      full ? "503 Service Unavailable" : "429 Too Many Requests", body.size(), body);
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, HttpHandler& handler,
       std::unique_ptr<asio::ssl::context> tls)
      : shared_(options, handler),
        tls_(std::move(tls)),
        acceptor_(asio::make_strand(shared_.io)),
        pause_(acceptor_.get_executor()) {}

  ~Impl() { Stop(0); }

  absl::Status Listen(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    const tcp::endpoint bound = error ? endpoint : acceptor_.local_endpoint(error);
    if (error) {
      return absl::UnavailableError(absl::StrFormat("cannot listen on listen.address %s: %s",
                                                    shared_.options.address, error.message()));
    }
    std::string host = bound.address().to_string();
    if (bound.address().is_v6()) host = "[" + host + "]";
    address_ = absl::StrFormat("%s:%d", host, bound.port());
    asio::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < kSocketThreads; ++i) threads_.emplace_back([this] { shared_.io.run(); });
    return absl::OkStatus();
  }

  void Stop(std::uint32_t drain_ms_max) {
    if (shared_.stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    CloseIdle();
    const auto deadline = std::chrono::steady_clock::now() + Milliseconds(drain_ms_max);
    while (shared_.counters.connections_open > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kStopPoll);
      CloseIdle();
    }
    shared_.answerers.join();
    shared_.io.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  const std::string& address() const { return address_; }
  const HttpCounters& counters() const { return shared_.counters; }

 private:
  static constexpr int kSocketThreads = 2;

  void Accept() {
    acceptor_.async_accept(asio::make_strand(shared_.io),
                           [this](error_code error, tcp::socket socket) {
                             if (shared_.stopping) return;
                             if (error) {
                               PauseAccepting();
                               return;
                             }
                             Admit(std::move(socket));
                             Accept();
                           });
  }

  // Mostly: no descriptors are left. Trying again at once would only burn a processor.
  void PauseAccepting() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code error) {
      if (!error && !shared_.stopping) Accept();
    });
  }

  void Admit(tcp::socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // Gone already.
    std::string address = peer.address().to_string();
    const Doorman::Verdict verdict = shared_.doorman.Enter(address);
    if (verdict != Doorman::Verdict::kWelcome) {
      if (tls_ == nullptr) TurnAway(std::move(socket), verdict);
      return;
    }
    socket.set_option(tcp::no_delay(true), error);
    if (tls_ == nullptr) {
      std::make_shared<Session<beast::tcp_stream>>(shared_, beast::tcp_stream(std::move(socket)),
                                                   std::move(address))
          ->Start();
    } else {
      std::make_shared<Session<TlsStream>>(shared_, TlsStream(std::move(socket), *tls_),
                                           std::move(address))
          ->Start();
    }
  }

  void CloseIdle() {
    std::vector<std::function<void()>> closers;
    {
      const MutexLock lock(shared_.mutex);
      for (const auto& [number, close] : shared_.closers) closers.push_back(close);
    }
    // Without the lock: a closer may hold the last share of its session, which takes the lock.
    for (const auto& close : closers) close();
  }

  Shared shared_;
  const std::unique_ptr<asio::ssl::context> tls_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::string address_;
  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                              HttpHandler& handler) {
  CUSTODY_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, ParseAddress(options.address));
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<asio::ssl::context> tls, MakeTls(options));
  auto impl = std::make_unique<Impl>(options, handler, std::move(tls));
  CUSTODY_RETURN_IF_ERROR(impl->Listen(endpoint));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
void HttpServer::Stop(std::uint32_t drain_ms_max) { impl_->Stop(drain_ms_max); }
const std::string& HttpServer::address() const { return impl_->address(); }
const HttpCounters& HttpServer::counters() const { return impl_->counters(); }

}  // namespace custody
