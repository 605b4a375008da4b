// Unary calls: Record and RecordBatch, through gRPC's callback API.

#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "tests/bench/load.h"

namespace custody {
namespace {

// Waits until every place has said that it is done.
class Places {
 public:
  explicit Places(std::size_t count) : open_(count) {}
  void Done() {
    const MutexLock lock(mutex_);
    --open_;
    changed_.NotifyAll();
  }
  void Wait() {
    const MutexLock lock(mutex_);
    while (open_ != 0) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::size_t open_ ABSL_GUARDED_BY(mutex_);
};

absl::Status FromCall(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::vector<std::unique_ptr<v1::LedgerService::Stub>> StubsOf(const Channels& channels) {
  std::vector<std::unique_ptr<v1::LedgerService::Stub>> stubs;
  stubs.reserve(channels.size());
  for (const auto& channel : channels) stubs.push_back(v1::LedgerService::NewStub(channel));
  return stubs;
}

absl::Status CheckBatch(const v1::RecordBatchRequest& request,
                        const v1::RecordBatchResponse& response, ReceiptCheck* check) {
  if (response.outcomes_size() != request.events_size()) {
    return absl::DataLossError("not one receipt for each event");
  }
  for (int i = 0; i < request.events_size(); ++i) {
    absl::Status status = check->Check(response.outcomes(i).receipt(), request.events(i));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// One place in flight: a call after the other.
template <typename Request, typename Response>
class Caller {
 public:
  // Fills the next request; false when there is none.
  using NextRequest = std::function<bool(Request* request)>;
  // Starts the call.
  using Start = std::function<void(grpc::ClientContext* context, const Request* request,
                                   Response* response, std::function<void(grpc::Status)> done)>;
  // Judges the answer.
  using Judge = std::function<absl::Status(const Request& request, const Response& response)>;
  using CountEvents = std::function<std::size_t(const Request& request)>;

  Caller(LoadMeter* meter, Places* places, NextRequest next, Start start, Judge judge,
         CountEvents count)
      : meter_(*meter),
        places_(*places),
        next_(std::move(next)),
        start_(std::move(start)),
        judge_(std::move(judge)),
        count_(std::move(count)) {}

  void Go() {
    if (meter_.over() || !next_(&request_)) {
      places_.Done();
      return;
    }
    context_.emplace();
    response_.Clear();
    sent_ = LoadMeter::Clock::now();
    start_(&*context_, &request_, &response_, [this](const grpc::Status& status) {
      absl::Status outcome = FromCall(status);
      if (outcome.ok()) outcome = judge_(request_, response_);
      meter_.Answered(sent_, count_(request_), outcome);
      Go();
    });
  }

 private:
  LoadMeter& meter_;
  Places& places_;
  const NextRequest next_;
  const Start start_;
  const Judge judge_;
  const CountEvents count_;
  std::optional<grpc::ClientContext> context_;
  Request request_;
  Response response_;
  LoadMeter::Clock::time_point sent_;
};

}  // namespace

LoadResult RunUnary(const Channels& channels, std::vector<Lot>* lots, const LoadPlan& plan,
                    ReceiptCheck* check) {
  LoadMeter meter(plan);
  LotFeed feed(lots, plan.in_flight);
  Places places(plan.in_flight);
  const std::vector<std::unique_ptr<v1::LedgerService::Stub>> stubs = StubsOf(channels);
  using RecordCaller = Caller<v1::RecordRequest, v1::RecordResponse>;
  std::vector<std::unique_ptr<RecordCaller>> callers;
  callers.reserve(plan.in_flight);
  for (std::size_t place = 0; place < plan.in_flight; ++place) {
    v1::LedgerService::Stub* const stub = stubs[place % stubs.size()].get();
    callers.push_back(std::make_unique<RecordCaller>(
        &meter, &places,
        [&feed, place](v1::RecordRequest* request) {
          v1::SignedEvent* const event = feed.Next(place);
          if (event != nullptr) request->mutable_signed_event()->Swap(event);
          return event != nullptr;
        },
        [stub](grpc::ClientContext* context, const v1::RecordRequest* request,
               v1::RecordResponse* response, std::function<void(grpc::Status)> done) {
          stub->async()->Record(context, request, response, std::move(done));
        },
        [check](const v1::RecordRequest& request, const v1::RecordResponse& response) {
          return check->Check(response.receipt(), request.signed_event().event());
        },
        [](const v1::RecordRequest&) { return std::size_t{1}; }));
  }
  for (const auto& caller : callers) caller->Go();
  places.Wait();
  return meter.Take();
}

LoadResult RunBatches(const Channels& channels, std::vector<v1::RecordBatchRequest>* batches,
                      const LoadPlan& plan, ReceiptCheck* check) {
  LoadMeter meter(plan);
  std::atomic<std::size_t> next{0};
  Places places(plan.in_flight);
  const std::vector<std::unique_ptr<v1::LedgerService::Stub>> stubs = StubsOf(channels);
  using BatchCaller = Caller<v1::RecordBatchRequest, v1::RecordBatchResponse>;
  std::vector<std::unique_ptr<BatchCaller>> callers;
  callers.reserve(plan.in_flight);
  for (std::size_t place = 0; place < plan.in_flight; ++place) {
    v1::LedgerService::Stub* const stub = stubs[place % stubs.size()].get();
    callers.push_back(std::make_unique<BatchCaller>(
        &meter, &places,
        [&next, batches](v1::RecordBatchRequest* request) {
          const std::size_t index = next.fetch_add(1);
          if (index >= batches->size()) return false;
          request->Swap(&(*batches)[index]);
          return true;
        },
        [stub](grpc::ClientContext* context, const v1::RecordBatchRequest* request,
               v1::RecordBatchResponse* response, std::function<void(grpc::Status)> done) {
          stub->async()->RecordBatch(context, request, response, std::move(done));
        },
        [check](const v1::RecordBatchRequest& request, const v1::RecordBatchResponse& response) {
          return CheckBatch(request, response, check);
        },
        [](const v1::RecordBatchRequest& request) {
          return static_cast<std::size_t>(request.events_size());
        }));
  }
  for (const auto& caller : callers) caller->Go();
  places.Wait();
  return meter.Take();
}

}  // namespace custody
