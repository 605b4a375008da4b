#include "client/retry.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
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

Backoff::Backoff(const RetryPolicy& policy, std::uint32_t tries_made)
    : policy_(policy), next_(policy.backoff_first) {
  // A wait that no longer grows needs no further round; 0 never does.
  for (; tries_made > 0 && next_.count() > 0 && next_ < policy.backoff_max; --tries_made) {
    next_ = std::min(next_ * 2, policy.backoff_max);
  }
}

milliseconds Backoff::Next(milliseconds at_least) {
  const milliseconds wait = DrawBetween(next_ / 2, next_);
  next_ = std::min(next_ * 2, policy_.backoff_max);
  return std::max(wait, at_least);
}

bool WaitBetweenTries(grpc::Channel& channel, milliseconds duration,
                      const std::function<bool()>& stopped) {
  constexpr milliseconds kLook(20);  // How late a wish to stop may be noticed.
  const CallScope::Clock::time_point end = CallScope::Clock::now() + duration;
  for (auto now = CallScope::Clock::now(); now < end; now = CallScope::Clock::now()) {
    if (stopped()) {
      return false;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - now) + milliseconds(1);
    channel.WaitForStateChange(channel.GetState(/*try_to_connect=*/true),
                               std::chrono::system_clock::now() + std::min(left, kLook));
  }
  return !stopped();
}

CallScope::CallScope(const ClientOptions& options, const CallOptions& call, grpc::Channel& channel)
    : channel_(channel),
      retry_(options.retry),
      stop_(call.stop),
      deadline_(Clock::now() + (call.deadline.count() > 0 ? call.deadline : options.deadline)) {
  if (call.wait_witnessed) {
    retry_.attempt_deadline += call.witnessed_wait;
    deadline_ += call.witnessed_wait;
  }
}

milliseconds CallScope::Left() const {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()));
}

namespace {

milliseconds LengthOf(TryLength length, const CallScope& scope) {
  switch (length) {
    case TryLength::kAttempt:
      return std::min(scope.Left(), scope.retry().attempt_deadline);
    case TryLength::kStream:
      return std::min(scope.Left(), scope.retry().stream_deadline);
    case TryLength::kWhole:
      break;
  }
  return scope.Left();
}

}  // namespace

absl::Status CallWithRetry(const CallScope& scope, TryLength length,
                           const std::function<absl::Status(grpc::ClientContext*)>& attempt) {
  Backoff backoff(scope.retry());
  for (std::uint32_t tries = 1;; ++tries) {
    absl::Status status = RunAttempt(scope, LengthOf(length, scope), attempt);
    if (scope.stop().stop_requested() && !status.ok()) {
      return absl::CancelledError("asked to stop");
    }
    if (absl::IsCancelled(status)) {
      // Nobody here wanted that: a server that stops cancels the calls that it waits for no longer.
      status = absl::UnavailableError(
          absl::StrFormat("the server ended the call: %s", std::string(status.message())));
    }
    if (status.ok() || !MayTryAgain(status) || tries == scope.retry().attempts_max) {
      return WithTries(status, tries);
    }
    const milliseconds wait = backoff.Next(RetryAfter(status));
    if (wait >= scope.Left()) {
      return WithTries(status, tries);
    }
    if (!WaitBetweenTries(scope.channel(), wait, [&] { return scope.stop().stop_requested(); })) {
      return absl::CancelledError("asked to stop");
    }
  }
}

}  // namespace custody
