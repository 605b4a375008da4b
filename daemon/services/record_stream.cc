#include "daemon/services/record_stream.h"

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "daemon/services/site_scope.h"
#include "daemon/services/status_translation.h"

namespace custody {
namespace {

constexpr std::string_view kMethod = "custody.v1.LedgerService.RecordStream";

// Every operation of gRPC is started outside the lock. The call is finished only when nothing is
// being read, written or recorded, and after Finish() nothing of the object is used: gRPC deletes
// it through OnDone().
class RecordStreamReactor final
    : public grpc::ServerBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse> {
 public:
  RecordStreamReactor(const ServiceParts& parts, grpc::CallbackServerContext* context)
      : parts_(parts), context_(context) {
    // At the beginning too, so that a caller without permission hears it before it sends.
    const absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context_, kMethod);
    if (!principal.ok()) {
      finished_ = true;
      parts_.observer.OnAnswer(kMethod, nullptr, principal.status());
      Finish(ToGrpcStatus(principal.status()));
      return;
    }
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (ok) {
      {
        const MutexLock lock(mutex_);
        ++unanswered_;
        bytes_ += request_.ByteSizeLong();
      }
      v1::RecordStreamRequest request;
      request.Swap(&request_);
      Hand(std::move(request));
    }
    Pump([this, ok]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      reading_ = false;
      reads_done_ = !ok;
    });
  }

  void OnWriteDone(bool ok) override {
    Pump([this, ok]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      writing_ = false;
      bytes_ -= answers_.front().ByteSizeLong();
      answers_.pop_front();
      --unanswered_;
      if (!ok) broken_ = true;
    });
  }

  void OnCancel() override {
    Pump([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { broken_ = true; });
  }
  void OnDone() override { delete this; }

 private:
  // What is remembered of an event until it is answered.
  struct Asked {
    std::uint64_t tag = 0;
    std::uint64_t bytes = 0;
  };

  // Gives one event to the ledger; the answer may come before this returns.
  void Hand(v1::RecordStreamRequest request) {
    const Asked asked{request.tag(), request.ByteSizeLong()};
    // Asked anew for each event: a principal that is revoked meanwhile records nothing more. It
    // costs a look at a map while the log stands still.
    const absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context_, kMethod);
    if (!principal.ok()) {
      Answer(asked, nullptr, principal.status());
      return;
    }
    const absl::Status allowed = CheckRecordSite(**principal, request.signed_event().event());
    if (!allowed.ok()) {
      Answer(asked, *principal, allowed);
      return;
    }
    parts_.ledger.Record(std::move(*request.mutable_signed_event()), Lane::kBulk,
                         [this, asked, caller = *principal](absl::StatusOr<RecordOutcome> outcome) {
                           Answer(asked, caller, std::move(outcome));
                         });
  }

  void Answer(Asked asked, const PrincipalPtr& caller, absl::StatusOr<RecordOutcome> outcome) {
    parts_.observer.OnAnswer(kMethod, caller.get(), outcome.status());
    v1::RecordStreamResponse response;
    response.set_tag(asked.tag);
    if (outcome.ok()) {
      *response.mutable_receipt() = std::move(outcome->receipt);
      response.set_already_recorded(outcome->already_recorded);
    } else {
      FillStreamError(outcome.status(), &response);
    }
    Pump([this, &response, bytes = asked.bytes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      // The answer takes the place of the event, which it holds.
      bytes_ += response.ByteSizeLong();
      bytes_ -= bytes;
      answers_.push_back(std::move(response));
    });
  }

  // Changes the state, then starts whatever the state asks for.
  template <typename Change>
  void Pump(Change change) {
    bool read = false;
    bool finish = false;
    bool broken = false;
    const v1::RecordStreamResponse* write = nullptr;
    {
      const MutexLock lock(mutex_);
      change();
      if (broken_) DropUnwritten();
      if (!writing_ && !broken_ && !answers_.empty()) {
        writing_ = true;
        write = &answers_.front();
      }
      if (!reading_ && !reads_done_ && !broken_ &&
          unanswered_ < parts_.limits.stream_in_flight_max &&
          bytes_ < parts_.limits.stream_bytes_max) {
        reading_ = true;
        read = true;
      }
      finish = !finished_ && !reading_ && !writing_ && unanswered_ == 0 && (reads_done_ || broken_);
      if (finish) finished_ = true;
      broken = broken_;
    }
    if (write != nullptr) StartWrite(write);
    if (read) StartRead(&request_);
    if (finish) Finish(broken ? grpc::Status::CANCELLED : grpc::Status::OK);
  }

  // Answers that nobody will take; the one on its way is not ours to drop.
  void DropUnwritten() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::size_t keep = writing_ ? 1 : 0;
    while (answers_.size() > keep) {
      bytes_ -= answers_.back().ByteSizeLong();
      answers_.pop_back();
      --unanswered_;
    }
  }

  const ServiceParts& parts_;
  grpc::CallbackServerContext* const context_;
  v1::RecordStreamRequest request_;  // Belongs to whoever has set reading_.

  Mutex mutex_;
  std::deque<v1::RecordStreamResponse> answers_ ABSL_GUARDED_BY(mutex_);
  // Read, and the answer not yet written.
  std::uint32_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of these: of the answer, or of the event until there is one.
  std::uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // A read is under way, or what it brought is being handed on.
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool reads_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse>* StartRecordStream(
    const ServiceParts& parts, grpc::CallbackServerContext* context) {
  return new RecordStreamReactor(parts, context);
}

}  // namespace custody
