// Contexts: which ledger a command talks to, with which certificate, names and keys.
//
// They stand in contexts.toml of the configuration folder ($CUSTODY_CONFIG_DIR, else
// $XDG_CONFIG_HOME/custody, else ~/.config/custody). A flag wins over the environment
// (CUSTODY_ENDPOINT, CUSTODY_CONTEXT, CUSTODY_KEYS, CUSTODY_NAMES, CUSTODY_TRUST), which wins over
// the context. What a context leaves out stands in the folder: keys/, NAME.names.json and
// NAME.checkpoint, so that no name and no checkpoint is ever lost.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_CONTEXT_H_
#define CUSTODY_CLIENT_CLI_CONTEXT_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

// One context. Paths are absolute once loaded.
struct Context {
  std::string name;
  std::string endpoint;
  std::string ca_certificate;
  std::string certificate;
  std::string private_key;
  // trust.toml: origin, entry 0, log keys.
  std::string trust;
  // Folder of signers (`custody key new`).
  std::string keys;
  // Name book (JSON).
  std::string names;
  // Newest checkpoint seen.
  std::string checkpoint;
  std::string server_name;
  bool insecure_loopback = false;
};

struct ContextFile {
  std::string current;
  std::map<std::string, Context> contexts;
};

// The configuration folder; not created.
std::string ConfigFolder();

// Errors: kInvalidArgument "file:line: ..." ; a file that does not exist is an empty one.
absl::StatusOr<ContextFile> LoadContexts(const std::string& folder);
absl::Status SaveContexts(const std::string& folder, const ContextFile& file);

// The keys of a context in contexts.toml, for setting one by name.
// Errors: kInvalidArgument with a suggestion.
absl::Status SetContextField(std::string_view key, std::string_view value, Context* context);

// Paths as a person writes them are relative to the working folder; those of a file to the file.
void MakePathsAbsolute(const std::string& folder, Context* context);

// The context to use: `wanted`, else $CUSTODY_CONTEXT, else the current one; then the environment.
// Errors: kNotFound, naming the contexts that exist.
absl::StatusOr<Context> ResolveContext(const std::string& folder, std::string_view wanted);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_CONTEXT_H_
