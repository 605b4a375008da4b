#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/gateway_log.h"
#include "client/cli/whole_log.h"
#include "client/verify/log_directory_reader.h"
#include "daemon/audit/log_audit.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

struct AuditFlags {
  std::string folder;
  std::string gateway;
  std::string token_file;
  std::string authorities_file;
  std::string trust;
  std::string work;
  std::uint32_t threads = 0;
};

// A folder for the replay; one that nobody named goes away at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& named) : named_(!named.empty()), path_(named) {}
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code error;
    if (!named_ && !path_.empty()) std::filesystem::remove_all(path_, error);
  }

  absl::StatusOr<std::string> Make() {
    std::error_code error;
    if (named_) {
      std::filesystem::create_directories(path_, error);
      if (!error) return path_.string();
      return absl::InvalidArgumentError(
          absl::StrFormat("cannot make %s: %s", path_.string(), error.message()));
    }
    std::string pattern =
        (std::filesystem::temp_directory_path() / "custody-audit-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return absl::UnavailableError(
          absl::StrFormat("no work folder can be made as %s; name one with --work", pattern));
    }
    path_ = pattern;
    return path_.string();
  }

 private:
  const bool named_;
  std::filesystem::path path_;
};

absl::StatusOr<std::string> FeedFromGateway(Session& session, const AuditFlags& flags,
                                            LogAudit* audit) {
  GatewayOptions options{.url = flags.gateway, .token = {}, .authorities_pem = {}};
  if (!flags.token_file.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(options.token, ReadFile(flags.token_file));
    if (options.token.ends_with('\n')) options.token.pop_back();
  }
  if (!flags.authorities_file.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(options.authorities_pem, ReadFile(flags.authorities_file));
  }
  CUSTODY_ASSIGN_OR_RETURN(const GatewayLog log, GatewayLog::Open(std::move(options)));
  if (log.size() < audit->next()) {
    return absl::UnavailableError(
        absl::StrFormat("the gateway shows %d entries, and %d were judged by an earlier run: try "
                        "again; if it stays "
                        "behind, it shows an old copy of the log",
                        log.size(), audit->next()));
  }
  Progress progress(session.terminal(), log.size());
  CUSTODY_RETURN_IF_ERROR(log.Read(audit->next(), [&](std::uint64_t index, std::string_view entry) {
    progress.Say(index);
    return audit->Add(std::string(entry));
  }));
  return log.note();
}

// Feeds the audit from the folder, the gateway or, without either, from the ledger of the context;
// returns the signed note that the entries are judged against.
absl::StatusOr<std::string> Feed(Session& session, const AuditFlags& flags, LogAudit* audit) {
  const std::string& folder = flags.folder;
  if (!flags.gateway.empty()) return FeedFromGateway(session, flags, audit);
  if (!folder.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const LogDirectoryReader reader, LogDirectoryReader::Open(folder));
    Progress progress(session.terminal(), reader.size());
    CUSTODY_RETURN_IF_ERROR(
        reader.Read(audit->next(), [&](std::uint64_t index, std::string_view entry) {
          progress.Say(index);
          return audit->Add(std::string(entry));
        }));
    return reader.note();
  }
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const VerifiedCheckpoint checkpoint, client->GetCheckpoint());
  CUSTODY_RETURN_IF_ERROR(ReadWholeLog(
      session, audit->next(), checkpoint.size,
      [&](std::uint64_t, std::string_view entry) { return audit->Add(std::string(entry)); }));
  return checkpoint.note;
}

absl::StatusOr<Checkpoint> RunAudit(Session& session, const AuditFlags& flags, LogAudit* audit) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string note, Feed(session, flags, audit));
  return audit->Finish(note);
}

