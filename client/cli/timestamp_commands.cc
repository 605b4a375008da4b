// Time stamps of outside authorities (RFC 3161) on checkpoints, as files that any tool reads. The
// question is carried to the authority by others (curl): this program talks to the ledger alone.

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/draft/time_text.h"
#include "client/verify/bundle_verifier.h"
#include "client/verify/trust.h"
#include "crypto/note.h"
#include "crypto/timestamp.h"
#include "custody/v1/bundle.pb.h"

namespace custody {
namespace {

struct QueryOptions {
  std::string file;
  std::string output;
};

struct CheckOptions {
  std::string file;
  std::string answer;
  std::string trust;
};

struct AttachOptions {
  std::string bundle;
  std::string answer;
  std::string output;
};

// The bytes that are stamped: a checkpoint as it stands in a file of its own or in a bundle.
absl::StatusOr<std::string> CheckpointIn(const std::string& file) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file));
  if (ParseNote(bytes).ok()) return bytes;
  v1::Bundle bundle;
  if (bundle.ParseFromString(bytes) && ParseNote(bundle.checkpoint()).ok()) {
    return bundle.checkpoint();
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "%s is neither a checkpoint (custody log checkpoint -o FILE) nor a bundle (custody export)",
      file));
}

absl::StatusOr<int> Query(Session& session, const QueryOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string checkpoint, CheckpointIn(options.file));
  CUSTODY_ASSIGN_OR_RETURN(const std::string query, MakeTimestampQuery(Sha256(checkpoint)));
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(options.output, query, /*secret=*/false));
  session.terminal().Note(absl::StrFormat(
      "send it: curl -H 'Content-Type: application/timestamp-query' --data-binary @%s URL -o "
      "answer.tsr; keep the answer beside %s",
      options.output, options.file));
  session.terminal().Fields({{"file", options.output}, {"sha256", Sha256(checkpoint).ToHex()}});
  return kExitOk;
}

// What contradicts itself is false; what merely lacks trust cannot be checked.
absl::StatusOr<int> NotShown(Session& session, const std::string& file,
                             const absl::Status& status) {
  const std::string text = absl::StrFormat("%s: %s", file, std::string(status.message()));
  if (absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status)) {
    return absl::DataLossError(text);
  }
  if (!absl::IsFailedPrecondition(status)) return status;
  session.terminal().Note("cannot be checked: " + text);
  return kExitCannotVerify;
}

absl::StatusOr<int> Check(Session& session, const CheckOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const Trust trust, session.TrustFrom(options.trust));
  if (trust.timestamp_authorities_pem.empty()) {
    return absl::InvalidArgumentError(
        "trust.toml names no authority of time: add timestamp_ca = \"FILE.pem\"");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string checkpoint, CheckpointIn(options.file));
  const absl::Status believed = OpenTrustedCheckpoint(checkpoint, trust).status();
  if (!believed.ok()) return NotShown(session, options.file, believed);
  CUSTODY_ASSIGN_OR_RETURN(const std::string answer, ReadFile(options.answer));
  const absl::StatusOr<VerifiedTimestamp> stamp =
      VerifyTimestamp(answer, checkpoint, trust.timestamp_authorities_pem);
  if (!stamp.ok()) return NotShown(session, options.answer, stamp.status());
  session.terminal().Fields({{"time", FormatTimeMs(stamp->utc_ms)},
                             {"accuracy_ms", std::to_string(stamp->accuracy_ms)},
                             {"authority", stamp->authority}});
  if (session.terminal().json()) return kExitOk;
  session.terminal().Line(absl::StrFormat("%s saw this checkpoint at %s", stamp->authority,
                                          FormatTimeMs(stamp->utc_ms)));
  return kExitOk;
}

// Nothing is stored that is not about this checkpoint; whom the answer is from is for each reader's
// trust.toml to judge.
absl::StatusOr<int> Attach(Session& session, const AttachOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.bundle));
  v1::Bundle bundle;
  if (!bundle.ParseFromString(bytes) || bundle.entries().empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is no bundle; custody export makes one", options.bundle));
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string answer, ReadFile(options.answer));
  const absl::Status about = CheckTimestampImprint(answer, bundle.checkpoint());
  if (!about.ok()) return NotShown(session, options.answer, about);
  const bool replaced = !bundle.timestamp().empty() && bundle.timestamp() != answer;
  if (replaced) session.terminal().Note("it replaces the time stamp that was there");
  bundle.set_timestamp(answer);
  const std::string& output = options.output.empty() ? options.bundle : options.output;
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(output, bundle.SerializeAsString(),
                                              /*secret=*/!bundle.openings().empty()));
  session.terminal().Fields({{"file", output}});
  return kExitOk;
}

}  // namespace

void AddTimestampCommands(Commands* commands) {
  CLI::App* timestamp = commands->app.add_subcommand(
      "timestamp", "Have an outside authority state when a checkpoint existed (RFC 3161)");
  timestamp->require_subcommand(1);
  commands->Add<QueryOptions>(
      timestamp, "query", "Write the question for the checkpoint in a file",
      [](CLI::App* command, QueryOptions* options) {
        command->add_option("file", options->file, "Checkpoint, or .custody bundle")->required();
        command->add_option("-o,--output", options->output, "File to write, for example vial.tsq")
            ->required();
      },
      Query);
  commands->Add<CheckOptions>(
      timestamp, "check", "Judge an answer by trust.toml and say the time",
      [](CLI::App* command, CheckOptions* options) {
        command->add_option("file", options->file, "Checkpoint, or .custody bundle")->required();
        command->add_option("answer", options->answer, "Answer of the authority (.tsr)")
            ->required();
        command->add_option("--trust", options->trust, "trust.toml (default: the context's)");
      },
      Check);
  commands->Add<AttachOptions>(
      timestamp, "attach", "Put an answer into the bundle that it is about, for every reader",
      [](CLI::App* command, AttachOptions* options) {
        command->add_option("bundle", options->bundle, "The .custody bundle")->required();
        command->add_option("answer", options->answer, "Answer of the authority (.tsr)")
            ->required();
        command->add_option("-o,--output", options->output,
                            "File to write (default: the bundle, replaced whole)");
      },
      Attach);
}

}  // namespace custody
