// Entries and events as lines for people.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_EVENT_TEXT_H_
#define CUSTODY_CLIENT_CLI_EVENT_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"
#include "lifecycle/catalogue.h"

namespace custody {

// What a file or the server sent. Errors: kInvalidArgument, naming `where`.
absl::StatusOr<v1::Event> ParseEvent(std::string_view bytes, std::string_view where);
absl::StatusOr<v1::Entry> ParseEntry(std::string_view bytes, std::string_view where);

// "DNR-01 DonorRegistered  donor/newborn, pseudonym:N-2207".
std::string DescribeEvent(Session& session, const v1::Event& event);

// The findings of an entry, one in a piece: "LATE_ENTRY info; ...". Empty when there are none.
std::string DescribeFindings(const v1::Entry& entry);

// One entry as a row: index, time, code, event, subjects, findings.
// Errors (this and the next): kDataLoss if the bytes are no entry.
absl::StatusOr<std::vector<std::string>> EntryRow(Session& session, std::string_view entry_bytes);

// A whole entry as JSON: the entry with its event and statements parsed. `indent` < 0: one line.
absl::StatusOr<std::string> EntryJson(std::string_view entry_bytes, int indent = 2);

// A template of an event type in YAML, with every field and the words it takes.
std::string EventTemplate(const CatalogueEntry& entry);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_EVENT_TEXT_H_
