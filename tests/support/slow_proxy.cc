#include "tests/support/slow_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.h"

namespace custody {
namespace {

constexpr int kPollMs = 20;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool Readable(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return poll(&wanted, 1, kPollMs) > 0;
}

// Moves what is there. False when the connection ended.
bool Move(int from, int to) {
  std::array<char, 65536> bytes;
  const ssize_t count = recv(from, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  return send(to, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
}

}  // namespace

SlowProxy::SlowProxy(std::uint16_t port, std::chrono::milliseconds delay, ProxyOpens opens)
    : target_(port), delay_(delay), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CUSTODY_CHECK(bind(listener_, generic, size) == 0);
  CUSTODY_CHECK(getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  if (opens == ProxyOpens::kAtOnce) Open();
}

void SlowProxy::Open() {
  CUSTODY_CHECK(listen(listener_, 16) == 0);
  accepting_ = std::thread([this] { Accept(); });
}

SlowProxy::~SlowProxy() {
  stopping_ = true;
  if (accepting_.joinable()) accepting_.join();
  for (std::thread& thread : serving_) thread.join();
  close(listener_);
}

std::string SlowProxy::endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

void SlowProxy::Accept() {
  while (!stopping_) {
    if (!Readable(listener_)) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    ++connections_;
    serving_.emplace_back([this, client] { Serve(client); });
  }
}

void SlowProxy::Serve(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  bool waited = false;
  while (open && !stopping_) {
    if (Readable(client)) open = Move(client, server);
    if (!open || !Readable(server)) continue;
    if (!waited) std::this_thread::sleep_for(delay_);
    waited = true;
    open = Move(server, client);
  }
  close(server);
  close(client);
}

}  // namespace custody
