#include "daemon/serve_command.h"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/background_scrub.h"
#include "daemon/backup.h"
#include "daemon/build_info.h"
#include "daemon/call_log.h"
#include "daemon/files.h"
#include "daemon/health_keeper.h"
#include "daemon/http_listener.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/stopped_log.h"
#include "daemon/logging.h"
#include "daemon/metrics_text.h"
#include "daemon/parts.h"
#include "daemon/services/server.h"
#include "daemon/services/tls_files.h"
#include "daemon/signals.h"
#include "daemon/systemd_notify.h"
#include "storage/rocksdb_store.h"

namespace custody {
namespace {

constexpr int kTickMs = 200;
// For calls under way after the ledger has answered everybody.
constexpr std::int64_t kStopCallsMs = 2'000;
// A start takes a tenth of it; one that takes longer may wait for compaction itself.
constexpr std::int64_t kCompactionDelayMsMax = 1'000;

constexpr std::string_view kInsecureBanner =
    "INSECURE: listen.insecure_loopback is on. No TLS, no certificates: everybody on this machine "
    "may do everything. Never use this with real data.";

absl::StatusOr<std::unique_ptr<HttpListener>> StartMetrics(const Config& config,
                                                           const Ledger& ledger,
                                                           const CallLog& calls,
                                                           const WitnessKeeper* witnesses) {
  if (config.metrics.address.empty()) return std::unique_ptr<HttpListener>();
  return HttpListener::Start(
      config.metrics.address, [&ledger, &calls, witnesses](std::string_view path) -> HttpAnswer {
        if (path == "/metrics") {
          return {200,
                  MetricsText(ledger, calls.counters(), witnesses, BuildVersion(), BuildCommit())};
        }
        if (path == "/healthz") {
          const LedgerStatus status = ledger.Status();
          // Degraded: what is damaged is held back, everything else is served and recorded.
          return {WritesServe(status) ? 200 : 503,
                  absl::StrFormat("%s%s %s\n", ModeName(status.mode),
                                  status.damage_count > 0 ? " degraded" : "", status.mode_reason)};
        }
        return {404, "there are /metrics and /healthz\n"};
      });
}

absl::Status Named(std::string_view step, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrFormat("%s: %s", step, StdView(status.message())));
}

void LogStart(const Config& config, const Ledger& ledger, const GrpcServer& server) {
  const LedgerStatus status = ledger.Status();
  if (config.listen.insecure_loopback) Log(LogLevel::kWarning, kInsecureBanner);
  if (config.ledger.anchor_file.empty()) {
    Log(LogLevel::kWarning,
        "the anchor lies in the data directory; name ledger.anchor_file on another disk");
  }
  Log(LogLevel::kInfo, "serving",
      {{"address", server.address()},
       {"origin", status.origin},
       {"log_key", status.log_vkey},
       {"tree_size", std::to_string(status.tree_size)},
       {"version", std::string(BuildVersion())},
       {"commit", std::string(BuildCommit())}});
}

// The keeper has threads that use the ledger: they end before it does, however Serve() ends.
class WitnessingWhile {
 public:
  WitnessingWhile(WitnessKeeper* witnesses, Ledger& ledger) : witnesses_(witnesses) {
    if (witnesses_ != nullptr) witnesses_->Start(ledger);
  }
  ~WitnessingWhile() {
    if (witnesses_ != nullptr) witnesses_->Stop();
  }
  WitnessingWhile(const WitnessingWhile&) = delete;
  WitnessingWhile& operator=(const WitnessingWhile&) = delete;

 private:
  WitnessKeeper* const witnesses_;
};

// Waits for a signal to stop, telling systemd and health how it goes.
void RunUntilSignal(HealthKeeper& health, const SystemdNotifier& systemd) {
  std::int64_t since_watchdog_ms = 0;
  for (;;) {
    const int signal = WaitForSignal(kTickMs);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) {
      Log(LogLevel::kWarning, "SIGHUP: nothing is read again while serving; restart instead");
    }
    health.Tick();
    since_watchdog_ms += kTickMs;
    if (systemd.watchdog_interval_ms() > 0 && since_watchdog_ms >= systemd.watchdog_interval_ms()) {
      systemd.Notify("WATCHDOG=1");
      since_watchdog_ms = 0;
    }
  }
}

// Everyone admitted gets an answer, unless it takes too long or a second signal comes.
absl::Status DrainUntilSignal(Ledger& ledger, std::int64_t drain_ms_max) {
  for (std::int64_t waited_ms = 0; waited_ms < drain_ms_max; waited_ms += kTickMs) {
    const absl::Status drained = ledger.Drain(kTickMs);
    if (!absl::IsDeadlineExceeded(drained)) return drained;
    const int signal = WaitForSignal(0);
    if (signal == SIGTERM || signal == SIGINT) {
      return absl::DeadlineExceededError("a second signal ended the drain");
    }
  }
  return absl::DeadlineExceededError(
      absl::StrFormat("the drain took longer than stop.drain_ms_max (%d)", drain_ms_max));
}

