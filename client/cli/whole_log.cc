#include "client/cli/whole_log.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

absl::Status HiddenEntry(std::uint64_t index) {
  return absl::PermissionDeniedError(
      absl::StrFormat("entry %d is of a site that this client may not see; a whole log needs a "
                      "client that may read the entries of every site",
                      index));
}

bool MayGoOn(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

void Progress::Say(std::uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  if (now - said_ < std::chrono::seconds(1)) return;
  said_ = now;
  terminal_.Note(absl::StrFormat("%d of %d entries", done, size_));
}

absl::Status ReadWholeLog(Session& session, std::uint64_t begin, std::uint64_t size,
                          const EntryVisitor& visit, const std::stop_token& stop) {
  if (begin >= size) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  Progress progress(session.terminal(), size);
  CallOptions call;
  call.stop = stop;
  std::uint64_t next = begin;
  absl::Status visited;
  absl::Status status;
  std::uint64_t call_began_at = 0;
  do {
    call_began_at = next;
    status = client->ReadEntries(
        next, size,
        [&](std::uint64_t index, std::string_view entry) {
          visited = index == next ? visit(index, entry) : HiddenEntry(next);
          if (visited.ok()) progress.Say(++next);
          return visited.ok();
        },
        call);
    CUSTODY_RETURN_IF_ERROR(visited);
  } while (MayGoOn(status) && next > call_began_at);
  CUSTODY_RETURN_IF_ERROR(status);
  return next < size ? HiddenEntry(next) : absl::OkStatus();
}

}  // namespace custody
