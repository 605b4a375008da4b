// Streams of entries that go on after a disconnection, each entry once and in order. Entries that
// the client may not see are left out by the server.

#include <chrono>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/client_impl.h"
#include "custody/client.h"

namespace custody {
namespace {

// A year: longer than any process lives, shorter than any clock overflows.
constexpr std::chrono::milliseconds kNoEnd = std::chrono::hours(24 * 365);

// The next entry wanted and what was wrong, if anything.
struct Progress {
  std::uint64_t next = 0;
  // Exclusive; 0: none.
  std::uint64_t end = 0;
  bool moved = false;
  bool ended = false;
  absl::Status wrong;
};

// Hands one entry over; false ends the stream. There may be gaps, since the server leaves out what
// this client may not see, but nothing comes twice, back in order or from outside of the range.
bool Take(std::uint64_t index, std::string_view entry, const Client::EntryCallback& callback,
          Progress* progress) {
  if (index < progress->next || (progress->end != 0 && index >= progress->end)) {
    progress->wrong = absl::DataLossError(absl::StrFormat(
        "the server sent entry %d, the next one was to be %d%s", index, progress->next,
        progress->end == 0 ? " or later" : absl::StrFormat(" or later, before %d", progress->end)));
    return false;
  }
  progress->next = index + 1;
  progress->moved = true;
  progress->ended = !callback(index, entry);
  return !progress->ended;
}

// Opens the stream again and again where it broke, until it ends by itself. A stream that brought
// something starts the waits anew.
absl::Status Follow(const CallScope& scope, TryLength length, Progress* progress,
                    const std::function<absl::Status(grpc::ClientContext*)>& attempt) {
  while (true) {
    progress->moved = false;
    absl::Status broken;
    const absl::Status status = CallWithRetry(scope, length, [&](grpc::ClientContext* context) {
      const absl::Status result = attempt(context);
      if (progress->moved && MayTryAgain(result)) {
        broken = result;
        return absl::OkStatus();
      }
      return result;
    });
    if (!progress->wrong.ok()) {
      return progress->wrong;
    }
    if (!status.ok() || progress->ended || broken.ok()) {
      return status;
    }
    if (scope.stop().stop_requested()) {
      return absl::CancelledError("asked to stop");
    }
    if (scope.Left().count() == 0) {
      return broken;
    }
  }
}

}  // namespace

absl::Status Client::ReadEntries(std::uint64_t begin, std::uint64_t end,
                                 const EntryCallback& callback, const CallOptions& call) {
  Progress progress;
  progress.next = begin;
  progress.end = end;
  const CallScope scope(impl_->options, call, *impl_->channel);
  const auto read = [&](grpc::ClientContext* context) {
    v1::ReadEntriesRequest request;
    request.set_begin(progress.next);
    request.set_end(end);
    if (end != 0 && progress.next >= end) {
      return absl::OkStatus();
    }
    bool handed_over = false;
    return Impl::DrainStream<v1::ReadEntriesResponse>(
        context, [&](grpc::ClientContext* c) { return impl_->ledger->ReadEntries(c, request); },
        [&](const v1::ReadEntriesResponse& response) {
          return Take(response.index(), response.entry(), callback, &progress);
        },
        &handed_over);
  };
  std::uint64_t known_size = 0;
  while (true) {
    CUSTODY_RETURN_IF_ERROR(Follow(scope, TryLength::kStream, &progress, read));
    if (progress.ended || progress.next >= end || known_size >= end) {
      return absl::OkStatus();
    }
    // It ended early: entries that this client may not see stood there, or the log was not so long.
    v1::GetCheckpointResponse newest;
    CUSTODY_RETURN_IF_ERROR(
        CallWithRetry(scope, TryLength::kAttempt, [&](grpc::ClientContext* context) {
          newest.Clear();
          return FromGrpc(
              impl_->ledger->GetCheckpoint(context, v1::GetCheckpointRequest(), &newest));
        }));
    known_size = newest.size();
    if (known_size < end) {
      return absl::OutOfRangeError(
          absl::StrFormat("the log has %d entries, want them up to %d", known_size, end));
    }
  }
}

absl::Status Client::Watch(const v1::WatchRequest& request, const EntryCallback& callback,
                           const CallOptions& call) {
  Progress progress;
  progress.next = request.from_index();
  CallOptions patient = call;
  if (patient.deadline.count() <= 0) {
    patient.deadline = kNoEnd;
  }
  const CallScope scope(impl_->options, patient, *impl_->channel);
  return Follow(scope, TryLength::kWhole, &progress, [&](grpc::ClientContext* context) {
    v1::WatchRequest resumed = request;
    resumed.set_from_index(progress.next);
    bool handed_over = false;
    absl::Status status = Impl::DrainStream<v1::WatchResponse>(
        context, [&](grpc::ClientContext* c) { return impl_->ledger->Watch(c, resumed); },
        [&](const v1::WatchResponse& response) {
          return Take(response.index(), response.entry(), callback, &progress);
        },
        &handed_over);
    // A watch has no end of its own: a server that closes it politely is restarting.
    return status.ok() && !progress.ended && progress.wrong.ok()
               ? absl::UnavailableError("the server closed the watch")
               : status;
  });
}

}  // namespace custody
