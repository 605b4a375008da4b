// Streams: one RecordStream for each channel, the places in flight shared out among them.

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "tests/bench/load.h"

namespace custody {
namespace {

class Stream final
    : public grpc::ClientBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse> {
 public:
  // The places [first, first + count) of the feed are this stream's.
  Stream(v1::LedgerService::Stub* stub, LotFeed* feed, LoadMeter* meter, ReceiptCheck* check,
         std::size_t first, std::size_t count)
      : feed_(*feed), meter_(*meter), check_(*check), first_(first), places_(count) {
    stub->async()->RecordStream(&context_, this);
    StartRead(&response_);
    StartCall();
    for (std::size_t place = 0; place < count; ++place) Send(place);
  }

  void Wait() {
    const MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
  }

  void OnWriteDone(bool ok) override {
    const MutexLock lock(mutex_);
    writing_ = false;
    if (ok) WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const std::size_t place = response_.tag();
    Place& at = places_[place];
    absl::Status status;
    if (response_.status_code() != 0) {
      status = absl::Status(static_cast<absl::StatusCode>(response_.status_code()),
                            response_.status_message());
    } else {
      status = check_.Check(response_.receipt(), at.request.signed_event().event());
    }
    meter_.Answered(at.sent, 1, status);
    Send(place);
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) {
      meter_.Answered(LoadMeter::Clock::now(), 0, absl::UnknownError(status.error_message()));
    }
    const MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }

 private:
  struct Place {
    v1::RecordStreamRequest request;
    LoadMeter::Clock::time_point sent;
  };

  // The place's next event, or the end of the stream after the last place's last one.
  void Send(std::size_t place) {
    v1::SignedEvent* const event = meter_.over() ? nullptr : feed_.Next(first_ + place);
    const MutexLock lock(mutex_);
    if (event == nullptr) {
      if (++ended_ == places_.size()) StartWritesDone();
      return;
    }
    Place& at = places_[place];
    at.request.set_tag(place);
    at.request.mutable_signed_event()->Swap(event);
    at.sent = LoadMeter::Clock::now();
    waiting_.push_back(place);
    if (!writing_) WriteNext();
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (waiting_.empty()) return;
    writing_ = true;
    const std::size_t place = waiting_.front();
    waiting_.pop_front();
    StartWrite(&places_[place].request);
  }

  LotFeed& feed_;
  LoadMeter& meter_;
  ReceiptCheck& check_;
  const std::size_t first_;
  grpc::ClientContext context_;
  v1::RecordStreamResponse response_;

  Mutex mutex_;
  CondVar changed_;
  std::vector<Place> places_;  // A place is written by whoever has its turn.
  std::deque<std::size_t> waiting_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::size_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

LoadResult RunStreams(const Channels& channels, std::vector<Lot>* lots, const LoadPlan& plan,
                      ReceiptCheck* check) {
  LoadMeter meter(plan);
  LotFeed feed(lots, plan.in_flight);
  std::vector<std::unique_ptr<v1::LedgerService::Stub>> stubs;
  std::vector<std::unique_ptr<Stream>> streams;
  std::size_t first = 0;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::size_t end = plan.in_flight * (i + 1) / channels.size();
    if (end == first) continue;
    stubs.push_back(v1::LedgerService::NewStub(channels[i]));
    streams.push_back(
        std::make_unique<Stream>(stubs.back().get(), &feed, &meter, check, first, end - first));
    first = end;
  }
  for (const auto& stream : streams) stream->Wait();
  return meter.Take();
}

}  // namespace custody
