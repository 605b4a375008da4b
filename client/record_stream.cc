// RecordStream: one thread connects and reads, a second one, alive while a connection is, writes.
//
//   Send() -> unanswered_ (by tag) + to_send_ -> writer -> server -> reader -> callback
//                 ^------------- not answered when the connection broke ------------'

#include "custody/record_stream.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "client/client_impl.h"

namespace custody {
namespace {

using Clock = std::chrono::steady_clock;

// Errors of a whole stream that another connection would meet again.
bool EndsForGood(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

class RecordStreamImpl : public RecordStream {
 public:
  using Believe = std::function<absl::Status(const v1::Receipt& receipt,
                                             const v1::SignedEvent& sent, bool already_recorded)>;

  RecordStreamImpl(grpc::Channel& channel, v1::LedgerService::Stub* stub, const RetryPolicy& retry,
                   Believe believe, RecordCallback callback, const RecordStreamOptions& options)
      : channel_(channel),
        stub_(stub),
        retry_(retry),
        believe_(std::move(believe)),
        callback_(std::move(callback)),
        options_(options),
        runner_([this] { Run(); }) {}

  ~RecordStreamImpl() override;
  absl::StatusOr<std::uint64_t> Send(v1::SignedEvent signed_event) override;
  absl::Status Finish() override;

 private:
  using Stream =
      grpc::ClientReaderWriterInterface<v1::RecordStreamRequest, v1::RecordStreamResponse>;

  struct Waiting {
    v1::SignedEvent event;
    // Not sent before; set by an answer that asked to wait.
    Clock::time_point not_before;
    bool sent = false;
    std::uint32_t tries = 0;
  };

  void Run();
  // False: nothing is left to do.
  bool WaitForWork();
  absl::Status RunConnection();
  // After a connection that ended with the status: waits before the next one, or ends the stream.
  void WaitOrGiveUp(const absl::Status& status, Backoff* backoff);
  void WriteUntilBroken(Stream* stream, grpc::ClientContext* context);
  void Handle(const v1::RecordStreamResponse& response);
  // The outcome of one answer; nullopt when the event is to be sent again.
  std::optional<absl::StatusOr<RecordResult>> Judge(const v1::RecordStreamResponse& response,
                                                    const Waiting& waiting);
  void Answer(std::uint64_t tag, absl::StatusOr<RecordResult> result);
  void GiveUp(const absl::Status& status);
  void QueueUnanswered() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool GaveUp();

  grpc::Channel& channel_;
  v1::LedgerService::Stub* const stub_;
  const RetryPolicy retry_;
  const Believe believe_;
  const RecordCallback callback_;
  const RecordStreamOptions options_;

  Mutex mutex_;
  CondVar changed_;
  std::map<std::uint64_t, Waiting> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::uint64_t> to_send_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_tag_ ABSL_GUARDED_BY(mutex_) = 1;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status gave_up_ ABSL_GUARDED_BY(mutex_);
  std::uint32_t fruitless_ ABSL_GUARDED_BY(mutex_) = 0;
  Clock::time_point last_progress_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;

  std::thread runner_;  // Last: it uses everything above.
};

RecordStreamImpl::~RecordStreamImpl() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    if (context_ != nullptr) {
      context_->TryCancel();
    }
  }
  changed_.NotifyAll();
  runner_.join();
}

absl::StatusOr<std::uint64_t> RecordStreamImpl::Send(v1::SignedEvent signed_event) {
  // The callback must not wait for answers that only its own thread could bring.
  const bool may_wait = std::this_thread::get_id() != runner_.get_id();
  const MutexLock lock(mutex_);
  while (may_wait && unanswered_.size() >= options_.in_flight_max && !finishing_ && !stopping_ &&
         gave_up_.ok()) {
    changed_.Wait(mutex_);
  }
  if (!gave_up_.ok()) {
    return gave_up_;
  }
  if (finishing_ || stopping_) {
    return absl::CancelledError("the stream was finished");
  }
  const std::uint64_t tag = next_tag_++;
  unanswered_[tag].event = std::move(signed_event);
  to_send_.push_back(tag);
  changed_.NotifyAll();
  return tag;
}

absl::Status RecordStreamImpl::Finish() {
  const MutexLock lock(mutex_);
  finishing_ = true;
  changed_.NotifyAll();
  while (!done_) changed_.Wait(mutex_);
  return gave_up_;
}

bool RecordStreamImpl::WaitForWork() {
  const MutexLock lock(mutex_);
  while (unanswered_.empty() && !finishing_ && !stopping_) changed_.Wait(mutex_);
  return !stopping_ && gave_up_.ok() && !unanswered_.empty();
}

void RecordStreamImpl::Run() {
  Backoff backoff(retry_);
  while (WaitForWork()) {
    WaitOrGiveUp(RunConnection(), &backoff);
  }
  if (!GaveUp()) {
    GiveUp(absl::CancelledError("the stream ended before the event was answered; outcome unknown"));
  }
  const MutexLock lock(mutex_);
  done_ = true;
  changed_.NotifyAll();
}

bool RecordStreamImpl::GaveUp() {
  const MutexLock lock(mutex_);
  return !gave_up_.ok();
}

void RecordStreamImpl::WaitOrGiveUp(const absl::Status& status, Backoff* backoff) {
  MutexLock lock(mutex_);
  if (!gave_up_.ok() || stopping_) {
    return;
  }
  if (fruitless_ == 0) {
    backoff->Reset();
  }
  ++fruitless_;
  if (EndsForGood(status)) {
    lock.Unlock();
    GiveUp(status);
    return;
  }
  if (options_.reconnects_max != 0 && fruitless_ > options_.reconnects_max) {
    const std::string text =
        absl::StrFormat("no answer after %u connections: %s", fruitless_, status.ToString());
    lock.Unlock();
    GiveUp(absl::UnavailableError(text));
    return;
  }
  if (!unanswered_.empty()) {
    lock.Unlock();
    WaitBetweenTries(channel_, backoff->Next(std::chrono::milliseconds(0)), [this] {
      const MutexLock stop_lock(mutex_);
      return stopping_;
    });
  }
}

void RecordStreamImpl::QueueUnanswered() {
  to_send_.clear();
  for (auto& [tag, waiting] : unanswered_) {
    waiting.sent = false;
    to_send_.push_back(tag);
  }
}

absl::Status RecordStreamImpl::RunConnection() {
  grpc::ClientContext context;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return absl::CancelledError("stopping");
    }
    QueueUnanswered();
    broken_ = false;
    last_progress_ = Clock::now();
    context_ = &context;
  }
  const auto stream = stub_->RecordStream(&context);
  std::thread writer([&] { WriteUntilBroken(stream.get(), &context); });
  v1::RecordStreamResponse response;
  while (stream->Read(&response)) {
    Handle(response);
  }
  {
    const MutexLock lock(mutex_);
    broken_ = true;
    context_ = nullptr;
  }
  changed_.NotifyAll();
  writer.join();
  return FromGrpc(stream->Finish());
}

