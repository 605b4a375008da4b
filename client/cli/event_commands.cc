#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/signing.h"
#include "custody/event_builder.h"
#include "lifecycle/catalogue.h"

namespace custody {
namespace {

struct NewOptions {
  std::string type;
};

struct RecordOptions {
  std::vector<std::string> files;
  std::vector<std::string> signatures;
  std::vector<std::string> signers;
  bool dry_run = false;
  bool keep_going = false;
  int from_line = 0;
};

struct ListOptions {
  std::string subject;
  std::vector<std::string> codes;
  std::uint32_t limit = 50;
  bool oldest_first = false;
};

struct ShowOptions {
  std::string which;
};

absl::StatusOr<int> NewTemplate(Session& session, const NewOptions& options) {
  if (options.type.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const CatalogueEntry& entry : Catalogue()) {
      if (entry.row.system()) continue;
      rows.push_back(
          {entry.row.code(), entry.name, entry.row.evaluated() ? "" : "rules not yet evaluated"});
    }
    session.terminal().Table({"CODE", "EVENT", ""}, rows);
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

// Prints what the ledger would say. Returns whether it would be recorded.
absl::StatusOr<bool> DryRun(Session& session, const std::string& event_bytes,
                            const std::vector<v1::Signature>& signatures) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::EvaluateRequest request;
  request.set_event(event_bytes);
  for (const v1::Signature& signature : signatures) {
    request.add_assumed_signers()->ParseFromString(signature.statement());
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::EvaluateResponse response, client->Evaluate(request));
  Terminal& terminal = session.terminal();
  if (terminal.json()) {
    terminal.Json(response);
    return response.accepted();
  }
  v1::Event event;
  event.ParseFromString(event_bytes);
  terminal.Line(absl::StrFormat("%s  %s",
                                response.accepted()
                                    ? terminal.Paint(Tone::kGood, "would be recorded")
                                    : terminal.Paint(Tone::kBad, "would be refused"),
                                DescribeEvent(session, event)));
  for (const v1::Finding& finding : response.findings()) {
    terminal.Line(
        absl::StrFormat("  finding %s: %s", ReasonName(finding.code()), finding.detail()));
  }
  for (const v1::RefusalReason& reason : response.reasons()) {
    terminal.Line(absl::StrFormat("  %s: %s", ReasonName(reason.code()), reason.message()));
    if (!reason.remedy().empty()) terminal.Line("    help: " + reason.remedy());
  }
  for (const std::string& code : response.consequences())
    terminal.Line("  the ledger would add " + code);
  for (const std::uint32_t place : response.open_places()) {
    terminal.Line(absl::StrFormat("  signature place %d is still empty", place + 1));
  }
  return response.accepted();
}

absl::StatusOr<int> RecordOne(Session& session, const std::string& event_bytes,
                              const std::vector<v1::Signature>& signatures) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SignedEvent signed_event,
                           MakeSignedEvent(event_bytes, signatures));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const RecordResult result, client->Record(signed_event));
  Terminal& terminal = session.terminal();
  if (terminal.json()) {
    terminal.JsonText(EntryJson(result.receipt.entry()));
    return kExitOk;
  }
  v1::Entry entry;
  entry.ParseFromString(result.receipt.entry());
  v1::Event event;
  event.ParseFromString(event_bytes);
  const std::string findings = DescribeFindings(entry);
  terminal.Line(
      absl::StrFormat("%s %6d  %s%s", terminal.Paint(Tone::kGood, "recorded"),
                      result.receipt.index(), DescribeEvent(session, event),
                      findings.empty() ? "" : terminal.Paint(Tone::kDim, "  [" + findings + "]")));
  return kExitOk;
}

absl::StatusOr<std::vector<v1::Signature>> CollectSignatures(Session& session,
                                                             const RecordOptions& options,
                                                             const std::string& event_bytes,
                                                             std::vector<DraftSigner> signers) {
  for (const std::string& text : options.signers) {
    CUSTODY_ASSIGN_OR_RETURN(DraftSigner signer, ParseDraftSigner(text));
    signers.push_back(std::move(signer));
  }
  CUSTODY_ASSIGN_OR_RETURN(std::vector<v1::Signature> signatures,
                           SignWith(session, event_bytes, signers));
  for (const std::string& path : options.signatures) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
    v1::Signature signature;
    if (!signature.ParseFromString(bytes)) {
      return absl::InvalidArgumentError(path + " is no detached signature (custody event sign)");
    }
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

absl::StatusOr<int> RecordOrTry(Session& session, const RecordOptions& options,
                                const std::string& event_bytes,
                                const std::vector<DraftSigner>& signers) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> signatures,
                           CollectSignatures(session, options, event_bytes, signers));
  if (!options.dry_run) return RecordOne(session, event_bytes, signatures);
  CUSTODY_ASSIGN_OR_RETURN(const bool accepted, DryRun(session, event_bytes, signatures));
  return accepted ? kExitOk : kExitRefused;
}

