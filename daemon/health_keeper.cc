#include "daemon/health_keeper.h"

#include "absl/strings/str_format.h"
#include "daemon/logging.h"

namespace custody {

bool WritesServe(const LedgerStatus& status) {
  return status.mode == LedgerMode::kServing && !status.disk_full;
}

void HealthKeeper::Tick() {
  const LedgerStatus status = ledger_.Status();
  const std::string state = absl::StrFormat("%s %d %s", ModeName(status.mode),
                                            status.disk_full ? 1 : 0, status.mode_reason);
  if (state == last_state_) return;
  last_state_ = state;
  server_.SetHealth(/*reads_serve=*/status.mode != LedgerMode::kStopped, WritesServe(status));
  const bool expected = status.mode == LedgerMode::kServing || status.mode == LedgerMode::kDraining;
  Log(!expected                                                              ? LogLevel::kError
      : status.disk_full || status.anchor_failing || status.damage_count > 0 ? LogLevel::kWarning
                                                                             : LogLevel::kInfo,
      "mode of the ledger",
      {{"mode", std::string(ModeName(status.mode))},
       {"reason", status.mode_reason},
       {"disk_full", status.disk_full ? "true" : "false"}});
}

}  // namespace custody
