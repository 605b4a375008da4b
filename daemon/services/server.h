// The gRPC server: services, mutual TLS, limits, health.
//
//   Start() -> calls -> StopStreams() -> (the ledger drains) -> Stop()
//
// Threads: every method from any thread; Stop() waits.
// Owns:    the listener, the read pool, the services. Ledger, store, observer and witnesses (null:
//          there are none) must outlive it.

#ifndef CUSTODY_DAEMON_SERVICES_SERVER_H_
#define CUSTODY_DAEMON_SERVICES_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/ledger/ledger.h"
#include "daemon/services/call_observer.h"
#include "daemon/services/service_parts.h"
#include "storage/store.h"

namespace custody {

struct ServerOptions {
  // "127.0.0.1:7443", "[::1]:7443", "0.0.0.0:7443"; port 0 takes a free one.
  std::string address;

  // PEM texts. The client must show a certificate that an authority of `client_ca_pem` signed.
  std::string certificate_pem;
  std::string private_key_pem;
  std::string client_ca_pem;
  // Without TLS, every caller may do everything; the address must be loopback.
  bool insecure_loopback = false;

  // Server reflection; off in production.
  bool reflection = false;

  // Largest message taken. A larger one is refused by gRPC before anybody sees it, so it stands
  // well above the largest event, which is refused by the ledger with a reason.
  std::uint32_t message_bytes_max = 1U << 20;
  std::uint32_t metadata_bytes_max = 16U << 10;
  std::uint32_t streams_per_connection_max = 256;
  // Memory of all connections and calls, as gRPC counts it; beyond it calls are turned away.
  std::uint64_t call_bytes_max = 256U << 20;
  std::uint32_t read_threads = 4;
  std::uint32_t read_queue_max = 1'024;
  // A silent connection is tested after keepalive_ms and given up keepalive_timeout_ms later.
  std::uint32_t keepalive_ms = 30'000;
  std::uint32_t keepalive_timeout_ms = 10'000;
  // A client that pings more often is disconnected.
  std::uint32_t client_ping_interval_ms_min = 5'000;
  ServiceLimits service;
  // Null: no backups are made.
  BackupMaker backup;

  std::string version;
  std::string commit;
};

// Whether this address can be reached from this machine only: 127.0.0.0/8, ::1 or a unix socket.
// Names are not looked up, "localhost" included.
bool IsLoopbackAddress(const std::string& address);

class GrpcServer {
 public:
  // Errors: kInvalidArgument if the certificate, its key and the authorities do not belong together
  // or the insecure address is not loopback; kUnavailable if the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const ServerOptions& options,
                                                           Ledger& ledger, const Store& store,
                                                           CallObserver& observer,
                                                           WitnessKeeper* witnesses = nullptr);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // With the port that was taken.
  const std::string& address() const;

  // What grpc.health.v1 says: of the server as a whole and of the services that only read; and of
  // custody.v1.LedgerService, which is not serving while nothing can be written.
  void SetHealth(bool reads_serve, bool writes_serve);

  // Ends all watches; they are told UNAVAILABLE.
  void StopStreams();
  // Takes no new calls, waits for those under way until the deadline, then ends them.
  void Stop(std::int64_t deadline_ms);

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_SERVER_H_