void RecordStreamImpl::WriteUntilBroken(Stream* stream, grpc::ClientContext* context) {
  MutexLock lock(mutex_);
  while (!broken_ && !stopping_) {
    if (unanswered_.empty() && finishing_) {
      lock.Unlock();
      stream->WritesDone();
      return;
    }
    const Clock::time_point now = Clock::now();
    // Each unanswered event is on its way or waits to be sent: only the first kind is owed an
    // answer.
    if (unanswered_.size() == to_send_.size()) {
      last_progress_ = now;
    } else if (now - last_progress_ > retry_.attempt_deadline) {
      context->TryCancel();  // Silent for too long: another connection.
      return;
    }
    if (to_send_.empty() || unanswered_[to_send_.front()].not_before > now) {
      // Wakes for new events and answers; the time is for the waits and for silence.
      constexpr std::chrono::milliseconds kLook(50);
      changed_.WaitUntil(mutex_, now + kLook);
      continue;
    }
    const std::uint64_t tag = to_send_.front();
    to_send_.pop_front();
    Waiting& waiting = unanswered_[tag];
    waiting.sent = true;
    v1::RecordStreamRequest request;
    request.set_tag(tag);
    *request.mutable_signed_event() = waiting.event;
    lock.Unlock();
    if (!stream->Write(request)) {
      return;  // The reader sees the end, too.
    }
    lock.Lock();
  }
}

