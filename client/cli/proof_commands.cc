#include <optional>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/question.h"
#include "client/cli/verdict_text.h"
#include "client/draft/time_text.h"
#include "client/verify/bundle_verifier.h"
#include "custody/event_builder.h"

namespace custody {
namespace {

struct ExportOptions {
  std::string subject;
  std::string output;
  bool witnessed = false;
  Question question;
};

struct VerifyOptions {
  std::string file;
  std::string trust;
  std::string at;
  std::string timestamp;
};

absl::StatusOr<int> Export(Session& session, const ExportOptions& options) {
  v1::ExportBundleRequest request;
  CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  CUSTODY_ASSIGN_OR_RETURN(const v1::VerifyDoseRequest question,
                           BuildQuestion(session, options.question));
  *request.mutable_request() = question.request();
  if (request.request().container_ids().empty() &&
      request.subject().kind() == v1::SUBJECT_KIND_CONTAINER) {
    request.mutable_request()->add_container_ids(request.subject().id());
  }
  request.set_witnessed(options.witnessed);
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_RETURN_IF_ERROR(client->ExportBundleToFile(request, options.output));
  session.terminal().Note(
      absl::StrFormat("wrote %s; check it with: custody verify %s --trust trust.toml",
                      options.output, options.output));
  session.terminal().Fields({{"file", options.output}});
  return kExitOk;
}

absl::StatusOr<int> Verify(Session& session, const VerifyOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const Trust trust, session.TrustFrom(options.trust));
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  const std::int64_t now_ms = NowMs();
  std::optional<std::int64_t> at_ms;
  if (!options.at.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const TimeText time, ParseTimeText(options.at, now_ms));
    at_ms = time.utc_ms;
  }
  std::string timestamp;
  if (!options.timestamp.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(timestamp, ReadFile(options.timestamp));
    if (timestamp.empty()) {
      return absl::InvalidArgumentError(absl::StrFormat("%s is empty", options.timestamp));
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(const VerificationReport report,
                           VerifyBundle(bytes, trust, now_ms, at_ms, timestamp));
  if (session.terminal().json()) {
    session.terminal().JsonText(report.ToJson());
  } else {
    session.terminal().Line(report.ToText());
    if (report.verdict.value() != v1::VERDICT_VALUE_UNSPECIFIED)
      PrintVerdict(session, report.verdict);
  }
  switch (report.outcome) {
    case Outcome::kProofFalse:
      return kExitProofFalse;
    case Outcome::kCannotBeChecked:
    case Outcome::kNotYetProven:
      return kExitCannotVerify;
    case Outcome::kVerified:
      break;
  }
  return report.verdict.value() == v1::VERDICT_VALUE_UNSPECIFIED
             ? kExitOk
             : ExitCodeOfVerdict(report.verdict);
}

}  // namespace

void AddProofCommands(Commands* commands) {
  commands->Add<ExportOptions>(
      &commands->app, "export", "Write everything needed to judge a subject offline into one file",
      [](CLI::App* command, ExportOptions* options) {
        command
            ->add_option("subject", options->subject,
                         "container:@name, order:@name, a label scan, ...")
            ->required();
        command
            ->add_option("-o,--output", options->output, "File to write, for example vial.custody")
            ->required();
        command->add_flag("--witnessed", options->witnessed,
                          "As of the newest checkpoint that a quorum of witnesses has cosigned, "
                          "with their cosignatures");
        BindQuestion(
            command->add_option_group("question", "The question that the verdict in it answers"),
            &options->question);
      },
      Export);
  CLI::App* verify = commands->Add<VerifyOptions>(
      &commands->app, "verify",
      "Judge a .custody file offline; needs no network and believes only trust.toml",
      [](CLI::App* command, VerifyOptions* options) {
        command->add_option("file", options->file, "Bundle, or -")->required();
        command->add_option("--trust", options->trust, "trust.toml (default: the context's)");
        command->add_option("--at", options->at,
                            "Judge the verdict for this moment, for example that of the infusion "
                            "(default: now)");
        command->add_option("--timestamp", options->timestamp,
                            "Answer of a time stamp authority over the bundle's checkpoint "
                            "(custody timestamp query)");
      },
      Verify);
  verify->footer(
      "Exit 0 verified (and GO), 1 verified NO-GO, 3 cannot be checked (also: the verdict has "
      "ended,\n"
      "or is about other containers than the bundle), 6 a proof is false.");
}

}  // namespace custody
