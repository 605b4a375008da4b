#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/event_file.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/recording.h"
#include "lifecycle/catalogue.h"

namespace custody {
namespace {

struct NewOptions {
  std::string type;
};

struct RecordFilesOptions {
  std::vector<std::string> files;
  RecordOptions record;
};

absl::StatusOr<int> NewTemplate(Session& session, const NewOptions& options) {
  if (options.type.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const CatalogueEntry& entry : Catalogue()) {
      if (entry.row.system()) continue;
      rows.push_back(
          {entry.row.code(), entry.name, entry.row.evaluated() ? "" : "rules not yet evaluated"});
    }
    session.terminal().Table({"CODE", "EVENT", "NOTE"}, rows);
    return kExitOk;
  }
  const CatalogueEntry* entry = FindCatalogueEntry(options.type);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const CatalogueEntry& candidate : Catalogue()) names.push_back(candidate.name);
    const std::string nearest = NearestWord(options.type, names);
    return absl::InvalidArgumentError(absl::StrFormat(
        "there is no event '%s'%s", options.type,
        nearest.empty() ? "; custody event new lists them" : "; did you mean " + nearest + "?"));
  }
  session.terminal().Line(EventTemplate(*entry));
  return kExitOk;
}

absl::StatusOr<int> RecordFiles(Session& session, const RecordFilesOptions& options) {
  int worst = kExitOk;
  for (const std::string& path : options.files) {
    CUSTODY_ASSIGN_OR_RETURN(const int code, RecordFile(session, options.record, path));
    worst = std::max(worst, code);
  }
  return worst;
}

void BindRecord(CLI::App* command, RecordFilesOptions* files) {
  RecordOptions* options = &files->record;
  command
      ->add_option("file", files->files,
                   "Drafts (.yaml, .json, .textproto), finished events (.event), or - for "
                   "standard input")
      ->required();
  command
      ->add_option("--signature", options->signatures,
                   "Detached signature (custody event sign); may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--sign", options->signers,
                   "Further local signer: NAME or 'NAME as ROLE/MEANING'; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--wait", options->wait,
                   "What must have happened before an event counts as recorded: durable (default), "
                   "or witnessed: a quorum of witnesses has cosigned; exit 3 if only durable")
      ->check(CLI::IsMember({"durable", "witnessed"}));
  command->add_flag("--dry-run", options->dry_run, "Say what would happen; write nothing");
  command->add_option("--from-line", options->from_line,
                      "Begin with the first document at or after this line");
  BindFormat(command, &options->format);
  command->add_flag("--keep-going", options->keep_going,
                    "Go on with the next event after a refusal");
}

}  // namespace

void AddEventCommands(Commands* commands) {
  CLI::App* event = commands->app.add_subcommand("event", "Draft, sign, record and read events");
  event->require_subcommand(1);
  commands->Add<NewOptions>(
      event, "new", "Print a template of an event type; without a type, list them",
      [](CLI::App* command, NewOptions* options) {
        command->add_option("type", options->type,
                            "Name or catalogue code, for example ThawStarted or CLN-07");
      },
      NewTemplate);
  commands->Add<RecordFilesOptions>(event, "record",
                                    "Sign drafts with local keys and record them, in order",
                                    BindRecord, RecordFiles);
  AddEventQueryCommands(commands, event);
  AddSigningCommands(commands, event);
}

}  // namespace custody