// One document: read, finished, signed, recorded. Names that it creates are kept once it is
// recorded.
absl::StatusOr<int> RecordDocument(Session& session, const RecordOptions& options,
                                   DraftFile* documents) {
  CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
  const NameBook before = *names;
  const absl::StatusOr<int> code = [&]() -> absl::StatusOr<int> {
    CUSTODY_ASSIGN_OR_RETURN(Draft draft, documents->Next());
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FinishDraft(session, &draft));
    return RecordOrTry(session, options, bytes, draft.signers);
  }();
  const bool refused = ExitCodeOf(code.status()) == kExitRefused;
  if (!code.ok() && ExitCodeOf(code.status()) != kExitCannotVerify) *names = before;
  if (!options.dry_run && !refused) CUSTODY_RETURN_IF_ERROR(session.SaveNames());
  return code;
}

absl::StatusOr<int> RecordFile(Session& session, const RecordOptions& options,
                               const std::string& path) {
  if (path.ends_with(".event") || path.ends_with(".textproto") || path.ends_with(".txtpb")) {
    CUSTODY_ASSIGN_OR_RETURN(EventFile file, ReadEventFile(session, path));
    if (file.drafts.empty()) return RecordOrTry(session, options, file.event_bytes, {});
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FinishDraft(session, file.drafts.data()));
    return RecordOrTry(session, options, bytes, {});
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  CUSTODY_ASSIGN_OR_RETURN(DraftContext context, session.MakeDraftContext(path));
  CUSTODY_ASSIGN_OR_RETURN(DraftFile documents, DraftFile::Open(text, path, &context));
  int worst = kExitOk;
  while (!documents.done()) {
    const int line = documents.next_line();
    if (line < options.from_line) {
      documents.Skip();
      continue;
    }
    context.now_ms = NowMs();
    absl::StatusOr<int> code = RecordDocument(session, options, &documents);
    if (!options.dry_run) CUSTODY_RETURN_IF_ERROR(KeepOpenings(session, &context));
    if (!code.ok()) {
      session.terminal().Note(
          absl::StrFormat("at %s:%d (go on from here with --from-line %d):", path, line, line));
      if (!options.keep_going) return code.status();
      session.terminal().Error(code.status());
      code = ExitCodeOf(code.status());
    }
    worst = std::max(worst, *code);
  }
  return worst;
}

absl::StatusOr<int> RecordFiles(Session& session, const RecordOptions& options) {
  int worst = kExitOk;
  for (const std::string& path : options.files) {
    CUSTODY_ASSIGN_OR_RETURN(const int code, RecordFile(session, options, path));
    worst = std::max(worst, code);
  }
  return worst;
}

absl::StatusOr<int> ListEvents(Session& session, const ListOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListEventsRequest request;
  if (!options.subject.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  }
  for (const std::string& code : options.codes) request.add_codes(code);
  request.set_page_size(options.limit);
  request.set_newest_first(!options.oldest_first);
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListEventsResponse response, client->ListEvents(request));
  if (session.terminal().json()) {
    for (const v1::BundleEntry& entry : response.entries()) {
      session.terminal().JsonText(EntryJson(entry.entry()));
    }
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::BundleEntry& entry : response.entries())
    rows.push_back(EntryRow(session, entry.entry()));
  session.terminal().Table({"INDEX", "RECORDED", "EVENT", "FINDINGS"}, rows);
  if (!response.next_page_token().empty()) {
    session.terminal().Note("there are more; raise --limit or narrow the question");
  }
  return kExitOk;
}

absl::StatusOr<int> ShowEvent(Session& session, const ShowOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetEntryRequest request;
  if (options.which.size() == 64) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_event_digest(), FromHex(options.which));
  } else if (options.which.size() == 32) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_event_id(), FromHex(options.which));
  } else {
    char* end = nullptr;
    request.set_index(std::strtoull(options.which.c_str(), &end, 10));
    if (end == options.which.c_str() || *end != '\0') {
      return absl::InvalidArgumentError(absl::StrFormat(
          "'%s' is no index, event id (32 digits) or event digest (64 digits)", options.which));
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetEntryResponse response, client->GetEntry(request));
  session.terminal().JsonText(EntryJson(response.entry()));
  return kExitOk;
}

void BindRecord(CLI::App* command, RecordOptions* options) {
  command
      ->add_option("file", options->files,
                   "Drafts (.yaml, .json, .textproto), finished events (.event), or -")
      ->required();
  command->add_option("--signature", options->signatures,
                      "Detached signature (custody event sign)");
  command->add_option("--sign", options->signers,
                      "Further local signer: NAME or 'NAME as ROLE/MEANING'");
  command->add_flag("--dry-run", options->dry_run, "Say what would happen; write nothing");
  command->add_option("--from-line", options->from_line,
                      "Begin with the first document at or after this line");
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
  commands->Add<RecordOptions>(event, "record",
                               "Sign drafts with local keys and record them, in order", BindRecord,
                               RecordFiles);
  commands->Add<ListOptions>(
      event, "list", "List events, the newest first",
      [](CLI::App* command, ListOptions* options) {
        command->add_option("subject", options->subject,
                            "kind:@name, kind:hex, a label scan or key, scheme=value");
        command->add_option("--code", options->codes, "Catalogue code, for example CLN-12");
        command->add_option("--limit", options->limit, "At most this many")->capture_default_str();
        command->add_flag("--oldest-first", options->oldest_first, "The oldest first");
      },
      ListEvents);
  commands->Add<ShowOptions>(
      event, "show", "Show one entry whole, as JSON",
      [](CLI::App* command, ShowOptions* options) {
        command->add_option("which", options->which, "Index, event id or event digest")->required();
      },
      ShowEvent);
  AddSigningCommands(commands, event);
}

}  // namespace custody
