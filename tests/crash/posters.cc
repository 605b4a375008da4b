#include "tests/crash/posters.h"

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/mutex.h"

namespace custody {
namespace {

using std::chrono::milliseconds;

// Outcomes that a killed daemon explains; everything else contradicts a promise.
bool OutcomeUnknown(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsResourceExhausted(status);
}

// Which event a stream's answer is about: the answer may come before Send() has said the tag.
class StreamBook {
 public:
  // The answer, if it has come already.
  std::optional<absl::StatusOr<RecordResult>> Sent(std::uint64_t tag,
                                                   const v1::SignedEvent& event) {
    const MutexLock lock(mutex_);
    const auto found = early_.find(tag);
    if (found == early_.end()) {
      in_flight_.emplace(tag, event);
      return std::nullopt;
    }
    absl::StatusOr<RecordResult> result = std::move(found->second);
    early_.erase(found);
    return result;
  }
  // The event, if its tag is known already; otherwise keeps the result.
  std::optional<v1::SignedEvent> Answered(std::uint64_t tag, absl::StatusOr<RecordResult>* result) {
    const MutexLock lock(mutex_);
    const auto found = in_flight_.find(tag);
    if (found == in_flight_.end()) {
      early_.emplace(tag, std::move(*result));
      return std::nullopt;
    }
    v1::SignedEvent event = std::move(found->second);
    in_flight_.erase(found);
    return event;
  }

 private:
  Mutex mutex_;
  std::map<std::uint64_t, v1::SignedEvent> in_flight_ ABSL_GUARDED_BY(mutex_);
  std::map<std::uint64_t, absl::StatusOr<RecordResult>> early_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

void Gate::Open() {
  const MutexLock lock(mutex_);
  open_ = true;
  changed_.NotifyAll();
}

void Gate::Close() {
  const MutexLock lock(mutex_);
  open_ = false;
}

bool Gate::Pass(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  const MutexLock lock(mutex_);
  while (!open_ && !stop.stop_requested()) changed_.Wait(mutex_);
  return !stop.stop_requested();
}

class Posters::Poster {
 public:
  Poster(const RealLedger& ledger, const Cast& cast, Journal& journal, Gate& gate, int number,
         std::uint64_t seed)
      : journal_(journal), gate_(gate), random_(seed), source_(ledger, cast, seed) {
    ClientOptions options = ledger.client_options();
    options.retry.backoff_first = milliseconds(20);
    options.retry.backoff_max = milliseconds(200);
    options.deadline = std::chrono::minutes(2);
    const bool hasty = number % 4 == 1;
    if (hasty) options.retry.attempts_max = 1;
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(options);
    CUSTODY_CHECK(client.ok());
    client_ = *std::move(client);
    thread_ = std::jthread([this, number](const std::stop_token& stop) {
      if (number % 4 < 2) {
        PostOneByOne(stop);
      } else {
        PostByStream(stop, /*forgetful=*/number % 4 == 3);
      }
    });
  }

  void AskToStop() { thread_.request_stop(); }

 private:
  void PostOneByOne(const std::stop_token& stop) {
    CallOptions call;
    call.stop = stop;
    while (gate_.Pass(stop)) {
      const v1::SignedEvent event = NextEvent();
      const absl::StatusOr<RecordResult> result = client_->Record(event, call);
      Note(event, result);
      // Nobody is there: look again a little later.
      if (!result.ok()) std::this_thread::sleep_for(milliseconds(20));
    }
  }

  void PostByStream(const std::stop_token& stop, bool forgetful) {
    while (gate_.Pass(stop)) PostOneStream(stop, forgetful);
  }

  void PostOneStream(const std::stop_token& stop, bool forgetful) {
    StreamBook book;
    RecordStreamOptions options;
    options.in_flight_max = 64;
    options.reconnects_max = 200;
    absl::StatusOr<std::unique_ptr<RecordStream>> stream = client_->OpenRecordStream(
        [&](std::uint64_t tag, absl::StatusOr<RecordResult> result) {
          if (const auto event = book.Answered(tag, &result)) Note(*event, result);
        },
        options);
    CUSTODY_CHECK(stream.ok());
    const std::uint64_t events = 20 + random_() % 200;
    for (std::uint64_t i = 0; i < events && gate_.Pass(stop); ++i) {
      const v1::SignedEvent event = NextEvent();
      const absl::StatusOr<std::uint64_t> tag = (*stream)->Send(event);
      if (!tag.ok()) break;
      if (const auto result = book.Sent(*tag, event)) Note(event, *result);
    }
    // A stream that is not finished gives up what it has in flight.
    if (!forgetful && !stop.stop_requested()) (*stream)->Finish().IgnoreError();
    stream->reset();
  }

  // In the journal before it is sent, so that nothing in the log can be unknown.
  v1::SignedEvent NextEvent() {
    v1::SignedEvent event = source_.Next();
    journal_.Sent(event);
    return event;
  }

  void Note(const v1::SignedEvent& event, const absl::StatusOr<RecordResult>& result) {
    if (result.ok()) {
      journal_.Acknowledged(event, result->receipt);
      source_.Acknowledged(event);
    } else if (!OutcomeUnknown(result.status())) {
      journal_.Problem(absl::StrFormat("a client was answered: %s", result.status().ToString()));
    }
  }

  Journal& journal_;
  Gate& gate_;
  std::mt19937_64 random_;
  EventSource source_;
  std::unique_ptr<Client> client_;
  std::jthread thread_;
};

Posters::Posters(const RealLedger& ledger, const Cast& cast, Journal& journal, Gate& gate,
                 int count, std::uint64_t seed) {
  for (int i = 0; i < count; ++i) {
    posters_.push_back(std::make_unique<Poster>(ledger, cast, journal, gate, i,
                                                seed * 1'000 + static_cast<std::uint64_t>(i)));
  }
}

Posters::~Posters() {
  for (const auto& poster : posters_) poster->AskToStop();
}

}  // namespace custody
