// Signed events on their way: kept on disk before they are sent, forgotten when the ledger has
// answered. So a crash or a lost connection never loses an event, and sending it again never makes
// a second one: the same bytes carry the same event id.
//
// The folder stands beside the name book: <name book>.unanswered/<event digest>.signed, each one
// custody.v1.SignedEvent, mode 0600.
//
// Threads: one thread. Two processes may share the folder.

#ifndef CUSTODY_CLIENT_CLI_OUTBOX_H_
#define CUSTODY_CLIENT_CLI_OUTBOX_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "custody/v1/record.pb.h"

namespace custody {

// Keeps the event and returns its file. Errors: as WriteFileAtomically.
absl::StatusOr<std::string> KeepUnanswered(Session& session, const v1::SignedEvent& signed_event);

// The ledger has answered.
void ForgetUnanswered(const std::string& file);

// The files that wait, in the order in which they were kept.
absl::StatusOr<std::vector<std::string>> ListUnanswered(Session& session);

// Errors: kInvalidArgument if the file holds no signed event; kNotFound.
absl::StatusOr<v1::SignedEvent> ReadUnanswered(const std::string& file);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_OUTBOX_H_
