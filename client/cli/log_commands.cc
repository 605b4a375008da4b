#include <chrono>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/draft/time_text.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"

namespace custody {
namespace {

struct NoOptions {};

struct CheckpointOptions {
  std::string output;
  bool witnessed = false;
};

struct BackupOptions {
  std::string name;
};

struct ScrubOptions {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct WatchOptions {
  std::string subject;
  std::vector<std::string> codes;
  std::int64_t from = -1;
  std::uint64_t count = 0;
};

struct ReceiptOptions {
  std::uint64_t index = 0;
  std::string output;
};

void ShowWitnesses(Terminal& terminal, const v1::GetStatusResponse& status) {
  if (status.witnesses().empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const v1::WitnessStatus& witness : status.witnesses()) {
    const std::string state = !witness.alarm().empty()   ? "ALARM: " + witness.alarm()
                              : !witness.error().empty() ? witness.error()
                                                         : "cosigns";
    rows.push_back({witness.name(), absl::StrFormat("%d", witness.cosigned_size()),
                    witness.cosigned_at_ms() == 0 ? "" : FormatTimeMs(witness.cosigned_at_ms()),
                    state});
  }
  terminal.Line("");
  terminal.Table({"WITNESS", "SIZE", "COSIGNED", "STATE"}, rows);
}

void ShowDamage(Terminal& terminal, const v1::ScrubStatus& scrub) {
  if (scrub.damage().empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const v1::DamagedPlace& place : scrub.damage()) {
    rows.push_back({place.where(), FormatTimeMs(place.found_at_ms()), place.what()});
  }
  terminal.Line("");
  terminal.Table({"DAMAGED", "FOUND", "WHAT"}, rows);
}

std::string ScrubText(const v1::ScrubStatus& scrub) {
  if (scrub.entries_per_second_max() == 0) return "switched off";
  const std::string last = scrub.pass_finished_at_ms() == 0
                               ? "no whole pass yet"
                               : "last whole pass " + FormatTimeMs(scrub.pass_finished_at_ms());
  return absl::StrFormat("%d of %d entries, %s", scrub.entries_done(), scrub.entries_total(), last);
}

absl::StatusOr<int> ShowStatus(Session& session, const NoOptions&) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetStatusResponse status, client->GetStatus());
  if (session.terminal().json()) {
    session.terminal().Json(status);
    return kExitOk;
  }
  const auto number = [](std::uint64_t value) { return absl::StrFormat("%d", value); };
  session.terminal().Table(
      {"KEY", "VALUE"},
      {{"origin", status.origin()},
       {"mode",
        status.mode() + (status.mode_reason().empty() ? "" : " (" + status.mode_reason() + ")")},
       {"version", status.version() + " " + status.commit()},
       {"tree_size", number(status.tree_size())},
       {"root", ToHex(status.root())},
       {"subjects", number(status.subject_count())},
       {"rules_version", number(status.rules_version())},
       {"log_key", status.log_key()},
       {"entry0_leaf_hash", ToHex(status.entry0_leaf_hash())},
       {"started", FormatTimeMs(status.started_at_ms())},
       {"last_commit",
        status.last_commit_at_ms() == 0 ? "" : FormatTimeMs(status.last_commit_at_ms())},
       {"pending", number(status.pending_count())},
       {"queue_events", number(status.queue_events())},
       {"store_bytes", number(status.store_bytes())},
       {"free_bytes", number(status.free_bytes())},
       {"scrub", ScrubText(status.scrub())},
       {"damaged_places", number(status.scrub().damage_count())},
       {"witnessed_size",
        status.witnesses().empty() ? "no witnesses" : number(status.witnessed_size())}});
  ShowDamage(session.terminal(), status.scrub());
  ShowWitnesses(session.terminal(), status);
  return status.mode() == "serving" ? kExitOk : kExitCannotVerify;
}

// Whether the cosignatures meet the policy of trust.toml. OK without one: then it says so.
absl::Status CheckQuorum(Session& session, const std::string& note) {
  const absl::StatusOr<const Trust*> trust = session.trust();
  if (!trust.ok() || !(*trust)->policy.has_value()) {
    session.terminal().Note("cosignatures: not judged, no trust.toml with a policy is configured");
    return absl::OkStatus();
  }
  const WitnessPolicy& policy = *(*trust)->policy;
  CUSTODY_ASSIGN_OR_RETURN(const OpenedCheckpoint opened, OpenTrustedCheckpoint(note, **trust));
  const std::optional<std::uint64_t> time = QuorumTime(policy, opened.cosignatures);
  if (!time.has_value()) {
    return absl::FailedPreconditionError(
        "the cosignatures do not meet the quorum of the policy in trust.toml");
  }
  session.terminal().Note("quorum of the policy in trust.toml: met at " +
                          FormatTimeMs(static_cast<std::int64_t>(*time) * 1'000));
  return absl::OkStatus();
}

absl::StatusOr<int> ShowCheckpoint(Session& session, const CheckpointOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(
      const VerifiedCheckpoint checkpoint,
      options.witnessed ? client->GetWitnessedCheckpoint() : client->GetCheckpoint());
  if (options.witnessed) CUSTODY_RETURN_IF_ERROR(CheckQuorum(session, checkpoint.note));
  if (!options.output.empty()) {
    CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(options.output, checkpoint.note, /*secret=*/false));
    session.terminal().Fields({{"file", options.output}});
    return kExitOk;
  }
  if (session.terminal().json()) {
    const nlohmann::ordered_json out = {
        {"size", checkpoint.size}, {"root", ToHex(checkpoint.root)}, {"note", checkpoint.note}};
    session.terminal().JsonText(out.dump(2));
    return kExitOk;
  }
  std::string note = checkpoint.note;
  while (!note.empty() && note.back() == '\n') note.pop_back();
  session.terminal().Line(note);
  session.terminal().Note("signature and consistency with everything seen before: verified");
  return kExitOk;
}

absl::StatusOr<int> BackUpLog(Session& session, const BackupOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::BackupRequest request;
  request.set_directory(options.name);
  v1::BackupResponse made;
  CallOptions call;
  call.deadline = std::chrono::hours(24);
  CUSTODY_RETURN_IF_ERROR(client->Backup(
      request,
      [&made](const v1::BackupResponse& progress) {
        made = progress;
        return true;
      },
      call));
  if (session.terminal().json()) {
    session.terminal().Json(made);
    return kExitOk;
  }
  session.terminal().Fields(
      {{"backup", options.name}, {"bytes", absl::StrFormat("%d", made.bytes_total())}});
  session.terminal().Line(made.checkpoint());
  return kExitOk;
}

absl::StatusOr<int> ScrubLogNow(Session& session, const ScrubOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ScrubRequest request;
  request.set_begin(options.from);
  request.set_end(options.to);
  v1::ScrubResponse whole;
  CallOptions call;
  call.deadline = std::chrono::hours(24);
  CUSTODY_RETURN_IF_ERROR(client->Scrub(
      request,
      [&whole](const v1::ScrubResponse& progress) {
        whole.set_entries_done(progress.entries_done());
        whole.set_entries_total(progress.entries_total());
        whole.mutable_damaged()->MergeFrom(progress.damaged());
        return true;
      },
      call));
  const int code = whole.damaged().empty() ? kExitOk : kExitProofFalse;
  if (session.terminal().json()) {
    session.terminal().Json(whole);
    return code;
  }
  session.terminal().Fields({{"entries", absl::StrFormat("%d", whole.entries_done())},
                             {"damaged", absl::StrFormat("%d", whole.damaged_size())}});
  for (const std::uint64_t index : whole.damaged()) {
    session.terminal().Line(absl::StrFormat("entry %d is damaged", index));
  }
  return code;
}

absl::Status PrintWatched(Session& session, std::string_view entry) {
  if (session.terminal().json()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string json, EntryJson(entry, -1));
    session.terminal().JsonText(json);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> row, EntryRow(session, entry));
  session.terminal().Line(absl::StrFormat("%6s  %s  %s  %s", row[0], row[1], row[2], row[3]));
  return absl::OkStatus();
}

absl::StatusOr<int> Watch(Session& session, const WatchOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::WatchRequest request;
  if (options.from >= 0) {
    request.set_from_index(static_cast<std::uint64_t>(options.from));
  } else {
    CUSTODY_ASSIGN_OR_RETURN(const VerifiedCheckpoint checkpoint, client->GetCheckpoint());
    request.set_from_index(checkpoint.size);
  }
  for (const std::string& code : options.codes) request.add_codes(code);
  if (!options.subject.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.add_subjects(), session.ResolveSubject(options.subject));
  }
  std::uint64_t seen = 0;
  CallOptions call;
  call.deadline = std::chrono::milliseconds(0);
  absl::Status printed;
  const absl::Status status = client->Watch(
      request,
      [&](std::uint64_t, std::string_view entry) {
        printed = PrintWatched(session, entry);
        ++seen;
        return printed.ok() && (options.count == 0 || seen < options.count);
      },
      call);
  CUSTODY_RETURN_IF_ERROR(printed);
  CUSTODY_RETURN_IF_ERROR(status);
  return kExitOk;
}