// Whoever still waits will ask again with the same event; waiting for them is what was cut short.
// As safe as a crash: nothing is acknowledged before it is durable.
[[noreturn]] void EndAtOnce(const absl::Status& drained) {
  Log(LogLevel::kWarning, "stopped: not everyone was answered",
      {{"cause", std::string(StdView(drained.message()))}});
  std::_Exit(ExitCodeOf(drained));
}

absl::StatusOr<std::unique_ptr<GrpcServer>> StartServer(const Config& config, const Clock& clock,
                                                        const RocksdbStore& store, Ledger& ledger,
                                                        CallLog& calls, WitnessKeeper* witnesses) {
  CUSTODY_ASSIGN_OR_RETURN(ServerOptions options, ServerOptionsOf(config));
  options.backup = [&config, &store, &ledger](const std::string& name) {
    return BackUpRunning(config, name, store, ledger);
  };
  if (!options.insecure_loopback) {
    CUSTODY_RETURN_IF_ERROR(CheckCertificateTime(options.certificate_pem, clock.WallMs()));
  }
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(options, ledger, store, calls, witnesses);
  if (!server.ok()) return Named("listen.address", server.status());
  return server;
}

void StopServing(const Config& config, const SystemdNotifier& systemd, Ledger& ledger,
                 GrpcServer& server, BackgroundScrub& scrub, WitnessKeeper* witnesses) {
  systemd.Notify("STOPPING=1\nSTATUS=draining");
  Log(LogLevel::kInfo, "stopping: everyone who was admitted gets an answer");
  server.SetHealth(false, false);
  server.StopStreams();
  scrub.Stop();
  const absl::Status drained = DrainUntilSignal(ledger, config.stop.drain_ms_max);
  if (!drained.ok()) EndAtOnce(drained);
  // Who waits for witnesses is told that the event is durable.
  if (witnesses != nullptr) witnesses->Stop();
  server.Stop(kStopCallsMs);
  Log(LogLevel::kInfo, "stopped: everyone was answered");
}

}  // namespace

absl::Status Serve(const Config& config) {
  CUSTODY_RETURN_IF_ERROR(CheckEverything(config));
  const SystemdNotifier systemd;
  const SystemClock clock;
  systemd.Notify("STATUS=opening the store");
  StoppedLog stopped_log(StoppedLogFile(config));
  RocksdbOptions store_options = StoreOptionsOf(config);
  store_options.compaction_delay_ms_max = kCompactionDelayMsMax;
  absl::StatusOr<std::unique_ptr<RocksdbStore>> store = RocksdbStore::Open(store_options);
  if (!store.ok()) return Named("store", store.status());
  CUSTODY_ASSIGN_OR_RETURN(const LedgerKeys keys, LoadKeys(config));
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<WitnessKeeper> witnesses,
                           MakeWitnessKeeper(config, keys, clock));
  LedgerOptions ledger_options = LedgerOptionsOf(config);
  ledger_options.stopped_log = &stopped_log;
  if (witnesses != nullptr) {
    ledger_options.before_writing = [&witnesses](const LedgerSnapshot& snapshot) {
      return witnesses->CheckBeforeWriting(snapshot);
    };
  }
  absl::StatusOr<std::unique_ptr<Ledger>> ledger =
      Ledger::Open(ledger_options, **store, keys, clock);
  if (!ledger.ok()) return Named("ledger", ledger.status());

  // What was damaged before the stop is held back before anybody asks.
  BackgroundScrub scrub(**ledger, **store,
                        {config.scrub.entries_per_second_max, config.scrub.pass_interval_ms_min,
                         ScrubStateFile(config), StoreOptionsOf(config)});

  CallLog calls;
  CUSTODY_ASSIGN_OR_RETURN(const auto server,
                           StartServer(config, clock, **store, **ledger, calls, witnesses.get()));
  CUSTODY_ASSIGN_OR_RETURN(const auto metrics,
                           StartMetrics(config, **ledger, calls, witnesses.get()));
  const WitnessingWhile witnessing(witnesses.get(), **ledger);
  scrub.Start();

  HealthKeeper health(**ledger, *server);
  health.Tick();
  LogStart(config, **ledger, *server);
  if (!config.listen.address_file.empty()) {
    CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(config.listen.address_file, server->address()));
  }
  systemd.Notify("READY=1\nSTATUS=serving");
  (*store)->StartCompaction();
  RunUntilSignal(health, systemd);

  StopServing(config, systemd, **ledger, *server, scrub, witnesses.get());
  return absl::OkStatus();
}

}  // namespace custody
