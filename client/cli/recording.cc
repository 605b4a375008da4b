#include "client/cli/recording.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/event_file.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/opening_file.h"
#include "client/cli/outbox.h"
#include "client/cli/signing.h"
#include "custody/event_builder.h"
#include "custody/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kWaitWitnessed = "witnessed";

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

// How the sending of an event ended.
struct Sending {
  // Puts on disk what must be there before the event can be in the ledger.
  std::function<absl::Status()> before = [] { return absl::OkStatus(); };
  // Wait for witnesses.
  bool witnessed = false;
  // It is not known whether the ledger has the event; it waits in the outbox.
  bool unanswered = false;
};

// Neither yes nor no: the event may be in the ledger.
bool IsNoAnswer(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// Where a run stopped, and how to go on.
std::string PlaceText(const std::string& path, int line, int next, bool any_recorded) {
  if (next == line && !any_recorded) return absl::StrFormat("at %s:%d:", path, line);
  if (next == 0) return absl::StrFormat("at %s:%d, the last document:", path, line);
  return absl::StrFormat("at %s:%d; go on with --from-line %d:", path, line, next);
}

// What became of waiting for witnesses.
int SayWitnessed(const Terminal& terminal, const RecordResult& result) {
  if (result.witnessed) {
    terminal.Note("witnessed: a quorum has cosigned a checkpoint over it");
    return kExitOk;
  }
  terminal.Note("not yet witnessed: " + result.not_witnessed_reason);
  return kExitCannotVerify;
}

absl::StatusOr<int> PrintRecorded(Session& session, const v1::SignedEvent& signed_event,
                                  const RecordResult& result) {
  Terminal& terminal = session.terminal();
  if (terminal.json()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string json, EntryJson(result.receipt.entry(), -1));
    terminal.JsonText(json);
    return kExitOk;
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry,
                           ParseEntry(result.receipt.entry(), "the receipt"));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(signed_event.event(), "the draft"));
  const std::string findings = DescribeFindings(entry);
  terminal.Line(
      absl::StrFormat("%s %6d  %s%s", terminal.Paint(Tone::kGood, "recorded"),
                      result.receipt.index(), DescribeEvent(session, event),
                      findings.empty() ? "" : terminal.Paint(Tone::kDim, "  [" + findings + "]")));
  return kExitOk;
}

absl::StatusOr<int> Send(Session& session, const v1::SignedEvent& signed_event, Sending* sending) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const std::string kept, KeepUnanswered(session, signed_event));
  CUSTODY_RETURN_IF_ERROR(sending->before());
  CallOptions call;
  call.wait_witnessed = sending->witnessed;
  const absl::StatusOr<RecordResult> result = client->Record(signed_event, call);
  sending->unanswered = IsNoAnswer(result.status());
  if (sending->unanswered) {
    session.terminal().Note(absl::StrFormat(
        "whether the ledger has this event is not known. It is kept in %s; the next "
        "'custody event record' sends the same bytes first, which never makes a second event",
        kept));
    return result.status();
  }
  ForgetUnanswered(kept);
  CUSTODY_RETURN_IF_ERROR(result.status());
  CUSTODY_ASSIGN_OR_RETURN(const int printed, PrintRecorded(session, signed_event, *result));
  return sending->witnessed ? SayWitnessed(session.terminal(), *result) : printed;
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
                                const std::string& event_bytes, std::vector<DraftSigner> signers,
                                Sending* sending) {
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
  CUSTODY_ASSIGN_OR_RETURN(const v1::SignedEvent signed_event,
                           MakeSignedEvent(event_bytes, signatures));
  sending->witnessed = options.wait == kWaitWitnessed;
  return Send(session, signed_event, sending);
}

// One document: read, finished, signed, recorded. The openings of its commitments and the names
// that it creates are on disk before it is sent; after a definite no the names are taken back.
absl::StatusOr<int> RecordDocument(Session& session, const RecordOptions& options,
                                   DraftContext* context, DraftFile* documents, Sending* sending) {
  CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
  const NameBook before = *names;
  sending->before = [&session, context] {
    CUSTODY_RETURN_IF_ERROR(KeepOpenings(session, context));
    return session.SaveNames();
  };
  const absl::StatusOr<int> code = [&]() -> absl::StatusOr<int> {
    CUSTODY_ASSIGN_OR_RETURN(Draft draft, documents->Next());
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FinishDraft(session, &draft));
    return RecordOrTry(session, options, bytes, draft.signers, sending);
  }();
  if (code.ok() || sending->unanswered) return code;
  *names = before;
  if (!options.dry_run) CUSTODY_RETURN_IF_ERROR(session.SaveNames());
  return code;
}

// Events whose answer never came, from an earlier run.
absl::Status SendUnanswered(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListUnanswered(session));
  for (const std::string& file : files) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SignedEvent signed_event, ReadUnanswered(file));
    session.terminal().Note("sent again: " + file);
    Sending sending;
    const absl::Status status = Send(session, signed_event, &sending).status();
    if (sending.unanswered) return status;
    if (!status.ok()) session.terminal().Error(status);
  }
  return absl::OkStatus();
}

// 0: no document is left.
int NextLine(const DraftFile& documents) { return documents.done() ? 0 : documents.next_line(); }

}  // namespace

absl::StatusOr<int> RecordDrafts(Session& session, const RecordOptions& options,
                                 std::string_view text, const std::string& path) {
  if (!options.dry_run) CUSTODY_RETURN_IF_ERROR(SendUnanswered(session));
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
    Sending sending;
    absl::StatusOr<int> code = RecordDocument(session, options, &context, &documents, &sending);
    if (!code.ok()) {
      const int resume_at = sending.unanswered ? NextLine(documents) : line;
      session.terminal().Note(PlaceText(path, line, resume_at, any_recorded));
      if (!options.keep_going || sending.unanswered) return code.status();
      session.terminal().Error(code.status());
      code = ExitCodeOf(code.status());
    }
    // Also one that is durable and not yet witnessed.
    any_recorded = any_recorded || (!options.dry_run && *code != kExitRefused);
    worst = std::max(worst, *code);
  }
  return worst;
}

absl::StatusOr<int> RecordFile(Session& session, const RecordOptions& options,
                               const std::string& path) {
  const EventFormat format = FormatOf(options.format, path);
  if (format != EventFormat::kDraft) {
    if (!options.dry_run) CUSTODY_RETURN_IF_ERROR(SendUnanswered(session));
    Sending sending;
    CUSTODY_ASSIGN_OR_RETURN(EventFile file, ReadEventFile(session, path, format));
    if (file.drafts.empty()) return RecordOrTry(session, options, file.event_bytes, {}, &sending);
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, FinishDraft(session, file.drafts.data()));
    return RecordOrTry(session, options, bytes, {}, &sending);
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return RecordDrafts(session, options, text, path);
}

}  // namespace custody