absl::StatusOr<int> WriteReceipt(Session& session, const ReceiptOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetReceiptRequest request;
  request.set_index(options.index);
  CUSTODY_ASSIGN_OR_RETURN(const v1::Receipt receipt, client->GetReceipt(request));
  if (options.output.empty()) {
    session.terminal().Json(receipt);
  } else {
    CUSTODY_RETURN_IF_ERROR(
        WriteFileAtomically(options.output, receipt.SerializeAsString(), /*secret=*/false));
    session.terminal().Fields({{"file", options.output}});
  }
  return kExitOk;
}

}  // namespace

void AddLogCommands(Commands* commands) {
  CLI::App* log =
      commands->app.add_subcommand("log", "The log itself: status, checkpoint, receipts, entries");
  log->require_subcommand(1);
  commands->Add<NoOptions>(
      log, "status", "How the ledger is", [](CLI::App*, NoOptions*) {}, ShowStatus);
  commands->Add<CheckpointOptions>(
      log, "checkpoint", "The newest checkpoint, verified",
      [](CLI::App* command, CheckpointOptions* options) {
        command->add_option("-o,--output", options->output, "File to write the signed note to");
        command->add_flag("--witnessed", options->witnessed,
                          "The newest that a quorum of witnesses has cosigned");
      },
      ShowCheckpoint);
  commands->Add<BackupOptions>(
      log, "backup", "Have the running daemon copy its store into its backup directory",
      [](CLI::App* command, BackupOptions* options) {
        command->add_option("name", options->name, "Name of the new folder there")->required();
      },
      BackUpLog);
  commands->Add<ScrubOptions>(
      log, "scrub", "Have the running daemon compare entries with its tree at once",
      [](CLI::App* command, ScrubOptions* options) {
        command->add_option("--from", options->from, "First entry");
        command->add_option("--to", options->to, "Entry behind the last one (default: all)");
      },
      ScrubLogNow);
  AddLogExportCommand(commands, log);
  commands->Add<ReceiptOptions>(
      log, "receipt", "The receipt of an entry, verified",
      [](CLI::App* command, ReceiptOptions* options) {
        command->add_option("index", options->index, "Index of the entry")->required();
        command->add_option("-o,--output", options->output, "File to write it to");
      },
      WriteReceipt);
  commands->Add<WatchOptions>(
      log, "watch", "Entries as they become durable; goes on after disconnections",
      [](CLI::App* command, WatchOptions* options) {
        command->add_option("subject", options->subject, "Only entries about this subject");
        command->add_option("--code", options->codes, "Only this catalogue code")
            ->allow_extra_args(false);
        command->add_option("--from", options->from, "First index (default: what comes next)");
        command->add_option("--count", options->count, "Stop after this many");
      },
      Watch);
}

}  // namespace custody
