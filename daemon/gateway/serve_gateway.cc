#include "daemon/gateway/serve_gateway.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/build_info.h"
#include "daemon/files.h"
#include "daemon/gateway/believed_log.h"
#include "daemon/gateway/gateway.h"
#include "daemon/gateway/gateway_metrics.h"
#include "daemon/gateway/http_server.h"
#include "daemon/gateway/tile_cache.h"
#include "daemon/logging.h"
#include "daemon/signals.h"
#include "daemon/systemd_notify.h"

namespace custody {
namespace {

constexpr int kTickMs = 200;
// Each look at a log that forks and grows leaves an evidence file: fewer looks, fewer files.
constexpr int kConflictPatience = 30;

// Says it when health changes, not at each refresh.
void LogHealthChange(LogHealth before, const BelievedLog::State& now) {
  if (before == now.health) return;
  const LogLevel level = now.health == LogHealth::kConflict ? LogLevel::kError
                         : now.health == LogHealth::kGood   ? LogLevel::kInfo
                                                            : LogLevel::kWarning;
  Log(level, "the ledger as the gateway sees it",
      {{"health", std::string(HealthName(now.health))}, {"reason", now.reason}});
}

// Refreshes the log on a thread of its own, since a daemon that hangs must not stop anything else.
class Refresher {
 public:
  Refresher(BelievedLog& log, std::uint32_t interval_ms)
      : log_(log), interval_(interval_ms), thread_([this] { Run(); }) {}
  ~Refresher() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      wake_.NotifyAll();
    }
    thread_.join();
  }
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

 private:
  void Run() {
    do {
      const LogHealth before = log_.state().health;
      log_.Refresh().IgnoreError();  // It stands in the state.
      LogHealthChange(before, log_.state());
    } while (WaitForNext());
  }

  // False when it is time to end.
  bool WaitForNext() {
    const bool conflict = log_.state().health == LogHealth::kConflict;
    const auto next =
        std::chrono::steady_clock::now() + interval_ * (conflict ? kConflictPatience : 1);
    const MutexLock lock(mutex_);
    while (!stopping_ && wake_.WaitUntil(mutex_, next)) {
    }
    return !stopping_;
  }

  BelievedLog& log_;
  const std::chrono::milliseconds interval_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses the others.
};

void RunUntilSignal(const SystemdNotifier& systemd) {
  std::int64_t since_watchdog_ms = 0;
  for (;;) {
    const int signal = WaitForSignal(kTickMs);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) {
      Log(LogLevel::kWarning, "SIGHUP: nothing is read again while serving; restart instead");
    }
    since_watchdog_ms += kTickMs;
    if (systemd.watchdog_interval_ms() > 0 && since_watchdog_ms >= systemd.watchdog_interval_ms()) {
      systemd.Notify("WATCHDOG=1");
      since_watchdog_ms = 0;
    }
  }
}

}  // namespace

absl::Status CheckGatewayConfig(const GatewayConfig& config) {
  CUSTODY_RETURN_IF_ERROR(ValidateGatewayConfig(config));
  CUSTODY_RETURN_IF_ERROR(LedgerOptionsOf(config).status());
  CUSTODY_RETURN_IF_ERROR(ServerOptionsOf(config).status());
  return RulesOf(config).status();
}

absl::Status ServeGateway(const GatewayConfig& config) {
  CUSTODY_RETURN_IF_ERROR(ValidateGatewayConfig(config));
  const SystemdNotifier systemd;
  CUSTODY_ASSIGN_OR_RETURN(const ClientOptions ledger, LedgerOptionsOf(config));
  CUSTODY_ASSIGN_OR_RETURN(const HttpServerOptions options, ServerOptionsOf(config));
  CUSTODY_ASSIGN_OR_RETURN(const GatewayRules rules, RulesOf(config));
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<BelievedLog> log, BelievedLog::Open(ledger));

  TileCache cache(config.cache.bytes_max);
  // Requests may come before Start() has returned the server that they are counted in.
  static const HttpCounters nothing_yet;
  std::atomic<const HttpCounters*> counters = &nothing_yet;
  const Gateway* self = nullptr;
  Gateway gateway(rules, *log, cache, [&] {
    return GatewayMetricsText(*self, *log, cache, *counters, BuildVersion(), BuildCommit());
  });
  self = &gateway;
  const Refresher refresher(*log, config.ledger.refresh_ms);
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server,
                           HttpServer::Start(options, gateway));
  counters = &server->counters();
  if (config.entries.access == "public") {
    Log(LogLevel::kWarning, "entries.access is public: everyone may read every entry of the log");
  }
  Log(LogLevel::kInfo, "serving",
      {{"address", server->address()},
       {"tls", options.certificate_pem.empty() ? "no" : "yes"},
       {"origin", ledger.ledger},
       {"ledger", ledger.endpoint},
       {"version", std::string(BuildVersion())}});
  if (!config.listen.address_file.empty()) {
    CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(config.listen.address_file, server->address()));
  }
  systemd.Notify("READY=1\nSTATUS=serving");
  RunUntilSignal(systemd);
  systemd.Notify("STOPPING=1\nSTATUS=draining");
  Log(LogLevel::kInfo, "stopping: answers under way are sent");
  server->Stop(config.stop.drain_ms_max);
  Log(LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace custody
