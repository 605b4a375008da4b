// Two people at two places: draft here, sign there, record or cosign anywhere.

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/event_file.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/signing.h"
#include "client/draft/time_text.h"
#include "custody/event_builder.h"
#include "lifecycle/catalogue.h"

namespace custody {
namespace {

struct DraftOptions {
  std::string file;
  std::string format;
  std::string output;
};

struct SignOptions {
  std::string file;
  std::string as;
  std::string output;
};

struct ProposeOptions {
  std::string file;
  std::string format;
  std::vector<std::string> signers;
};

struct CosignOptions {
  std::string digest;
  std::string as;
  std::string signature;
};

struct NoOptions {};

absl::StatusOr<std::string> OneEvent(Session& session, const std::string& path,
                                     const std::string& format, std::vector<DraftSigner>* signers) {
  CUSTODY_ASSIGN_OR_RETURN(EventFile file, ReadEventFile(session, path, FormatOf(format, path)));
  if (!file.event_bytes.empty()) return file.event_bytes;
  if (file.drafts.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s holds %d drafts; one is wanted here", path, file.drafts.size()));
  }
  if (signers != nullptr) *signers = file.drafts[0].signers;
  CUSTODY_ASSIGN_OR_RETURN(std::string bytes, FinishDraft(session, file.drafts.data()));
  CUSTODY_RETURN_IF_ERROR(session.SaveNames());
  return bytes;
}

absl::StatusOr<int> MakeDraft(Session& session, const DraftOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes,
                           OneEvent(session, options.file, options.format, nullptr));
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(options.output, bytes, /*secret=*/false));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(bytes, "the draft"));
  session.terminal().Note(DescribeEvent(session, event));
  const std::string digest = ToHex(EventDigest(bytes));
  session.terminal().Fields({{"event_digest", digest}, {"file", options.output}});
  // With "-o -" standard output holds the event and nothing else.
  if (options.output == "-") {
    session.terminal().Note(digest);
  } else if (!session.terminal().json()) {
    session.terminal().Line(digest);
  }
  return kExitOk;
}

absl::StatusOr<int> SignEvent(Session& session, const SignOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  const absl::StatusOr<v1::Event> event = ParseEvent(bytes, options.file);
  if (!event.ok() || FindCatalogueEntry(*event) == nullptr) {
    return absl::InvalidArgumentError(
        options.file + " is no finished event; make one of a draft with: custody event draft");
  }
  session.terminal().Note("You sign: " + DescribeEvent(session, *event));
  session.terminal().Note(MessageToJson(*event));
  CUSTODY_ASSIGN_OR_RETURN(const DraftSigner signer, ParseDraftSigner(options.as));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> signatures,
                           SignWith(session, bytes, {signer}));
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(
      options.output, signatures.front().SerializeAsString(), /*secret=*/false));
  session.terminal().Fields(
      {{"event_digest", ToHex(EventDigest(bytes))}, {"file", options.output}});
  return kExitOk;
}

absl::StatusOr<int> PrintPending(Session& session, const PendingResult& result) {
  Terminal& terminal = session.terminal();
  if (terminal.json()) {
    if (!result.recorded) {
      terminal.Json(result.pending);
      return kExitOk;
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::string json, EntryJson(result.receipt.entry()));
    terminal.JsonText(json);
    return kExitOk;
  }
  if (result.recorded) {
    terminal.Line(
        absl::StrFormat("%s %6d", terminal.Paint(Tone::kGood, "recorded"), result.receipt.index()));
    return kExitOk;
  }
  terminal.Line(absl::StrFormat(
      "%s %s until %s, %d signatures missing", terminal.Paint(Tone::kWarn, "pending"),
      ToHex(result.pending.event_digest()), FormatTimeMs(result.pending.expires_at_ms()),
      result.pending.open_places_size()));
  return kExitOk;
}

absl::StatusOr<int> Propose(Session& session, const ProposeOptions& options) {
  std::vector<DraftSigner> signers;
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes,
                           OneEvent(session, options.file, options.format, &signers));
  for (const std::string& text : options.signers) {
    CUSTODY_ASSIGN_OR_RETURN(DraftSigner signer, ParseDraftSigner(text));
    signers.push_back(std::move(signer));
  }
  if (signers.empty()) {
    return absl::InvalidArgumentError(
        "nobody signs this event: name a signer in the draft (sign: [...]) or with --sign NAME");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> signatures,
                           SignWith(session, bytes, signers));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SignedEvent signed_event, MakeSignedEvent(bytes, signatures));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const PendingResult result, client->Propose(signed_event));
  return PrintPending(session, result);
}

