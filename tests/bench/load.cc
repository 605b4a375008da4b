#include "tests/bench/load.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "custody/v1/provenance_service.grpc.pb.h"

namespace custody {

LoadMeter::LoadMeter(const LoadPlan& plan)
    : begin_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(plan.warmup_seconds))),
      end_(begin_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(plan.seconds))),
      last_(begin_) {}

void LoadMeter::Answered(Clock::time_point sent, std::size_t events, const absl::Status& status) {
  const Clock::time_point now = Clock::now();
  const MutexLock lock(mutex_);
  if (!status.ok() && ++result_.failures == 1) result_.first_failure = status.ToString();
  if (now < begin_ || now > end_) return;
  last_ = now;
  result_.events += events;
  result_.latency_us.push_back(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now - sent).count()));
}

LoadResult LoadMeter::Take() {
  const MutexLock lock(mutex_);
  result_.seconds = std::chrono::duration<double>(last_ - begin_).count();
  return std::move(result_);
}

v1::SignedEvent* LotFeed::Next(std::size_t place) {
  Place& at = places_[place];
  if (at.lot == nullptr || at.next == at.lot->size()) {
    const std::size_t lot = next_lot_.fetch_add(1);
    if (lot >= lots_.size()) return nullptr;
    if (at.lot != nullptr) Lot().swap(*at.lot);
    at = {&lots_[lot], 0};
  }
  return &(*at.lot)[at.next++];
}

LoadResult RunVerdicts(const Channels& channels, const v1::VerifyDoseRequest& question,
                       const LoadPlan& plan) {
  const auto stub = v1::ProvenanceService::NewStub(channels.front());
  LoadMeter meter(plan);
  std::optional<v1::VerdictValue> first;
  while (!meter.over()) {
    grpc::ClientContext context;
    v1::VerifyDoseResponse answer;
    const auto sent = LoadMeter::Clock::now();
    const grpc::Status status = stub->VerifyDose(&context, question, &answer);
    absl::Status outcome;
    if (!status.ok()) outcome = absl::UnknownError(status.error_message());
    if (!first.has_value()) first = answer.verdict().value();
    if (answer.verdict().value() != *first) outcome = absl::UnknownError("another verdict");
    meter.Answered(sent, 1, outcome);
  }
  return meter.Take();
}

}  // namespace custody
