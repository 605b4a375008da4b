#include "daemon/http_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

constexpr std::size_t kRequestBytesMax = 4U << 10;
constexpr int kPollMs = 200;
constexpr time_t kPeerSeconds = 2;

struct BindAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// Only literal loopback addresses.
absl::StatusOr<BindAddress> ParseLoopback(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  bool valid = colon != std::string::npos;
  if (valid) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    valid = error == std::errc() && stop == end;
  }
  BindAddress address;
  const std::string host = valid ? text.substr(0, colon) : "";
  if (host == "[::1]") {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_addr = in6addr_loopback;
    v6->sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
    return address;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  address.length = sizeof(sockaddr_in);
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1;
  if (!is_v4 || (ntohl(v4->sin_addr.s_addr) >> 24U) != 127U) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "metrics.address is \"%s\", want 127.x.x.x:PORT or [::1]:PORT: metrics have no "
        "access control",
        text));
  }
  return address;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

void SendAll(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// The head of the request; empty if the peer sends none in time.
std::string ReceiveHead(int connection) {
  std::string head;
  char buffer[1'024];
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < kRequestBytesMax) {
    const ssize_t count = ::recv(connection, buffer, sizeof(buffer), 0);
    if (count <= 0) return "";
    head.append(buffer, static_cast<std::size_t>(count));
  }
  return head;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Start(const std::string& address,
                                                                  Handler handler) {
  absl::StatusOr<BindAddress> parsed = ParseLoopback(address);
  if (!parsed.ok()) return parsed.status();
  const int descriptor =
      ::socket(parsed->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  auto* name = reinterpret_cast<sockaddr*>(&parsed->storage);
  socklen_t length = parsed->length;
  if (descriptor < 0 || ::bind(descriptor, name, length) != 0 || ::listen(descriptor, 16) != 0 ||
      ::getsockname(descriptor, name, &length) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    return absl::UnavailableError(absl::StrFormat("cannot listen on metrics.address %s", address));
  }
  // The port is at the same place in both kinds of address.
  const int port = ntohs(reinterpret_cast<const sockaddr_in*>(&parsed->storage)->sin_port);
  return std::unique_ptr<HttpListener>(new HttpListener(descriptor, port, std::move(handler)));
}

HttpListener::HttpListener(int descriptor, int port, Handler handler)
    : descriptor_(descriptor), port_(port), handler_(std::move(handler)) {
  thread_ = std::thread([this] { Run(); });
}

HttpListener::~HttpListener() {
  stopping_ = true;
  thread_.join();
  ::close(descriptor_);
}

void HttpListener::Run() {
  while (!stopping_) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) continue;
    const int connection = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const timeval patience{kPeerSeconds, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    Serve(connection);
    ::close(connection);
  }
}

void HttpListener::Serve(int connection) const {
  const std::string head = ReceiveHead(connection);
  if (head.empty()) return;
  HttpAnswer answer{400, "bad request\n"};
  const std::size_t method_end = head.find(' ');
  const std::size_t path_end =
      method_end == std::string::npos ? method_end : head.find(' ', method_end + 1);
  if (path_end != std::string::npos) {
    const std::string_view method = std::string_view(head).substr(0, method_end);
    const std::string_view path =
        std::string_view(head).substr(method_end + 1, path_end - method_end - 1);
    answer = method == "GET" ? handler_(path) : HttpAnswer{405, "only GET\n"};
  }
  SendAll(connection,
          absl::StrFormat("HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                          "Content-Length: %u\r\nConnection: close\r\n\r\n",
                          answer.status, ReasonPhrase(answer.status), answer.body.size()));
  SendAll(connection, answer.body);
}

}  // namespace custody