std::optional<absl::StatusOr<RecordResult>> RecordStreamImpl::Judge(
    const v1::RecordStreamResponse& response, const Waiting& waiting) {
  absl::Status status;
  if (response.has_receipt() && response.status_code() == 0) {
    status = believe_(response.receipt(), waiting.event, response.already_recorded());
    if (status.ok()) {
      return RecordResult{response.receipt(), response.already_recorded()};
    }
  } else {
    status =
        FromStreamAnswer(response.status_code(), response.status_message(), response.refusal());
  }
  const bool tries_left = retry_.attempts_max == 0 || waiting.tries + 1 < retry_.attempts_max;
  if (MayTryAgain(status) && tries_left) {
    Backoff backoff(retry_, waiting.tries);
    const auto wait = backoff.Next(RetryAfter(status));
    const MutexLock lock(mutex_);
    const auto found = unanswered_.find(response.tag());
    if (found != unanswered_.end()) {
      found->second.not_before = Clock::now() + wait;
      found->second.sent = false;
      ++found->second.tries;
      to_send_.push_back(response.tag());
      changed_.NotifyAll();
    }
    return std::nullopt;
  }
  return status;
}

void RecordStreamImpl::Handle(const v1::RecordStreamResponse& response) {
  Waiting waiting;
  {
    const MutexLock lock(mutex_);
    fruitless_ = 0;
    last_progress_ = Clock::now();
    const auto found = unanswered_.find(response.tag());
    if (found == unanswered_.end() || !found->second.sent || !gave_up_.ok()) {
      return;
    }
    waiting = found->second;
  }
  std::optional<absl::StatusOr<RecordResult>> result = Judge(response, waiting);
  if (!result.has_value()) {
    return;
  }
  const absl::Status status = result->status();
  Answer(response.tag(), *std::move(result));
  if (absl::IsDataLoss(status)) {
    GiveUp(status);
  }
}

void RecordStreamImpl::Answer(std::uint64_t tag, absl::StatusOr<RecordResult> result) {
  {
    const MutexLock lock(mutex_);
    unanswered_.erase(tag);
  }
  changed_.NotifyAll();
  callback_(tag, std::move(result));
}

void RecordStreamImpl::GiveUp(const absl::Status& status) {
  std::map<std::uint64_t, Waiting> left;
  {
    const MutexLock lock(mutex_);
    if (!absl::IsCancelled(status)) {
      gave_up_ = status;
    }
    left.swap(unanswered_);
    to_send_.clear();
    broken_ = true;
    if (context_ != nullptr) {
      context_->TryCancel();
    }
  }
  changed_.NotifyAll();
  for (const auto& [tag, waiting] : left) {
    callback_(tag, status);
  }
}

absl::StatusOr<std::unique_ptr<RecordStream>> Client::OpenRecordStream(
    RecordCallback callback, RecordStreamOptions options) {
  if (absl::Status status = impl_->guard->CheckConfigured(); !status.ok()) {
    return status;
  }
  if (options.in_flight_max == 0) {
    return absl::InvalidArgumentError("in_flight_max is 0, want at least 1");
  }
  Impl* const impl = impl_.get();
  const auto believe = [impl](const v1::Receipt& receipt, const v1::SignedEvent& sent,
                              bool already_recorded) {
    return impl->BelieveReceipt(receipt, sent, already_recorded, CallOptions());
  };
  return std::unique_ptr<RecordStream>(
      std::make_unique<RecordStreamImpl>(*impl->channel, impl->ledger.get(), impl->options.retry,
                                         believe, std::move(callback), options));
}

}  // namespace custody
