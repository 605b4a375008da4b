// A TCP proxy on loopback that holds back every answer: a server on a busy machine, as its clients
// see it. For tests.
//
// Threads: serves in threads of its own; the destructor ends them.

#ifndef CUSTODY_TESTS_SUPPORT_SLOW_PROXY_H_
#define CUSTODY_TESTS_SUPPORT_SLOW_PROXY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace custody {

enum class ProxyOpens { kAtOnce, kWhenAsked };

class SlowProxy {
 public:
  // Forwards to 127.0.0.1:`port`; the first bytes of an answer wait `delay`.
  SlowProxy(std::uint16_t port, std::chrono::milliseconds delay,
            ProxyOpens opens = ProxyOpens::kAtOnce);
  ~SlowProxy();
  SlowProxy(const SlowProxy&) = delete;
  SlowProxy& operator=(const SlowProxy&) = delete;

  // Until then connections are refused. Once, by whoever asked for kWhenAsked.
  void Open();

  // "127.0.0.1:<port>".
  std::string endpoint() const;
  int connections() const { return connections_; }

 private:
  void Accept();
  void Serve(int client);

  std::uint16_t target_;
  std::chrono::milliseconds delay_;
  std::uint16_t port_ = 0;  // Written when the listener is bound.
  int listener_ = -1;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_SLOW_PROXY_H_
