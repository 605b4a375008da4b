#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace custody {
namespace {

struct NameOptions {
  std::string name;
  std::string id;
};

struct NoOptions {};

absl::StatusOr<int> NewName(Session& session, const NameOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
  std::string id;
  if (options.id.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(id, names->Create(options.name));
  } else {
    CUSTODY_ASSIGN_OR_RETURN(id, FromHex(options.id));
    CUSTODY_RETURN_IF_ERROR(names->Define(options.name, id));
  }
  CUSTODY_RETURN_IF_ERROR(session.SaveNames());
  session.terminal().Fields({{"name", options.name}, {"id", ToHex(id)}});
  if (!session.terminal().json()) session.terminal().Line(ToHex(id));
  return kExitOk;
}

absl::StatusOr<int> ListNames(Session& session, const NoOptions&) {
  CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
  if (session.terminal().json()) {
    session.terminal().JsonText(names->ToJson());
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, id] : names->entries()) rows.push_back({name, ToHex(id)});
  session.terminal().Table({"NAME", "ID"}, rows);
  return kExitOk;
}

}  // namespace

void AddNameCommands(Commands* commands) {
  CLI::App* name =
      commands->app.add_subcommand("name", "Readable names for the random ids of subjects");
  name->require_subcommand(1);
  commands->Add<NameOptions>(
      name, "new", "Name a new random id, or one that you have",
      [](CLI::App* command, NameOptions* options) {
        command->add_option("name", options->name, "For example donor/alma")->required();
        command->add_option("id", options->id, "Hexadecimal id; default: 16 random bytes");
      },
      NewName);
  commands->Add<NoOptions>(
      name, "list", "List the names", [](CLI::App*, NoOptions*) {}, ListNames);
}

}  // namespace custody
