// The command line of Custody.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/session.h"
#include "client/cli/terminal.h"
#include "client/draft/names.h"

#ifndef CUSTODY_VERSION
#define CUSTODY_VERSION "0.1.0"
#endif

namespace custody {
namespace {

constexpr char kFooter[] = R"(
Exit codes:
  0  done, recorded, verified, GO      example: custody event record thaw.yaml
  1  refused by the rules, NO-GO       example: custody dose verify <bag of a held lot>
  2  wrong command line or draft       example: custody dose verify
  3  cannot be verified or reached     example: custody log status --context no-server
  4  not permitted                     example: recording at a site that is not yours
  5  conflict                          example: the same event id with other content
  6  a proof is false                  example: custody verify altered.custody
  70 a fault of this program

Start:    custody context add NAME --endpoint HOST:PORT --trust trust.toml ...
Record:   custody event new ThawStarted > thaw.yaml; custody event record thaw.yaml
Ask:      custody dose verify '=+03000=...' --stage ADMINISTER --order @order/o1
Prove:    custody export container:@vial/1 -o vial.custody; custody verify vial.custody
)";

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

int Main(int argc, char** argv) {
  CLI::App app("Custody: record, ask and prove the chain of custody of cell-therapy doses.",
               "custody");
  GlobalFlags flags;
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("custody ") + CUSTODY_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--context", flags.context, "Context to use instead of the current one");
  app.add_option("--config-folder", flags.config_folder, "Folder of contexts.toml");
  app.add_option("--passphrase-file", flags.passphrase_file,
                 "File with the passphrase of the keys");
  app.add_option("--timeout", flags.timeout_s, "Seconds for one call with its retries")
      ->capture_default_str();
  app.add_flag("--json", flags.json, "Machine-readable output on stdout");
  app.add_flag("-q,--quiet", flags.quiet, "No talk on stderr");
  app.add_flag("--no-color", flags.no_colour, "No colour (also: NO_COLOR)");

  Commands commands{app, nullptr};
  AddContextCommands(&commands);
  AddKeyCommands(&commands);
  AddPkiCommands(&commands);
  AddNameCommands(&commands);
  AddEventCommands(&commands);
  AddDoseCommands(&commands);
  AddTraceCommands(&commands);
  AddSubjectCommands(&commands);
  AddProofCommands(&commands);
  AddLogCommands(&commands);
  AddCompletionCommand(&commands);
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
  return ExitCodeOf(code.status());
}

}  // namespace
}  // namespace custody

int main(int argc, char** argv) { return custody::Main(argc, argv); }