// The bytes of a pending or recorded event.
absl::StatusOr<std::string> FetchEvent(Client& client, const std::string& digest) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListPendingResponse pending, client.ListPending({}));
  for (const v1::PendingEvent& event : pending.pending()) {
    if (event.event_digest() == digest) return event.signed_event().event();
  }
  v1::GetEntryRequest request;
  request.set_event_digest(digest);
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetEntryResponse response, client.GetEntry(request));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry,
                           ParseEntry(response.entry(), "what the server sent"));
  return entry.signed_event().event();
}

absl::StatusOr<int> Cosign(Session& session, const CosignOptions& options) {
  const absl::StatusOr<std::string> digest_read = FromHex(options.digest);
  if (!digest_read.ok() || digest_read->size() != 32) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "'%s' is no event digest (64 hexadecimal digits); custody event pending lists them",
        options.digest));
  }
  const std::string& digest = *digest_read;
  if (options.as.empty() == options.signature.empty()) {
    return absl::InvalidArgumentError("name a signer with --as, or a file with --signature");
  }
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::Signature signature;
  if (!options.signature.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(signature, ReadSignatureFile(options.signature, digest));
  } else {
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FetchEvent(*client, digest));
    if (EventDigest(bytes) != digest)
      return absl::DataLossError("the server sent another event than asked for");
    CUSTODY_ASSIGN_OR_RETURN(const DraftSigner signer, ParseDraftSigner(options.as));
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> made,
                             SignWith(session, bytes, {signer}));
    signature = made.front();
  }
  CUSTODY_ASSIGN_OR_RETURN(const PendingResult result, client->Cosign(digest, signature));
  return PrintPending(session, result);
}

absl::StatusOr<int> ListPending(Session& session, const NoOptions&) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListPendingResponse response, client->ListPending({}));
  if (session.terminal().json()) {
    session.terminal().Json(response);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::PendingEvent& pending : response.pending()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::Event event,
                             ParseEvent(pending.signed_event().event(), "what the server sent"));
    rows.push_back({ToHex(pending.event_digest()), FormatTimeMs(pending.expires_at_ms()),
                    absl::StrFormat("%d", pending.open_places_size()),
                    DescribeEvent(session, event)});
  }
  session.terminal().Table({"DIGEST", "LAPSES", "MISSING", "EVENT"}, rows);
  return kExitOk;
}

}  // namespace

void AddSigningCommands(Commands* commands, CLI::App* event) {
  commands->Add<DraftOptions>(
      event, "draft", "Turn one draft into its final bytes, for others to sign",
      [](CLI::App* command, DraftOptions* options) {
        command->add_option("file", options->file, "Draft, or - for standard input")->required();
        BindFormat(command, &options->format);
        command->add_option("-o,--output", options->output, "File to write, for example thaw.event")
            ->required();
      },
      MakeDraft);
  commands->Add<SignOptions>(
      event, "sign", "Sign a finished event; the signature is a file of its own",
      [](CLI::App* command, SignOptions* options) {
        command->add_option("file", options->file, "Finished event (.event)")->required();
        command->add_option("--as", options->as, "NAME or 'NAME as ROLE/MEANING'")->required();
        command
            ->add_option("-o,--output", options->output, "File to write, for example nurse-a.sig")
            ->required();
      },
      SignEvent);
  commands->Add<ProposeOptions>(
      event, "propose", "Leave a decision with the ledger until the others have signed",
      [](CLI::App* command, ProposeOptions* options) {
        command->add_option("file", options->file, "Draft or finished event")->required();
        BindFormat(command, &options->format);
        command
            ->add_option("--sign", options->signers,
                         "NAME or 'NAME as ROLE/MEANING'; may be repeated")
            ->allow_extra_args(false);
      },
      Propose);
  commands->Add<CosignOptions>(
      event, "cosign", "Add a signature to a pending or recorded event",
      [](CLI::App* command, CosignOptions* options) {
        command->add_option("digest", options->digest, "Event digest, 64 hexadecimal digits")
            ->required();
        CLI::Option* as = command->add_option("--as", options->as, "Local signer");
        command->add_option("--signature", options->signature, "Detached signature instead")
            ->excludes(as);
      },
      Cosign);
  commands->Add<NoOptions>(
      event, "pending", "List decisions that wait for signatures", [](CLI::App*, NoOptions*) {},
      ListPending);
}

}  // namespace custody
