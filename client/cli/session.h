// What most commands need: the context, a connection, the name book, the signers.
//
// Threads: one thread. Owns the connection; saves the name book when told.

#ifndef CUSTODY_CLIENT_CLI_SESSION_H_
#define CUSTODY_CLIENT_CLI_SESSION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "client/cli/keyring.h"
#include "client/cli/terminal.h"
#include "client/draft/draft.h"
#include "client/draft/names.h"
#include "client/verify/trust.h"
#include "custody/client.h"

namespace custody {

// Flags that every command takes.
struct GlobalFlags {
  std::string context;
  std::string config_folder;
  std::string passphrase_file;
  bool json = false;
  bool quiet = false;
  bool no_colour = false;
  std::uint32_t timeout_s = 10;
};

class Session {
 public:
  Session(const GlobalFlags& flags, Terminal* terminal) : flags_(flags), terminal_(*terminal) {}

  Terminal& terminal() { return terminal_; }
  const GlobalFlags& flags() const { return flags_; }

  // Each is loaded at first use. Errors: what a person can do about it is in the message.
  absl::StatusOr<const Context*> context();
  absl::StatusOr<Client*> client();
  absl::StatusOr<const Trust*> trust();
  // That of a file, or of the context if it is empty.
  absl::StatusOr<Trust> TrustFrom(const std::string& file);
  absl::StatusOr<NameBook*> names();
  absl::StatusOr<Keyring*> keyring();

  absl::Status SaveNames();

  // What drafts of `file` are read against: names, signers, policies and files beside it.
  absl::StatusOr<DraftContext> MakeDraftContext(const std::string& file);

  // A subject named by "kind:@name", "@name" (any kind that knows it), "kind:hex", a label scan, a
  // canonical key, or "scheme=value" of another system.
  absl::StatusOr<v1::SubjectRef> ResolveSubject(std::string_view text);

  // "@name" or hexadecimal. Errors: kInvalidArgument, kNotFound.
  absl::StatusOr<std::string> ResolveId(std::string_view text);
  // The same, or the name of a signer of this machine.
  absl::StatusOr<std::string> ResolveSigner(std::string_view text);

  // "donor/alma" if the book names the id, else the id in hexadecimal (or the text of a key).
  std::string NameOf(const v1::SubjectRef& subject);

 private:
  GlobalFlags flags_;
  Terminal& terminal_;
  std::optional<Context> context_;
  std::unique_ptr<Client> client_;
  std::optional<Trust> trust_;
  std::optional<NameBook> names_;
  std::optional<Keyring> keyring_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_SESSION_H_
