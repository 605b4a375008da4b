// One call with all its tries, under one deadline. Private to client/.
//
// Threads: a CallScope belongs to the thread of its call.

#ifndef CUSTODY_CLIENT_RETRY_H_
#define CUSTODY_CLIENT_RETRY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "absl/status/status.h"
#include "custody/connection.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace custody {

// Waits between tries: doubling from first to max, drawn evenly from the upper half.
class Backoff {
 public:
  // As after `tries_made` waits.
  explicit Backoff(const RetryPolicy& policy, std::uint32_t tries_made = 0);

  // The wait before the next try, at least `at_least`.
  std::chrono::milliseconds Next(std::chrono::milliseconds at_least);
  void Reset() { next_ = policy_.backoff_first; }

 private:
  const RetryPolicy policy_;
  std::chrono::milliseconds next_;
};

// Waits, or ends early when `stopped` says so; true if it waited to the end. Meanwhile the channel
// goes on connecting: gRPC moves a connection only while somebody waits for it.
bool WaitBetweenTries(grpc::Channel& channel, std::chrono::milliseconds duration,
                      const std::function<bool()>& stopped);

// How long a call may take and who may end it.
class CallScope {
 public:
  using Clock = std::chrono::steady_clock;

  // The channel must outlive it.
  CallScope(const ClientOptions& options, const CallOptions& call, grpc::Channel& channel);

  grpc::Channel& channel() const { return channel_; }
  const RetryPolicy& retry() const { return retry_; }
  const std::stop_token& stop() const { return stop_; }
  std::chrono::milliseconds Left() const;

 private:
  grpc::Channel& channel_;
  RetryPolicy retry_;
  std::stop_token stop_;
  Clock::time_point deadline_;
};

// How long one try may take.
enum class TryLength {
  // RetryPolicy::attempt_deadline, or what is left of the call.
  kAttempt,
  // RetryPolicy::stream_deadline, or what is left: streams that go on where they ended.
  kStream,
  // All that is left: streams that cannot, or that wait for what is to come.
  kWhole,
};

// Runs `attempt` until it succeeds, cannot be repeated, or time or tries are used up; sets the
// deadline of each context and ends it when asked to stop.
//
// Errors: those of the last try; kCancelled when asked to stop.
absl::Status CallWithRetry(const CallScope& scope, TryLength length,
                           const std::function<absl::Status(grpc::ClientContext*)>& attempt);

}  // namespace custody

#endif  // CUSTODY_CLIENT_RETRY_H_