void Print(Session& session, const absl::StatusOr<Checkpoint>& result, const std::string& ledger,
           const LogAudit& audit, double seconds) {
  const AuditCounts& counts = audit.counts();
  const std::string wrong = result.ok() ? "" : std::string(result.status().message());
  if (session.terminal().json()) {
    nlohmann::ordered_json out = {{"format_version", 1},
                                  {"outcome", result.ok() ? "verified" : "proof false"},
                                  {"ledger", ledger},
                                  {"size", result.ok() ? result->size : 0},
                                  {"root", result.ok() ? result->root.ToHex() : ""},
                                  {"entries", counts.entries},
                                  {"events", counts.events},
                                  {"seals", counts.seals},
                                  {"signatures", counts.signatures},
                                  {"findings", counts.findings},
                                  {"seconds", seconds},
                                  {"wrong", wrong}};
    session.terminal().JsonText(out.dump(2));
    return;
  }
  const auto number = [](std::uint64_t value) { return absl::StrFormat("%d", value); };
  session.terminal().Table({"JUDGED IN THIS RUN", "COUNT"},
                           {{"entries", number(counts.entries)},
                            {"events, by the rules of this program", number(counts.events)},
                            {"signatures", number(counts.signatures)},
                            {"findings, recomputed", number(counts.findings)},
                            {"seals, index root recomputed", number(counts.seals)},
                            {"seconds", absl::StrFormat("%.1f", seconds)}});
  session.terminal().Line(result.ok()
                              ? absl::StrFormat("result: verified, %s has %d entries with root %s",
                                                ledger, result->size, result->root.ToHex())
                              : absl::StrFormat("result: proof false, %s", wrong));
}

absl::StatusOr<int> Audit(Session& session, const AuditFlags& flags) {
  CUSTODY_ASSIGN_OR_RETURN(const Trust trust, session.TrustFrom(flags.trust));
  WorkFolder folder(flags.work);
  RocksdbOptions options;
  CUSTODY_ASSIGN_OR_RETURN(options.path, folder.Make());
  options.create_if_missing = true;
  options.without_log = true;
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<RocksdbStore> store, RocksdbStore::Open(options));
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<LogAudit> audit,
                           LogAudit::Open({.threads = flags.threads}, trust, *store));
  if (audit->next() > 0) {
    session.terminal().Note(absl::StrFormat("going on behind %d entries", audit->next()));
  }
  const auto begin = std::chrono::steady_clock::now();
  const absl::StatusOr<Checkpoint> result = RunAudit(session, flags, audit.get());
  if (!result.ok() && !absl::IsDataLoss(result.status())) return result.status();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  Print(session, result, trust.ledger, *audit, spent.count());
  return result.ok() ? kExitOk : kExitProofFalse;
}

}  // namespace

void AddAuditCommands(Commands* commands) {
  CLI::App* audit = commands->Add<AuditFlags>(
      &commands->app, "audit",
      "Replay a whole log and judge every entry: signatures, authority, findings, chains, index, "
      "tree",
      [](CLI::App* command, AuditFlags* options) {
        CLI::Option* const folder =
            command->add_option("folder", options->folder,
                                "An exported log (custody log export); without it, the ledger of "
                                "the context is read");
        CLI::Option* const gateway =
            command
                ->add_option("--gateway", options->gateway,
                             "Read the log from this gateway instead: http[s]://HOST[:PORT]")
                ->excludes(folder);
        command
            ->add_option("--token-file", options->token_file,
                         "The token that opens the gateway's entries")
            ->needs(gateway);
        command
            ->add_option("--ca", options->authorities_file,
                         "Who certifies the gateway, PEM (default: whom the system believes)")
            ->needs(gateway);
        command->add_option("--trust", options->trust, "trust.toml (default: the context's)");
        command->add_option("--work", options->work,
                            "Folder for the states of the replay, smaller than the log; a "
                            "later audit goes on there (default: a temporary one)");
        command->add_option("--threads", options->threads,
                            "For parsing and signatures (default: one for each processor)");
      },
      Audit);
  audit->footer(
      "Names the first entry that is wrong. Exit 0 verified, 3 cannot be read to the end, 6 "
      "something is false.");
}

}  // namespace custody
