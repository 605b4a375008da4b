// A TCP proxy on loopback whose connections can be broken in the ways of a real network: reset from
// one moment to the next, or silent although both ends believe that they are open. For tests.
//
// Threads: every call from one thread; serves in threads of its own, which the destructor ends.

#ifndef CUSTODY_TESTS_SUPPORT_BREAKABLE_PROXY_H_
#define CUSTODY_TESTS_SUPPORT_BREAKABLE_PROXY_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace custody {

class BreakableProxy {
 public:
  // Forwards to 127.0.0.1:`port`.
  explicit BreakableProxy(std::uint16_t port);
  ~BreakableProxy();
  BreakableProxy(const BreakableProxy&) = delete;
  BreakableProxy& operator=(const BreakableProxy&) = delete;

  // "127.0.0.1:<port>".
  std::string endpoint() const;
  // Connections that are forwarded now.
  int open() const { return open_; }

  // From now on nothing is moved in either direction, and nothing is closed.
  void Freeze() { mode_ = Mode::kFrozen; }
  // Resets every connection on both sides (RST, not FIN), and every later one.
  void Cut() { mode_ = Mode::kCut; }

 private:
  enum class Mode { kForward, kFrozen, kCut };

  void Accept();
  void Serve(int client);

  const std::uint16_t target_;
  std::uint16_t port_ = 0;  // Written when the listener is bound.
  int listener_ = -1;
  std::atomic<Mode> mode_ = Mode::kForward;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> open_ = 0;
  std::vector<std::thread> serving_;  // The accepting thread's, until it has ended.
  std::thread accepting_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_BREAKABLE_PROXY_H_
