#include "client/retry.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "client/status_translation.h"

namespace custody {
namespace {

using std::chrono::milliseconds;

// Jitter needs no secrecy, only that clients differ.
milliseconds DrawBetween(milliseconds low, milliseconds high) {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution<milliseconds::rep>(low.count(), high.count())(generator));
}

absl::Status WithTries(const absl::Status& status, std::uint32_t tries) {
  if (tries <= 1) {
    return status;
  }
  absl::Status result(status.code(),
                      absl::StrFormat("%s (after %u tries)", std::string(status.message()), tries));
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { result.SetPayload(type, payload); });
  return result;
}

absl::Status RunAttempt(const CallScope& scope, milliseconds length,
                        const std::function<absl::Status(grpc::ClientContext*)>& attempt) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + length);
  const std::stop_callback cancel(scope.stop(), [&context] { context.TryCancel(); });
  return attempt(&context);
}

}  // namespace

milliseconds Backoff::Next(milliseconds at_least) {
  const milliseconds wait = DrawBetween(next_ / 2, next_);
  next_ = std::min(next_ * 2, policy_.backoff_max);
  return std::max(wait, at_least);
}

bool SleepUnlessStopped(milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock<std::mutex> lock(mutex);
  woken.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

CallScope::CallScope(const ClientOptions& options, const CallOptions& call)
    : retry_(options.retry),
      stop_(call.stop),
      deadline_(Clock::now() + (call.deadline.count() > 0 ? call.deadline : options.deadline)) {}

milliseconds CallScope::Left() const {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()));
}

absl::Status CallWithRetry(const CallScope& scope, TryLength length,
                           const std::function<absl::Status(grpc::ClientContext*)>& attempt) {
  Backoff backoff(scope.retry());
  for (std::uint32_t tries = 1;; ++tries) {
    milliseconds left = scope.Left();
    if (length == TryLength::kAttempt) {
      left = std::min(left, scope.retry().attempt_deadline);
    }
    const absl::Status status = RunAttempt(scope, left, attempt);
    if (scope.stop().stop_requested() && !status.ok()) {
      return absl::CancelledError("asked to stop");
    }
    if (status.ok() || !MayTryAgain(status) || tries == scope.retry().attempts_max) {
      return WithTries(status, tries);
    }
    const milliseconds wait = backoff.Next(RetryAfter(status));
    if (wait >= scope.Left()) {
      return WithTries(status, tries);
    }
    if (!SleepUnlessStopped(wait, scope.stop())) {
      return absl::CancelledError("asked to stop");
    }
  }
}

}  // namespace custody
