#include "daemon/systemd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace custody {

SystemdNotifier::SystemdNotifier() {
  if (const char* path = std::getenv("NOTIFY_SOCKET"); path != nullptr) socket_path_ = path;
  if (const char* text = std::getenv("WATCHDOG_USEC"); text != nullptr) {
    std::int64_t microseconds = 0;
    std::from_chars(text, text + std::strlen(text), microseconds);
    watchdog_interval_ms_ = microseconds / 2'000;
  }
}

void SystemdNotifier::Notify(std::string_view message) const {
  sockaddr_un address{};
  if (socket_path_.empty() || socket_path_.size() >= sizeof(address.sun_path)) return;
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // Abstract names begin so.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  // The sockets interface wants this cast.
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  static_cast<void>(
      ::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL, target, length));
  ::close(descriptor);
}

}  // namespace custody
