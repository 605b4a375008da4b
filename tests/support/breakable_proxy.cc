#include "tests/support/breakable_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.h"
#include "tests/support/loopback.h"

namespace custody {
namespace {

constexpr int kPollMs = 10;

void Reset(int descriptor) {
  const linger at_once{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace

BreakableProxy::BreakableProxy(std::uint16_t port)
    : target_(port), listener_(BindLoopback(&port_)) {
  CUSTODY_CHECK(listen(listener_, 64) == 0);
  accepting_ = std::thread([this] { Accept(); });
}

BreakableProxy::~BreakableProxy() {
  stopping_ = true;
  accepting_.join();
  for (std::thread& thread : serving_) thread.join();
  close(listener_);
}

std::string BreakableProxy::endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

void BreakableProxy::Accept() {
  while (!stopping_) {
    pollfd wanted{listener_, POLLIN, 0};
    if (poll(&wanted, 1, kPollMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) serving_.emplace_back([this, client] { Serve(client); });
  }
}

void BreakableProxy::Serve(int client) {
  bool open = false;
  const int server = ConnectLoopback(target_, &open);
  ++open_;
  while (open && !stopping_ && mode_ != Mode::kCut) {
    std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (mode_ == Mode::kFrozen) {
      poll(nullptr, 0, kPollMs);
      continue;
    }
    if (poll(ends.data(), ends.size(), kPollMs) <= 0) continue;
    if (ends[0].revents != 0) open = MoveBytes(client, server);
    if (open && ends[1].revents != 0) open = MoveBytes(server, client);
  }
  if (mode_ == Mode::kCut) {
    Reset(client);
    Reset(server);
  }
  --open_;
  close(server);
  close(client);
}

}  // namespace custody
