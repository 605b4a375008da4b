// Keeps health in step with what the ledger can do, and logs each change of it once.
//
// Threads: one; the ledger and the server may be used from others.

#ifndef CUSTODY_DAEMON_HEALTH_KEEPER_H_
#define CUSTODY_DAEMON_HEALTH_KEEPER_H_

#include <string>

#include "daemon/ledger/ledger.h"
#include "daemon/services/server.h"

namespace custody {

// Can events be recorded? What health of custody.v1.LedgerService and /healthz say.
bool WritesServe(const LedgerStatus& status);

class HealthKeeper {
 public:
  // Both must outlive it.
  HealthKeeper(const Ledger& ledger, GrpcServer& server) : ledger_(ledger), server_(server) {}

  // Looks; call it several times a second.
  void Tick();

 private:
  const Ledger& ledger_;
  GrpcServer& server_;
  std::string last_state_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_HEALTH_KEEPER_H_
