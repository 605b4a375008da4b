// Reading a whole log, with progress: for the export and the audit.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_WHOLE_LOG_H_
#define CUSTODY_CLIENT_CLI_WHOLE_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "absl/status/status.h"
#include "client/cli/session.h"

namespace custody {

// Says how far it is, at most once a second.
class Progress {
 public:
  Progress(const Terminal& terminal, std::uint64_t size) : terminal_(terminal), size_(size) {}
  void Say(std::uint64_t done);

 private:
  const Terminal& terminal_;
  const std::uint64_t size_;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

using EntryVisitor = std::function<absl::Status(std::uint64_t index, std::string_view entry)>;

// Calls `visit` with the entries [begin, size) of the ledger of the context, in their order and
// none left out, until it returns an error, which is returned. There is no limit to the whole, but
// one call of --timeout that brings nothing ends it.
//
// Errors: kPermissionDenied if the client may not read one of them; kCancelled when asked to stop;
//         those of the client.
absl::Status ReadWholeLog(Session& session, std::uint64_t begin, std::uint64_t size,
                          const EntryVisitor& visit, const std::stop_token& stop = {});

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_WHOLE_LOG_H_
