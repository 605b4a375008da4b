// The command line of Custody.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/help_text.h"
#include "client/cli/session.h"
#include "client/cli/terminal.h"
#include "client/draft/names.h"
#include "custody/refusal.h"

#ifndef CUSTODY_VERSION
#define CUSTODY_VERSION "0.1.0"
#endif

namespace custody {
namespace {

// The innermost subcommand that was parsed, for suggestions.
CLI::App* Innermost(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

int UsageError(CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  CLI::App* at = Innermost(&app);
  std::fprintf(stderr, "error[usage]: %s\n", error.what());
  std::vector<std::string> words;
  for (const CLI::App* sub : at->get_subcommands([](CLI::App*) { return true; })) {
    words.push_back(sub->get_name());
  }
  for (const std::string& extra : at->remaining()) {
    const std::string nearest = NearestWord(extra, words);
    if (!nearest.empty()) std::fprintf(stderr, "  help: did you mean '%s'?\n", nearest.c_str());
  }
  std::string path = "custody";
  for (CLI::App* step = &app; !step->get_subcommands().empty();) {
    step = step->get_subcommands().front();
    path += " " + step->get_name();
  }
  std::fprintf(stderr, "  help: %s --help\n", path.c_str());
  return kExitUsage;
}

// An error without a refusal that says the server was not reached.
void ExplainUnreachable(Session& session, const absl::Status& status) {
  if (!absl::IsUnavailable(status) || RefusalOf(status).has_value()) return;
  const absl::StatusOr<const Context*> context = session.context();
  if (!context.ok() || (*context)->endpoint.empty()) return;
  session.terminal().Note(
      "  help: does custodyd serve at " + (*context)->endpoint +
      ", and are both certificates valid? 'custody context show' has what this context uses; an "
      "event that was being recorded may be sent again as it is");
}

int Main(int argc, char** argv) {
  CLI::App app("Custody: record, ask and prove the chain of custody of cell-therapy doses.",
               "custody");
  GlobalFlags flags;
  app.set_version_flag("--version", std::string("custody ") + CUSTODY_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--context", flags.context, "Context to use instead of the current one");
  app.add_option("--config-folder", flags.config_folder, "Folder of contexts.toml");
  app.add_option("--passphrase-file", flags.passphrase_file,
                 "File with the passphrase of the keys, or folder with a file for each signer");
  app.add_option("--timeout", flags.timeout_s, "Seconds for one call with its retries")
      ->capture_default_str();
  app.add_flag("--json", flags.json, "Machine-readable output on stdout");
  app.add_flag("-q,--quiet", flags.quiet, "No talk on stderr");
  app.add_flag("--no-color", flags.no_colour, "No colour (also: NO_COLOR)");

  Commands commands{app, nullptr};
  AddContextCommands(&commands);
  AddKeyCommands(&commands);
  AddPrincipalCommands(&commands);
  AddPkiCommands(&commands);
  AddNameCommands(&commands);
  AddEventCommands(&commands);
  AddDoseCommands(&commands);
  AddTraceCommands(&commands);
  AddSubjectCommands(&commands);
  AddProofCommands(&commands);
  AddTimestampCommands(&commands);
  AddDrillCommands(&commands);
  AddLogCommands(&commands);
  AddAuditCommands(&commands);
  AddCompletionCommand(&commands);
  AddHelpTexts(&app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error);
  }
  Terminal terminal;
  terminal.set_json(flags.json);
  terminal.set_quiet(flags.quiet);
  if (flags.no_colour) terminal.set_colour(false);
  Session session(flags, &terminal);
  const absl::StatusOr<int> code = commands.run(session);
  if (code.ok()) return *code;
  terminal.Error(code.status());
  ExplainUnreachable(session, code.status());
  return ExitCodeOf(code.status());
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Main(argc, argv); }
