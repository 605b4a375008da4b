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

}  // namespace

void Progress::Say(std::uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  if (now - said_ < std::chrono::seconds(1)) return;
  said_ = now;
  terminal_.Note(absl::StrFormat("%d of %d entries", done, size_));
}

absl::Status ReadWholeLog(Session& session, std::uint64_t begin, std::uint64_t size,
                          const EntryVisitor& visit) {
  if (begin >= size) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  Progress progress(session.terminal(), size);
  CallOptions call;
  call.deadline = std::chrono::milliseconds(0);
  std::uint64_t next = begin;
  absl::Status visited;
  const absl::Status status = client->ReadEntries(
      begin, size,
      [&](std::uint64_t index, std::string_view entry) {
        visited = index == next ? visit(index, entry) : HiddenEntry(next);
        progress.Say(++next);
        return visited.ok();
      },
      call);
  CUSTODY_RETURN_IF_ERROR(visited);
  CUSTODY_RETURN_IF_ERROR(status);
  return next < size ? HiddenEntry(next) : absl::OkStatus();
}

}  // namespace custody
