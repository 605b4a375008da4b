// Tells systemd how the daemon is (sd_notify protocol), without libsystemd.
//
// Threads: any; each call is one datagram.

#ifndef CUSTODY_DAEMON_SYSTEMD_NOTIFY_H_
#define CUSTODY_DAEMON_SYSTEMD_NOTIFY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace custody {

class SystemdNotifier {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC; without them every call does nothing.
  SystemdNotifier();

  // "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". A message that cannot be sent is lost: the
  // daemon does not depend on its supervisor.
  void Notify(std::string_view message) const;

  // How often "WATCHDOG=1" is expected, halved; 0: never.
  std::int64_t watchdog_interval_ms() const { return watchdog_interval_ms_; }

 private:
  std::string socket_path_;
  std::int64_t watchdog_interval_ms_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SYSTEMD_NOTIFY_H_
