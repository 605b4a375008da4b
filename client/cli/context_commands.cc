#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace custody {
namespace {

struct NameOption {
  std::string name;
};

struct AddOptions {
  Context context;
  bool use = false;
};

struct SetOptions {
  std::string name;
  std::string key;
  std::string value;
};

std::string Folder(const Session& session) {
  return session.flags().config_folder.empty() ? ConfigFolder() : session.flags().config_folder;
}

absl::Status UnknownContext(const std::string& name) {
  return absl::NotFoundError(
      name.empty()
          ? std::string("no context is chosen; name one with --name, or: custody context use NAME")
          : absl::StrFormat("no context '%s'; custody context list shows them", name));
}

absl::StatusOr<int> AddContext(Session& session, const AddOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(ContextFile file, LoadContexts(Folder(session)));
  if (file.contexts.contains(options.context.name)) {
    return absl::AlreadyExistsError(
        absl::StrFormat("there is a context '%s' already; change it with: custody context set",
                        options.context.name));
  }
  Context context = options.context;
  MakePathsAbsolute(".", &context);
  file.contexts[context.name] = context;
  if (options.use || file.current.empty()) file.current = options.context.name;
  CUSTODY_RETURN_IF_ERROR(SaveContexts(Folder(session), file));
  session.terminal().Note("context " + options.context.name + " added");
  return kExitOk;
}

absl::StatusOr<int> ListContexts(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const ContextFile file, LoadContexts(Folder(session)));
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, context] : file.contexts) {
    rows.push_back({name == file.current ? "*" : "", name, context.endpoint, context.trust});
  }
  session.terminal().Table({"CURRENT", "NAME", "ENDPOINT", "TRUST"}, rows);
  return kExitOk;
}

absl::StatusOr<int> UseContext(Session& session, const NameOption& option) {
  CUSTODY_RETURN_IF_ERROR(ResolveContext(Folder(session), option.name).status());
  CUSTODY_ASSIGN_OR_RETURN(ContextFile file, LoadContexts(Folder(session)));
  file.current = option.name;
  CUSTODY_RETURN_IF_ERROR(SaveContexts(Folder(session), file));
  session.terminal().Note("using context " + option.name);
  return kExitOk;
}

absl::StatusOr<int> SetContext(Session& session, const SetOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(ContextFile file, LoadContexts(Folder(session)));
  const std::string name = options.name.empty() ? file.current : options.name;
  const auto found = file.contexts.find(name);
  if (found == file.contexts.end()) {
    return UnknownContext(name);
  }
  CUSTODY_RETURN_IF_ERROR(SetContextField(options.key, options.value, &found->second));
  MakePathsAbsolute(".", &found->second);
  CUSTODY_RETURN_IF_ERROR(SaveContexts(Folder(session), file));
  session.terminal().Note("context " + name + " changed");
  return kExitOk;
}

absl::StatusOr<int> RemoveContext(Session& session, const NameOption& option) {
  CUSTODY_ASSIGN_OR_RETURN(ContextFile file, LoadContexts(Folder(session)));
  if (file.contexts.erase(option.name) == 0) return UnknownContext(option.name);
  if (file.current == option.name) file.current.clear();
  CUSTODY_RETURN_IF_ERROR(SaveContexts(Folder(session), file));
  session.terminal().Note("context " + option.name +
                          " removed; its keys, names and certificates stay where they are");
  return kExitOk;
}

absl::StatusOr<int> ShowContext(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const Context* context, session.context());
  session.terminal().Table({"KEY", "VALUE"},
                           {{"name", context->name},
                            {"endpoint", context->endpoint},
                            {"ca_certificate", context->ca_certificate},
                            {"certificate", context->certificate},
                            {"private_key", context->private_key},
                            {"trust", context->trust},
                            {"keys", context->keys},
                            {"names", context->names},
                            {"checkpoint", context->checkpoint},
                            {"server_name", context->server_name},
                            {"insecure_loopback", context->insecure_loopback ? "true" : "false"}});
  return kExitOk;
}

void BindContext(CLI::App* command, AddOptions* options) {
  Context& context = options->context;
  command->add_option("name", context.name, "Name of the context")->required();
  command->add_option("--endpoint", context.endpoint, "HOST:PORT of custodyd")->required();
  command->add_option("--ca", context.ca_certificate,
                      "Authority of the server's certificate (PEM)");
  command->add_option("--certificate", context.certificate, "This client's certificate (PEM)");
  command->add_option("--private-key", context.private_key, "Its private key (PEM)");
  command->add_option("--trust", context.trust, "trust.toml: what this client believes");
  command->add_option("--keys", context.keys,
                      "Folder of signers (default: keys in the configuration folder)");
  command->add_option("--names", context.names,
                      "Name book, JSON (default: in the configuration folder)");
  command->add_option("--checkpoint", context.checkpoint,
                      "File for the newest checkpoint seen (default: in the configuration folder)");
  command->add_option("--server-name", context.server_name,
                      "Name expected in the server's certificate");
  command->add_flag("--insecure-loopback", context.insecure_loopback,
                    "No TLS; only for development on 127.0.0.1");
  command->add_flag("--use", options->use, "Make it the current context");
}

struct NoOptions {};

}  // namespace

void AddContextCommands(Commands* commands) {
  CLI::App* context =
      commands->app.add_subcommand("context", "Which ledger to talk to, and as whom");
  context->require_subcommand(1);
  commands->Add<AddOptions>(context, "add", "Add a context", BindContext, AddContext);
  commands->Add<NoOptions>(
      context, "list", "List the contexts", [](CLI::App*, NoOptions*) {},
      [](Session& session, const NoOptions&) { return ListContexts(session); });
  commands->Add<NameOption>(
      context, "use", "Choose the current context",
      [](CLI::App* command, NameOption* option) {
        command->add_option("name", option->name, "Name of the context")->required();
      },
      UseContext);
  commands->Add<SetOptions>(
      context, "set", "Change one key of a context",
      [](CLI::App* command, SetOptions* options) {
        command->add_option("key", options->key, "For example endpoint")->required();
        command->add_option("value", options->value, "New value")->required();
        command->add_option("--name", options->name, "Context (default: the current one)");
      },
      SetContext);
  commands->Add<NameOption>(
      context, "remove", "Forget a context; keys, names and certificates stay",
      [](CLI::App* command, NameOption* option) {
        command->add_option("name", option->name, "Name of the context")->required();
      },
      RemoveContext);
  commands->Add<NoOptions>(
      context, "show", "Show the context in use, environment included",
      [](CLI::App*, NoOptions*) {},
      [](Session& session, const NoOptions&) { return ShowContext(session); });
}

}  // namespace custody
