#include "client/cli/recording.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/event_file.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/signing.h"
#include "custody/event_builder.h"
#include "custody/refusal.h"

namespace custody {
namespace {

// Prints what the ledger would say. Returns whether it would be recorded.
absl::StatusOr<bool> DryRun(Session& session, const std::string& event_bytes,
                            const std::vector<v1::SignatureStatement>& statements) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(event_bytes, "the draft"));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::EvaluateRequest request;
  request.set_event(event_bytes);
  request.mutable_assumed_signers()->Assign(statements.begin(), statements.end());
  CUSTODY_ASSIGN_OR_RETURN(const v1::EvaluateResponse response, client->Evaluate(request));
  Terminal& terminal = session.terminal();
  if (terminal.json()) {
    terminal.JsonLine(response);
    return response.accepted();
  }
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
    CUSTODY_ASSIGN_OR_RETURN(const std::string json, EntryJson(result.receipt.entry(), -1));
    terminal.JsonText(json);
    return kExitOk;
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry,
                           ParseEntry(result.receipt.entry(), "the receipt"));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(event_bytes, "the draft"));
  const std::string findings = DescribeFindings(entry);
  terminal.Line(
      absl::StrFormat("%s %6d  %s%s", terminal.Paint(Tone::kGood, "recorded"),
                      result.receipt.index(), DescribeEvent(session, event),
                      findings.empty() ? "" : terminal.Paint(Tone::kDim, "  [" + findings + "]")));
  return kExitOk;
}

absl::StatusOr<std::vector<v1::Signature>> ReadSignatures(const RecordOptions& options,
                                                          const std::string& event_bytes) {
  std::vector<v1::Signature> signatures;
  for (const std::string& path : options.signatures) {
    CUSTODY_ASSIGN_OR_RETURN(v1::Signature signature,
                             ReadSignatureFile(path, EventDigest(event_bytes)));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

// A dry run opens no key: it needs no passphrase, and may name signers who are elsewhere.
absl::StatusOr<int> TryEvent(Session& session, const RecordOptions& options,
                             const std::string& event_bytes,
                             const std::vector<DraftSigner>& signers) {
  CUSTODY_ASSIGN_OR_RETURN(std::vector<v1::SignatureStatement> statements,
                           AssumedStatements(session, event_bytes, signers));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> detached,
                           ReadSignatures(options, event_bytes));
  for (const v1::Signature& signature : detached) {
    if (!statements.emplace_back().ParseFromString(signature.statement())) {
      return absl::InvalidArgumentError("a detached signature holds no statement");
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(const bool accepted, DryRun(session, event_bytes, statements));
  return accepted ? kExitOk : kExitRefused;
}

absl::StatusOr<int> RecordOrTry(Session& session, const RecordOptions& options,
                                const std::string& event_bytes, std::vector<DraftSigner> signers) {
  for (const std::string& text : options.signers) {
    CUSTODY_ASSIGN_OR_RETURN(DraftSigner signer, ParseDraftSigner(text));
    signers.push_back(std::move(signer));
  }
  if (options.dry_run) return TryEvent(session, options, event_bytes, signers);
  if (signers.empty() && options.signatures.empty()) {
    return absl::InvalidArgumentError(
        "nobody signs this event: name signers in the draft (sign: [...]), with --sign NAME, or "
        "with --signature FILE");
  }
  CUSTODY_ASSIGN_OR_RETURN(std::vector<v1::Signature> signatures,
                           SignWith(session, event_bytes, signers));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Signature> detached,
                           ReadSignatures(options, event_bytes));
  signatures.insert(signatures.end(), detached.begin(), detached.end());
  return RecordOne(session, event_bytes, signatures);
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

}  // namespace

absl::StatusOr<int> RecordDrafts(Session& session, const RecordOptions& options,
                                 std::string_view text, const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(DraftContext context, session.MakeDraftContext(path));
  CUSTODY_ASSIGN_OR_RETURN(DraftFile documents, DraftFile::Open(text, path, &context));
  int worst = kExitOk;
  bool any_recorded = false;
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
          any_recorded ? absl::StrFormat("at %s:%d; what stands before it is recorded, go on with "
                                         "--from-line %d:",
                                         path, line, line)
                       : absl::StrFormat("at %s:%d:", path, line));
      if (!options.keep_going) return code.status();
      session.terminal().Error(code.status());
      code = ExitCodeOf(code.status());
    }
    any_recorded = any_recorded || (!options.dry_run && *code == kExitOk);
    worst = std::max(worst, *code);
  }
  return worst;
}

absl::StatusOr<int> RecordFile(Session& session, const RecordOptions& options,
                               const std::string& path) {
  const EventFormat format = FormatOf(options.format, path);
  if (format != EventFormat::kDraft) {
    CUSTODY_ASSIGN_OR_RETURN(EventFile file, ReadEventFile(session, path, format));
    if (file.drafts.empty()) return RecordOrTry(session, options, file.event_bytes, {});
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FinishDraft(session, file.drafts.data()));
    return RecordOrTry(session, options, bytes, {});
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return RecordDrafts(session, options, text, path);
}

}  // namespace custody
