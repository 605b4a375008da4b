#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/opening_file.h"
#include "client/cli/question.h"
#include "client/cli/verdict_text.h"
#include "client/draft/time_text.h"
#include "client/verify/bundle_openings.h"
#include "client/verify/bundle_verifier.h"
#include "custody/event_builder.h"

namespace custody {
namespace {

constexpr const char* kPartner = "partner";
constexpr const char* kAuthority = "authority";

struct ExportOptions {
  std::string subject;
  std::string output;
  bool witnessed = false;
  std::string profile = "partner";
  std::vector<std::string> openings;
  Question question;
};

struct RedactOptions {
  std::string file;
  std::string output;
};

struct VerifyOptions {
  std::string file;
  std::string trust;
  std::string at;
  std::string timestamp;
};

// The bundle with the openings that this computer keeps for it, for its owner's eyes.
absl::Status WriteDisclosed(Session& session, const ExportOptions& options,
                            std::string_view bytes) {
  v1::Bundle bundle;
  if (!bundle.ParseFromString(std::string(bytes))) return absl::DataLossError("no bundle came");
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<v1::Opening> kept,
                           KeptOpenings(session, options.openings));
  CUSTODY_ASSIGN_OR_RETURN(const std::size_t disclosed, Disclose(kept, &bundle));
  session.terminal().Note(absl::StrFormat(
      "it discloses %d values; custody redact makes a copy for others of it", disclosed));
  return WriteFileAtomically(options.output, bundle.SerializeAsString(), /*secret=*/true);
}

absl::StatusOr<int> Redact(Session& session, const RedactOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  v1::Bundle bundle;
  if (!bundle.ParseFromString(bytes) || bundle.entries().empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is no bundle; custody export makes one", options.file));
  }
  const int hidden = bundle.openings_size();
  bundle.clear_openings();
  CUSTODY_RETURN_IF_ERROR(
      WriteFileAtomically(options.output, bundle.SerializeAsString(), /*secret=*/false));
  session.terminal().Fields({{"file", options.output}, {"hidden", absl::StrCat(hidden)}});
  return kExitOk;
}

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
  if (options.profile == kAuthority) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, client->ExportBundle(request));
    CUSTODY_RETURN_IF_ERROR(WriteDisclosed(session, options, bytes));
  } else {
    CUSTODY_RETURN_IF_ERROR(client->ExportBundleToFile(request, options.output));
  }
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
        command
            ->add_option("--profile", options->profile,
                         "partner: no openings of commitments; authority: all that this computer "
                         "keeps, so that values can be read and checked")
            ->check(CLI::IsMember({kPartner, kAuthority}))
            ->capture_default_str();
        command->add_option("--openings", options->openings,
                            "Further files of openings, as JSON lines (profile authority)");
        BindQuestion(
            command->add_option_group("question", "The question that the verdict in it answers"),
            &options->question);
      },
      Export);
  commands->Add<RedactOptions>(
      &commands->app, "redact",
      "Copy a .custody file without what it discloses; signatures and proofs stay true",
      [](CLI::App* command, RedactOptions* options) {
        command->add_option("file", options->file, "Bundle of the profile authority, or -")
            ->required();
        command->add_option("-o,--output", options->output, "File to write")->required();
      },
      Redact);
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
                            "(custody timestamp query; default: the one that the bundle carries)");
      },
      Verify);
  verify->footer(
      "Exit 0 verified (and GO), 1 verified NO-GO, 3 cannot be checked (also: the verdict has "
      "ended,\n"
      "or is about other containers than the bundle), 6 a proof is false.");
}

}  // namespace custody
