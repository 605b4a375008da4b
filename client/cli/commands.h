// The commands of `custody`, noun by noun. Each Add...Commands puts its subcommands into the
// parser; the one that was named leaves its work in `Commands::run`.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_COMMANDS_H_
#define CUSTODY_CLIENT_CLI_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/session.h"

namespace custody {

// Returns an exit code, or the error that ends the command.
using CommandRun = std::function<absl::StatusOr<int>(Session& session)>;

struct Commands {
  CLI::App& app;
  CommandRun run;

  // A subcommand `name` of `parent` with options of type Options: `bind` declares them, `body` does
  // the work.
  template <typename Options>
  CLI::App* Add(CLI::App* parent, const std::string& name, const std::string& help,
                const std::function<void(CLI::App*, Options*)>& bind,
                std::function<absl::StatusOr<int>(Session&, const Options&)> body) {
    CLI::App* command = parent->add_subcommand(name, help);
    auto options = std::make_shared<Options>();
    bind(command, options.get());
    command->callback([this, options, body = std::move(body)] {
      run = [options, body](Session& session) { return body(session, *options); };
    });
    return command;
  }
};

void AddContextCommands(Commands* commands);
void AddKeyCommands(Commands* commands);
void AddEnrolCommand(Commands* commands, CLI::App* key);
void AddPrincipalCommands(Commands* commands);
void AddPkiCommands(Commands* commands);
void AddNameCommands(Commands* commands);
void AddEventCommands(Commands* commands);
void AddEventQueryCommands(Commands* commands, CLI::App* event);
void AddSigningCommands(Commands* commands, CLI::App* event);
void AddDoseCommands(Commands* commands);
void AddTraceCommands(Commands* commands);
void AddSubjectCommands(Commands* commands);
void AddProofCommands(Commands* commands);
void AddTimestampCommands(Commands* commands);
void AddDrillCommands(Commands* commands);
void AddLogCommands(Commands* commands);
void AddLogExportCommand(Commands* commands, CLI::App* log);
void AddAuditCommands(Commands* commands);
void AddCompletionCommand(Commands* commands);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_COMMANDS_H_
