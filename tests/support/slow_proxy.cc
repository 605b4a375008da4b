#include "tests/support/slow_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/support/loopback.h"

namespace custody {
namespace {

constexpr int kPollMs = 20;

bool Readable(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return poll(&wanted, 1, kPollMs) > 0;
}

}  // namespace

SlowProxy::SlowProxy(std::uint16_t port, std::chrono::milliseconds delay, ProxyOpens opens)
    : target_(port), delay_(delay), listener_(BindLoopback(&port_)) {
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
  bool open = false;
  const int server = ConnectLoopback(target_, &open);
  bool waited = false;
  while (open && !stopping_) {
    if (Readable(client)) open = MoveBytes(client, server);
    if (!open || !Readable(server)) continue;
    if (!waited) std::this_thread::sleep_for(delay_);
    waited = true;
    open = MoveBytes(server, client);
  }
  close(server);
  close(client);
}

}  // namespace custody
