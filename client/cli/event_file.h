// What people hand to `custody event`: drafts, protobuf text, finished events, detached signatures.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_EVENT_FILE_H_
#define CUSTODY_CLIENT_CLI_EVENT_FILE_H_

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "client/draft/draft.h"
#include "custody/v1/record.pb.h"

namespace custody {

enum class EventFormat {
  // YAML or JSON, as client/draft/draft.h describes.
  kDraft,
  // One custody.v1.Event in protobuf text format; identifiers and subjects are filled in.
  kTextProto,
  // The final bytes of one event.
  kFinished,
};

// The option --format.
void BindFormat(CLI::App* command, std::string* format);

// As --format says, else by the ending: .event, .textproto and .txtpb; everything else is a draft.
EventFormat FormatOf(std::string_view format, std::string_view path);

struct EventFile {
  std::vector<Draft> drafts;
  // Of a finished event; then `drafts` is empty.
  std::string event_bytes;
};

// Reads a file, "-" being standard input.
// Errors: kInvalidArgument "file:line:column: ..."; kNotFound naming the file or the name.
absl::StatusOr<EventFile> ReadEventFile(Session& session, const std::string& path,
                                        EventFormat format);

// A detached signature, as `custody event sign` writes it. Whether it is true is for the ledger.
// Errors: kInvalidArgument if it is none, or signs another event than the one with this digest.
absl::StatusOr<v1::Signature> ReadSignatureFile(const std::string& path,
                                                std::string_view event_digest);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_EVENT_FILE_H_
