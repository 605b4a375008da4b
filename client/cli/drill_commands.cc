// Drills: false bundles, to see that somebody notices.

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/verify/bundle_contents.h"
#include "client/verify/drill.h"

namespace custody {
namespace {

struct DrillOptions {
  std::string file;
  std::string output;
  std::uint64_t from = 0;
};

absl::StatusOr<v1::Bundle> ReadBundle(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return ParseBundle(bytes);
}

absl::StatusOr<int> WriteFalse(Session& session, const DrillOptions& options,
                               const v1::Bundle& bundle, std::string_view what) {
  CUSTODY_RETURN_IF_ERROR(
      WriteFileAtomically(options.output, bundle.SerializeAsString(), /*secret=*/false));
  session.terminal().Note(absl::StrFormat(
      "%s: %s. Whoever verifies it must get exit 6, proof false.", options.output, what));
  session.terminal().Fields({{"file", options.output}, {"drill", std::string(what)}});
  return kExitOk;
}

absl::StatusOr<int> Withhold(Session& session, const DrillOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(v1::Bundle bundle, ReadBundle(options.file));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Bundle shown,
                           WithholdEntries(std::move(bundle), options.from));
  return WriteFalse(session, options, shown,
                    absl::StrFormat("true, but for the events from entry %d on", options.from));
}

absl::StatusOr<int> Alter(Session& session, const DrillOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(v1::Bundle bundle, ReadBundle(options.file));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Bundle altered, AlterEntry(std::move(bundle)));
  return WriteFalse(session, options, altered, "one bit of its newest event is changed");
}

void BindFiles(CLI::App* command, DrillOptions* options) {
  command->add_option("file", options->file, "A true bundle, or -")->required();
  command->add_option("-o,--output", options->output, "File to write the false one to")->required();
}

}  // namespace

void AddDrillCommands(Commands* commands) {
  CLI::App* drill = commands->app.add_subcommand(
      "drill", "Make bundles that must not be believed, to see that somebody notices");
  drill->require_subcommand(1);
  commands->Add<DrillOptions>(
      drill, "withhold", "What a ledger would show that hides the events from an entry on",
      [](CLI::App* command, DrillOptions* options) {
        BindFiles(command, options);
        command->add_option("--from", options->from, "Index of the first entry to hide")
            ->required();
      },
      Withhold);
  commands->Add<DrillOptions>(drill, "alter", "A bundle with one bit of an event changed",
                              BindFiles, Alter);
}

}  // namespace custody
